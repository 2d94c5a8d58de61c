"""Kinds of columns that the two databases take differently, or that many tables have."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer
from sqlmodel import Field

from casework.store.types import UtcDateTime


def big_integer(**column: Any) -> Any:
    """A 64-bit number; SQLite wants INTEGER for a key that is the row's own id."""
    return Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), nullable=False, **column),
    )


def document(*, nullable: bool = False) -> Any:
    """A JSON document."""
    return Field(sa_column=Column(JSON, nullable=nullable))


def moment(*, nullable: bool = False, default: datetime | None = None) -> Any:
    """A point in time, aware and in UTC."""
    given: dict[str, Any] = {"default": default} if nullable or default else {}
    return Field(sa_column=Column(UtcDateTime, nullable=nullable), **given)
