"""Rate limits, held by Prefect for all processes together."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import httpx
from prefect import get_client
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError, rate_limit
from prefect.exceptions import PrefectException

from casework.errors import RateLimited

log = logging.getLogger(__name__)

#: Seconds one request waits for its turn at the most.
PATIENCE: Final = 60.0

#: How Prefect's client says that there was no answer.
_LOST: Final = (
    ConcurrencySlotAcquisitionError,
    PrefectException,
    httpx.HTTPError,
    RuntimeError,
    ValueError,
)


def limit_name(provider: str) -> str:
    """The global concurrency limit that holds a provider's rate: its slots must decay."""
    return f"casework-{provider}"


async def hold_rate(provider: str, per_minute: int) -> None:
    """Have Prefect hold a provider to so many requests a minute, over all processes together.

    Where Prefect cannot be asked nothing is held, as ``rate_limited`` says when it finds out.
    """
    burst = max(1, per_minute // 10)  # so many may go at once; then one each time a slot decays
    try:
        async with get_client() as client:
            await client.upsert_global_concurrency_limit_by_name(
                limit_name(provider), burst, slot_decay_per_second=per_minute / 60
            )
    except _LOST as error:
        log.warning("the rate limit of %s is not set: %s", provider, type(error).__name__)


def rate_limited(provider: str, patience: float = PATIENCE) -> Callable[[], Awaitable[None]]:
    """Make the limiter of one provider, over Prefect's limit of its name.

    Where nobody has made that limit there is none. Where Prefect cannot be asked, requests go
    unlimited from then on, which is logged once: the limit spares the service, which can still
    say 429, while waiting for Prefect would leave every case without its signals.
    """
    lost = False

    async def turn() -> None:
        nonlocal lost
        if lost:
            return
        try:
            await rate_limit(limit_name(provider), timeout_seconds=patience, strict=False)
        except TimeoutError as error:
            raise RateLimited(f"{provider} had no turn within {patience:.0f} s") from error
        except _LOST as error:
            lost = True
            log.warning("the rate limit of %s is not held: %s", provider, type(error).__name__)

    return turn
