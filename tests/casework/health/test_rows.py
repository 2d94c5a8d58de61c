"""A day's facts, summed up by group."""

from datetime import UTC, date, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from casework.health.days import changed, days_to_record, is_revisable
from casework.health.facts import Counted, Facts, Reviewed, Timed, Traits
from casework.health.rows import Row, percentile, rows_of

HERE = Traits("general", "P1", "acme", "fr")
THERE = Traits("legal", "P0", "", "unknown")


def by_key(rows: list[Row]) -> dict[tuple[str, str, str], Row]:
    return {row.key: row for row in rows}


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([50, 90, 99]))
def test_percentiles_are_those_of_polars(values: list[float], percent: int) -> None:
    told = pl.Series(values).quantile(percent / 100, "linear")
    assert told is not None
    assert abs(percentile(sorted(values), percent) - told) <= 1e-9 * max(1.0, told)


def test_a_fact_counts_in_each_of_its_groups_and_in_no_other() -> None:
    facts = Facts(
        counted=[Counted("sla_decision", HERE, 4, 3), Counted("sla_decision", THERE, 2, 0)],
        timed=[Timed("first_touch", HERE, 60.0), Timed("first_touch", HERE, 120.0)],
    )
    rows = by_key(rows_of(facts))
    whole = rows["sla_decision", "all", "all"]
    assert (whole.n, whole.hits, whole.value) == (6, 3, 0.5)
    assert rows["sla_decision", "queue and severity", "general P1"].value == 0.75
    assert rows["sla_decision", "region", "unknown"].value == 0.0
    assert [key[2] for key in rows if key[:2] == ("sla_decision", "vendor")] == ["acme"]
    assert rows["first_touch", "vendor", "acme"].value == 90.0


def test_shares_of_one_whole_do_not_add_to_it() -> None:
    facts = [
        Counted("rule_hits", Traits(), 10, n, ("rule", rule), only=True)
        for rule, n in (("spam", 7), ("threat", 3))
    ]
    assert [(row.group, row.value) for row in rows_of(Facts(counted=facts))] == [
        ("spam", 0.7),
        ("threat", 0.3),
    ]


def test_a_reviewed_decision_counts_for_those_it_stands_for() -> None:
    reviewed = [Reviewed(HERE, "large", True, True, False)]
    reviewed += [Reviewed(HERE, "small", False, True, True) for _ in range(3)]
    facts = Facts(reviewed=reviewed, sizes={"large": 90, "small": 10})
    rows = by_key(rows_of(facts))
    errors = rows["qa_errors", "all", "all"]
    assert (errors.n, errors.hits, errors.value) == (4, 1, 0.9)
    assert errors.low is not None
    assert errors.low < 0.9
    assert rows["escalation_precision", "queue", "general"].value == 0.1
    assert rows["escalation_recall", "all", "all"].value == 1.0


def test_a_day_is_recorded_an_hour_after_its_end_and_revised_for_a_week() -> None:
    first = date(2026, 3, 1)
    early, late = (datetime(2026, 3, 3, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert days_to_record(None, first, early) == [date(2026, 3, 1)]
    assert days_to_record(None, first, late) == [date(2026, 3, 1), date(2026, 3, 2)]
    assert days_to_record(date(2026, 3, 2), first, late) == []
    assert days_to_record(None, None, late) == []
    assert is_revisable(first, datetime(2026, 3, 8, 23, tzinfo=UTC))
    assert not is_revisable(first, datetime(2026, 3, 9, tzinfo=UTC))


def test_a_regrouping_is_no_change_of_a_day_and_a_late_fact_is() -> None:
    before = rows_of(Facts(counted=[Counted("volume", HERE, 4)]))
    moved = rows_of(Facts(counted=[Counted("volume", THERE, 4)]))
    more = rows_of(Facts(counted=[Counted("volume", HERE, 5)]))
    assert changed(before, moved) == []
    assert changed(before, more) == ["volume"]
