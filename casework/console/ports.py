"""What the console asks of the outside; whoever composes it hands this in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Engine

from casework.policy.model import Bundle

#: Wakes the run of a decided gate; False where it cannot now, and the reconciler does it later.
Wake: TypeAlias = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Console:
    """The console's surroundings."""

    engine: Engine
    bundle: Bundle  # the policy in force
    clock: Callable[[], datetime]
    wake: Wake
    secure: bool  # whether it is reached over HTTPS, so that cookies go nowhere else
    run_page: str = ""  # Prefect's page of a run, with {run} in it; empty: not linked
    idle_minutes: int = 5  # after which what is on the screen is covered
