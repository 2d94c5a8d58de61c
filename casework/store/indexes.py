"""Indexes that answer a question of their own: of some rows, and no others."""

from typing import Final

from sqlalchemy import Column, Index, text

#: Closing a case with any action but this one means that something was done about it.
NO_ACTION: Final = "close_no_action"

#: Written out, because SQLite uses a partial index only where it sees the index's very condition.
LED_TO_ACTION: Final = f"status = 'closed' AND action IS NOT NULL AND action <> '{NO_ACTION}'"


#: Cases that wait for a stage, as the walks over them say it, word for word: see above.
UNDER_WAY: Final = "status = 'opened' OR status = 'enriched'"


def index_of_stages() -> Index:
    """Index the cases that a batch stage walks: in the order of the walk, and no others."""
    waits = text(UNDER_WAY)
    columns = ("status", "intake_id", "id")
    return Index("cases_stage", *columns, sqlite_where=waits, postgresql_where=waits)


def index_of_present(name: str, column: str) -> Index:
    """Index a person's cases by time where a person is named: all that their record is made of."""
    present = Column(column).isnot(None)
    return Index(name, column, "received_at", sqlite_where=present, postgresql_where=present)


def index_of_acted_on(name: str, column: str) -> Index:
    """Index those of a person's cases that led to an action."""
    acted = text(LED_TO_ACTION)
    return Index(name, column, "received_at", sqlite_where=acted, postgresql_where=acted)


def index_where_set(name: str, column: str, *more: str) -> Index:
    """Index the rows in which a column has a value: what nobody waits for takes up no room."""
    present = Column(column).isnot(None)
    return Index(name, column, *more, sqlite_where=present, postgresql_where=present)
