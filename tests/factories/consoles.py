"""A console's surroundings for tests."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from casework.console.ports import Console, Wake
from casework.policy.model import Bundle
from tests.factories.ledger import signer
from tests.factories.policy import small_bundle


async def awake(run_id: str) -> bool:
    """Prefect, which wakes what it is asked to."""
    return True


def console_of(
    engine: Engine,
    clock: Callable[[], datetime],
    wake: Wake = awake,
    *,
    bundle: Bundle | None = None,
    **more: Any,
) -> Console:
    """A console over a store, with the small bundle and no fault in it."""
    given: dict[str, Any] = {"lint": list, "verifier": lambda: signer().verifier, "secure": False}
    return Console(engine, bundle or small_bundle(), clock, wake, **{**given, **more})
