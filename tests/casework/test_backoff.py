"""Waiting between tries: longer each time, never beyond the longest, as long as is asked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.backoff import LONGEST_ASKED, may_pass, next_try, wait
from casework.errors import (
    CaseworkError,
    ConfigurationError,
    ProviderBadReply,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from casework.policy.model import Retry

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
RETRY = Retry(attempts=4, first_wait=timedelta(seconds=10), longest_wait=timedelta(minutes=1))

spans = st.timedeltas(timedelta(milliseconds=1), timedelta(days=30))
retries = st.builds(Retry, st.integers(1, 100), spans, spans)
shares = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10_000), retries, shares)
def test_no_wait_is_longer_than_the_longest_or_shorter_than_half_the_first(
    failures: int, retry: Retry, share: float
) -> None:
    waited = wait(failures, retry, share)
    rounding = timedelta(microseconds=1)
    assert waited <= retry.longest_wait + rounding
    assert waited >= min(retry.first_wait, retry.longest_wait) / 2 - rounding


@given(st.integers(1, 10_000), retries, shares)
def test_the_same_chance_never_waits_less_after_one_more_failure(
    failures: int, retry: Retry, share: float
) -> None:
    assert wait(failures + 1, retry, share) >= wait(failures, retry, share)


def test_waits_double() -> None:
    assert [wait(failures, RETRY, 0).total_seconds() for failures in (1, 2, 3, 4, 5)] == [
        5.0,
        10.0,
        20.0,
        30.0,
        30.0,
    ]


@given(st.floats(0, 1e12), shares)
def test_a_service_is_left_alone_as_long_as_it_asks_within_reason(
    asked: float, share: float
) -> None:
    again = next_try(RateLimited("busy", retry_after=asked), 1, RETRY, share, NOW)
    assert again is not None
    assert again - NOW >= min(timedelta(seconds=min(asked, 1e9)), LONGEST_ASKED)
    assert again - NOW <= LONGEST_ASKED


def test_what_was_tried_often_enough_is_tried_no_more() -> None:
    error = ProviderUnavailable("down")
    assert next_try(error, 3, RETRY, 0.5, NOW) is not None
    assert next_try(error, 4, RETRY, 0.5, NOW) is None


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (ProviderTimeout("slow"), True),
        (ProviderUnavailable("down", answered=503), True),
        (RateLimited("busy", answered=429), True),
        (ProviderRefused("who are you", answered=401), True),
        (ProviderRefused("not you", answered=403), True),
        (ProviderRefused("what is this", answered=400), False),
        (ProviderBadReply("gibberish"), False),
        (ConfigurationError("no such macro"), False),
    ],
)
def test_only_what_may_pass_is_tried_again(error: CaseworkError, passes: bool) -> None:
    assert may_pass(error) is passes
    assert (next_try(error, 1, RETRY, 0.5, NOW) is not None) is passes
