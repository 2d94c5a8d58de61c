"""Indexes that answer a question of their own: of some rows, and no others."""

from typing import Final

from sqlalchemy import Column, Index, text

#: Closing a case with any action but this one means that something was done about it.
NO_ACTION: Final = "close_no_action"

#: Cases that wait for a stage, as the walks over them say it, word for word: SQLite uses a partial
#: index only where it sees the index's very condition.
UNDER_WAY: Final = "status = 'opened' OR status = 'enriched'"

#: Entries that show that a person was at work, as the look at somebody's day says it, word for
#: word too.
ATTENDED: Final = (
    "action IN ('case.viewed', 'gate.claimed', 'gate.answered', 'gate.released', 'gate.held', "
    "'gate.assigned', 'playbook.answered', 'qa.answered')"
)

#: Gates at which people must decide, as whatever lists them says it.
WAITS: Final = "status = 'open'"


def index_of_stages() -> Index:
    """Index the cases that a batch stage walks: in the order of the walk, and no others."""
    waits = text(UNDER_WAY)
    columns = ("status", "intake_id", "id")
    return Index("cases_stage", *columns, sqlite_where=waits, postgresql_where=waits)


def index_of_record(name: str, column: str) -> Index:
    """Index a person's cases, where a person is named, with all that their record is made of."""
    columns, named = (column, "received_at", "status", "action"), Column(column).isnot(None)
    return Index(name, *columns, sqlite_where=named, postgresql_where=named)


def index_of_answers() -> Index:
    """Let each person answer once at a gate. A machine's decisions are at none, and not in it."""
    at_gate = Column("gate_id").isnot(None)
    columns = ("gate_id", "actor")
    return Index(
        "decisions_answer", *columns, unique=True, sqlite_where=at_gate, postgresql_where=at_gate
    )


def index_of_waiting(name: str, *columns: str) -> Index:
    """Index the gates at which people must decide, and no others."""
    waits = text(WAITS)
    return Index(name, *columns, sqlite_where=waits, postgresql_where=waits)


def index_on_hold() -> Index:
    """Index the gates that are on hold."""
    held = Column("follow_up_at").isnot(None)
    return Index("assignments_on_hold", "gate_id", sqlite_where=held, postgresql_where=held)


def index_where_unset(name: str, column: str, *more: str) -> Index:
    """Index the rows in which a column has no value yet."""
    absent = Column(column).is_(None)
    return Index(name, *more, sqlite_where=absent, postgresql_where=absent)


def index_where_set(name: str, column: str, *more: str) -> Index:
    """Index the rows in which a column has a value: what nobody waits for takes up no room."""
    present = Column(column).isnot(None)
    return Index(name, column, *more, sqlite_where=present, postgresql_where=present)


def index_of_days() -> Index:
    """Index what people do at their desks, by person and time; a machine's entries take no room."""
    attended = text(ATTENDED)
    columns = ("actor", "at")
    return Index(
        "ledger_entries_attended", *columns, sqlite_where=attended, postgresql_where=attended
    )
