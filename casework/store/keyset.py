"""Going on in a list from a row that has been seen, however much came or went before it."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlmodel import Session

from casework.errors import NotFound

S = TypeVar("S", bound=Select[Any])


def behind(
    session: Session, statement: S, order: Sequence[Any], last: ColumnElement[bool], name: str
) -> S:
    """The rows of a statement behind the ``last`` one in an ascending order without NULLs.

    Raises:
        NotFound: there is no such row to go on from.
    """
    place = session.execute(select(*order).where(last)).first()
    if place is None:
        raise NotFound(f"there is nothing called {name} to go on from", hint="begin anew")
    return statement.where(tuple_(*order) > tuple(place))
