"""The queues that a vendor has been given; those there are have no limit."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column."""
    op.add_column("vendors", sa.Column("queues", sa.JSON(), nullable=True))
