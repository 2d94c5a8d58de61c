"""Queues that a vendor has been given, aliases of restricted cases, re-reviews by their case."""

from secrets import token_hex

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Vendors have no limit, and each case that is restricted gets an alias."""
    op.add_column("vendors", sa.Column("queues", sa.JSON(), nullable=True))
    op.add_column(
        "case_restrictions", sa.Column("alias", sa.String(), nullable=False, server_default="")
    )
    rows = sa.table("case_restrictions", *map(sa.column, ("case_id", "alias")))
    for case in op.get_bind().scalars(sa.select(rows.c.case_id)).all():
        named = rows.update().where(rows.c.case_id == case)
        op.execute(named.values(alias=f"r{token_hex(10)}"))
    op.create_index("qa_gates_case", "qa_gates", ["case_id"])
