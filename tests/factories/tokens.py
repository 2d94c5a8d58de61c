"""Tokens of the people in a test's store."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from casework.store.engine import transaction
from casework.store.tokens import Request, make_token
from casework.tokens import Scope
from tests.factories.gates import BY, NOW


def bearer_of(
    engine: Engine,
    person: str,
    scopes: Sequence[str] = tuple(map(str, Scope)),
    now: datetime = NOW,
) -> dict[str, str]:
    """The header with which a program acts for somebody; all scopes unless some are named."""
    wanted = Request(person, "test", tuple(scopes), timedelta(days=1))
    with transaction(engine) as session:
        _, secret = make_token(session, wanted, BY, now)
    return {"Authorization": f"Bearer {secret}"}
