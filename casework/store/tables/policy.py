"""Policy bundles that have decided something."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from casework.store.tables.columns import document, moment


class PolicyBundle(SQLModel, table=True):
    """A bundle that has decided something, whole, so that every decision can be replayed."""

    __tablename__ = "policy_bundles"

    digest: str = Field(primary_key=True)
    name: str
    version: str
    files: dict[str, Any] = document()  # relative path -> text
    adopted_at: datetime = moment()
