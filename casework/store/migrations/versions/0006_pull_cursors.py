"""How far each source has been pulled."""

import sqlalchemy as sa
from alembic import op

from casework.store.types import UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table of cursors."""
    op.create_table(
        "pull_cursors",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=True),
        sa.Column("intake_id", sa.String(), nullable=True),
        sa.Column("moved_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )
