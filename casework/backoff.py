"""When an effect that failed is tried again, if it is. Pure."""

from datetime import datetime, timedelta
from typing import Final

from casework.errors import CaseworkError, ProviderError
from casework.policy.model import Retry

#: However long a service asks us to wait, we ask again after this.
LONGEST_ASKED: Final = timedelta(days=1)


def may_pass(error: CaseworkError) -> bool:
    """Whether the same effect may be taken later: the service is down, busy or knows us no more.

    Credentials that were revoked are the destination's failure, not the effect's: whoever mends
    them finds the effects waiting.
    """
    return isinstance(error, ProviderError) and (error.transient or is_unauthorised(error))


def is_unauthorised(error: CaseworkError) -> bool:
    """Whether a service refused our credentials."""
    return isinstance(error, ProviderError) and error.unauthorised


def next_try(
    error: CaseworkError, failures: int, retry: Retry, share: float, now: datetime
) -> datetime | None:
    """When to try again after the ``failures``-th failure; None: never.

    ``share``, from 0 up to 1, is the caller's random number.
    """
    if not may_pass(error) or failures >= retry.attempts:
        return None
    return now + max(wait(failures, retry, share), asked(error))


def wait(failures: int, retry: Retry, share: float) -> timedelta:
    """Twice as long after each failure, up to the longest wait; then half of it by chance.

    Equal jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    doublings = min(failures - 1, 62)  # beyond that the factor is no sensible number
    seconds = retry.first_wait.total_seconds() * 2.0**doublings
    full = min(seconds, retry.longest_wait.total_seconds())
    return timedelta(seconds=full * (0.5 + share / 2))


def asked(error: CaseworkError) -> timedelta:
    """What the service asked us to wait, as far as we go along with it."""
    seconds = error.retry_after if isinstance(error, ProviderError) else None
    return min(timedelta(seconds=min(seconds or 0.0, 1e9)), LONGEST_ASKED)
