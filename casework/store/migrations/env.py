"""Run migrations on the connection that ``casework.store.schema`` hands over."""

from alembic import context
from sqlmodel import SQLModel

from casework.store import tables  # noqa: F401  (its import fills the metadata)

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata
)
with context.begin_transaction():
    context.run_migrations()
