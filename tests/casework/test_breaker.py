"""A breaker opens after failures in a row, lets one effect try, and closes when that is taken."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.breaker import (
    FIRST_REST,
    LONGEST_REST,
    OPEN_AFTER,
    Breaker,
    after_failure,
    after_success,
    allowed,
    trying,
)
from casework.errors import (
    ConfigurationError,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DOWN = ProviderUnavailable("down")
MINUTE = timedelta(minutes=1)


def failed(times: int, breaker: Breaker | None = None, now: datetime = NOW) -> Breaker:
    breaker = breaker or Breaker()
    for _ in range(times):
        breaker = after_failure(breaker, DOWN, now, now)
    return breaker


def test_a_new_breaker_lets_everything_through() -> None:
    assert allowed(Breaker(), 7, NOW) == 7


def test_a_few_failures_in_a_row_open_it_for_a_rest() -> None:
    assert allowed(failed(OPEN_AFTER - 1), 7, NOW) == 7
    opened = failed(OPEN_AFTER)
    assert allowed(opened, 7, NOW + FIRST_REST - timedelta(seconds=1)) == 0
    assert allowed(opened, 7, NOW + FIRST_REST) == 1


def test_failures_with_a_success_between_do_not_open_it() -> None:
    once = after_success(failed(OPEN_AFTER - 1))
    assert failed(OPEN_AFTER - 1, once).opened_at is None


def test_while_one_effect_tries_it_the_others_wait() -> None:
    at = NOW + FIRST_REST
    tried = trying(failed(OPEN_AFTER), at + MINUTE)
    assert allowed(tried, 7, at) == 0
    assert allowed(tried, 7, at + MINUTE) == 1, "whoever tried it was killed"


def test_trying_changes_nothing_about_a_closed_one() -> None:
    assert trying(failed(1), NOW + MINUTE) == failed(1)


def test_it_closes_when_what_tried_it_was_taken() -> None:
    assert after_success(trying(failed(OPEN_AFTER), NOW)) == Breaker()


def test_each_failed_try_doubles_the_rest_up_to_the_longest() -> None:
    breaker, now, rests = failed(OPEN_AFTER), NOW, []
    for _ in range(7):
        assert breaker.rests_until is not None
        rests.append(breaker.rests_until - now)
        now = breaker.rests_until
        breaker = after_failure(trying(breaker, now + MINUTE), DOWN, now, now)
    assert rests[:4] == [FIRST_REST, FIRST_REST * 2, FIRST_REST * 4, FIRST_REST * 8]
    assert rests[-1] == LONGEST_REST


def test_what_was_on_its_way_when_it_opened_does_not_count_again() -> None:
    opened = failed(OPEN_AFTER)
    began = NOW - timedelta(seconds=1)
    assert after_failure(opened, DOWN, began, NOW + timedelta(seconds=1)) == opened


def test_revoked_credentials_open_it_at_once() -> None:
    refused = after_failure(Breaker(), ProviderRefused("who?", answered=401), NOW, NOW)
    assert (refused.opened_at, allowed(refused, 7, NOW)) == (NOW, 0)


def test_a_destination_that_asks_for_a_rest_gets_it_and_has_not_failed() -> None:
    busy = after_failure(Breaker(), RateLimited("busy", retry_after=90), NOW, NOW)
    assert (busy.failures, busy.opened_at) == (0, None)
    assert allowed(busy, 7, NOW + timedelta(seconds=89)) == 0
    assert allowed(busy, 7, NOW + timedelta(seconds=90)) == 7
    assert after_success(busy) == busy, "the rest it asked for holds"


def test_an_effect_refused_for_its_own_sake_shows_that_its_destination_answers() -> None:
    refused = ProviderRefused("what is this?", answered=400)
    assert after_failure(failed(3), refused, NOW, NOW) == Breaker()


def test_a_macro_that_cannot_be_filled_says_nothing_about_a_destination() -> None:
    assert after_failure(failed(3), ConfigurationError("no clause"), NOW, NOW) == failed(3)


errors = st.sampled_from(
    [DOWN, RateLimited("busy", retry_after=5), ProviderRefused("no", answered=400), None]
)


@given(st.lists(errors))
def test_whatever_happens_a_destination_is_tried_again_some_day(
    happened: list[ProviderUnavailable | None],
) -> None:
    breaker, now = Breaker(), NOW
    for error in happened:
        now += timedelta(seconds=1)
        breaker = after_failure(breaker, error, now, now) if error else after_success(breaker)
    assert allowed(breaker, 7, now + LONGEST_REST) >= 1


@pytest.mark.parametrize("wanted", [0, 1, 4])
def test_no_more_is_allowed_than_is_wanted(wanted: int) -> None:
    assert allowed(Breaker(), wanted, NOW) == wanted
