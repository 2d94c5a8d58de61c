"""Looking up thousands of rows by name in one statement, with one variable for all the names."""

from collections.abc import Collection
from typing import Any

import orjson
from sqlalchemy import ARRAY, ColumnElement, String, any_, bindparam, func, select
from sqlmodel import Session

from casework.store.engine import is_sqlite


def among(session: Session, column: Any, names: Collection[str]) -> ColumnElement[bool]:
    """Whether a text column holds one of some names, of any number.

    An IN list would be a variable each, rendered anew for every statement: 32,766 at the most on
    SQLite, and slower than the look-up itself.
    """
    if is_sqlite(session):
        document = bindparam(None, orjson.dumps(list(names)).decode(), String)
        given = select(func.json_each(document).table_valued("value").c.value)
        found: ColumnElement[bool] = column.in_(given)
    else:
        found = column == any_(bindparam(None, list(names), ARRAY(String)))
    return found
