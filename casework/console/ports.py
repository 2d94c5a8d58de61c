"""What the console asks of the outside; whoever composes it hands this in."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Engine

from casework.ledger.checkpoint import Verifier
from casework.policy.faults import Fault
from casework.policy.model import Bundle
from casework.trials import Trials

#: Wakes the run of a decided gate; False where it cannot now, and the reconciler does it later.
Wake: TypeAlias = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Prefect:
    """Whether Prefect answers, and where its pages are."""

    answers: bool = True
    run_page: str = ""  # its page of a run, with {run} in it; empty: not linked


@dataclass(frozen=True, slots=True)
class Console:
    """The console's surroundings."""

    engine: Engine
    bundle: Bundle  # the policy in force
    clock: Callable[[], datetime]
    wake: Wake
    lint: Callable[[], Sequence[Fault]]  # faults of the bundle as its files are now
    verifier: Callable[[], Verifier]  # who signs the history
    secure: bool  # whether it is reached over HTTPS, so that cookies go nowhere else
    prefect: Callable[[], Prefect] = Prefect  # as it was found last; asks nothing itself
    lease: timedelta = timedelta(minutes=30)  # how long a claim lasts that is not renewed
    idle_minutes: int = 5  # after which what is on the screen is covered
    trials: Trials | None = None  # candidates beside the bundle in force
    api_per_minute: int = 600  # requests that a token may send
