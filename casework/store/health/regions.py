"""A case's region as a column, joined from where the setting says it is."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func
from sqlmodel import col

from casework.health.facts import UNKNOWN
from casework.health.regions import Region
from casework.store.tables import Case, SignalReading

_REGION: Final = SignalReading.__table__.alias("region_reading")  # type: ignore[attr-defined]


def region_column(region: Region) -> ColumnElement[str]:
    """The region of a joined case; where it has none, ``unknown``."""
    if region.provider is None:
        value = col(getattr(Case, region.name))
    else:
        value = _REGION.c.known[region.name].as_string()
    return func.coalesce(value, UNKNOWN)


def with_region(statement: Select[Any], region: Region) -> Select[Any]:
    """Join what the region is read from to a statement that has the case."""
    if region.provider is None:
        return statement
    given = and_(
        _REGION.c.case_id == col(Case.id),
        _REGION.c.revision == col(Case.revision),
        _REGION.c.provider == region.provider,
    )
    return statement.outerjoin(_REGION, given)
