"""A circuit breaker for each destination: one that fails is left alone, then tried once. Pure.

Closed, everything is sent. After a few failures in a row it opens: nothing is sent until a rest is
over. Then one effect alone tries the destination; if it is taken the breaker closes, if not the
next rest is twice as long. A destination that asks for fewer requests rests without having failed.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from casework.backoff import asked, is_unauthorised, may_pass
from casework.errors import CaseworkError, ProviderError, RateLimited

#: Failures in a row that open a breaker.
OPEN_AFTER: Final = 5

#: The first and the longest rest.
FIRST_REST: Final = timedelta(seconds=30)
LONGEST_REST: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures in a row, when it opened last, and until when its destination is left alone."""

    failures: int = 0
    opened_at: datetime | None = None  # None: closed
    rests_until: datetime | None = None


def allowed(breaker: Breaker, wanted: int, now: datetime) -> int:
    """How many effects may be sent now, of so many that are wanted; one alone tries it out."""
    if breaker.rests_until is not None and now < breaker.rests_until:
        return 0
    return wanted if breaker.opened_at is None else min(wanted, 1)


def trying(breaker: Breaker, until: datetime) -> Breaker:
    """The breaker while one effect tries its destination out: the others wait for what it finds."""
    return breaker if breaker.opened_at is None else replace(breaker, rests_until=until)


def rested(breaker: Breaker) -> Breaker:
    """The breaker when somebody says that its destination is mended: one effect may try it now."""
    return breaker if breaker.opened_at is None else replace(breaker, rests_until=None)


def after_success(breaker: Breaker) -> Breaker:
    """The breaker after its destination took an effect: closed, but for a rest it asked for."""
    return Breaker() if breaker.opened_at is not None else replace(breaker, failures=0)


def after_failure(
    breaker: Breaker, error: CaseworkError, began: datetime, now: datetime
) -> Breaker:
    """The breaker after an attempt that ``began`` then has failed.

    An effect that is refused for its own sake says nothing against its destination: it answers.
    """
    if isinstance(error, RateLimited):
        rest = FIRST_REST if error.retry_after is None else asked(error)
        return replace(breaker, rests_until=now + rest)
    if not may_pass(error):
        # What failed before anything was sent, as a macro does, says nothing either way.
        return after_success(breaker) if isinstance(error, ProviderError) else breaker
    if breaker.opened_at is not None and began <= breaker.opened_at:
        return breaker  # it was on its way when the breaker opened, and tells nothing new
    failures = breaker.failures + 1
    if is_unauthorised(error):
        failures = max(failures, OPEN_AFTER)
    if failures < OPEN_AFTER:
        return replace(breaker, failures=failures)
    doublings = min(failures - OPEN_AFTER, 30)
    rest = max(min(FIRST_REST * 2**doublings, LONGEST_REST), asked(error))
    return Breaker(failures, opened_at=now, rests_until=now + rest)
