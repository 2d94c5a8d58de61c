"""The history: entries, their leaves in the tree, signed heads of it."""

from datetime import datetime

from sqlalchemy import Column, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from casework.store.indexes import index_of_days
from casework.store.tables.columns import big_integer, document, moment


class LedgerEntry(SQLModel, table=True):
    """One line of the history; triggers refuse UPDATE and DELETE.

    ``body`` is the canonical JSON whose SHA-256 is ``digest``; the other columns repeat parts of
    it for look-ups, and verification checks that they agree.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (UniqueConstraint("chain", "position"), index_of_days())

    id: int | None = big_integer(primary_key=True)
    chain: str  # a case id, or "system"
    position: int  # 0, 1, 2 ... within the chain
    action: str
    actor: str
    at: datetime = moment()
    body: str = Field(sa_column=Column(Text, nullable=False))
    digest: str


class LedgerLeaf(SQLModel, table=True):
    """An entry's place in the Merkle tree; triggers refuse UPDATE and DELETE."""

    __tablename__ = "ledger_leaves"

    leaf_index: int = big_integer(primary_key=True, autoincrement=False)
    entry_id: int = big_integer(unique=True)
    digest: str


class Checkpoint(SQLModel, table=True):
    """A signed head of the tree; triggers refuse UPDATE and DELETE."""

    __tablename__ = "checkpoints"

    size: int = big_integer(primary_key=True, autoincrement=False)
    root: str  # hexadecimal
    frontier: list[str] = document()  # roots of the perfect subtrees, left to right
    sealed_through: int = (
        big_integer()
    )  # no entry with this id or a smaller one is still to be sealed
    note: str = Field(sa_column=Column(Text, nullable=False))  # C2SP signed note
    signed_at: datetime = moment()
