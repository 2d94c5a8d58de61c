"""A published help desk, replayed, against figures that polars works out from the log itself.

The log holds the incidents that were still alive in May 2012, so its volume climbs all through
April: that is how it was drawn, and what the alerts then find.
"""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import Engine

from casework.health.regions import Region
from casework.health.rows import Row
from casework.store.engine import reading
from casework.store.health.reports import read_health
from casework.store.health.taking import take_stock
from tests.conftest import SHARED_DATA
from tests.factories.gates import BY
from tests.factories.incident_log import Ticket, help_desk, replay, tickets

INCIDENTS = SHARED_DATA / "bpic2013-incidents" / "events.csv.gz"
SINCE, UNTIL = datetime(2012, 3, 19, tzinfo=UTC), datetime(2012, 4, 24, 6, tzinfo=UTC)

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not INCIDENTS.exists(), reason=f"{INCIDENTS} is not there"),
]


def told(found: list[Ticket]) -> pl.DataFrame:
    """The log as it was known at the end, one row for each incident."""
    log = pl.read_csv(INCIDENTS).select(
        ticket="case_id",
        at=pl.col("time:timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_zone="UTC"),
        done=pl.col("concept:name") == "Completed",
    )
    whole = log.group_by("ticket").agg(
        opened=pl.col("at").first(), done=pl.col("at").filter(pl.col("done")).first()
    )
    kept = whole.filter(pl.col("ticket").is_in([each.id for each in found]))
    return kept.with_columns(done=pl.when(pl.col("done") <= UNTIL).then("done"))


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_days_of_a_help_desk_are_those_of_its_log(engine: Engine) -> None:
    found = tickets(INCIDENTS, SINCE, UNTIL)
    replay(engine, found, UNTIL)
    taken = take_stock(engine, help_desk(), Region("country"), BY, UNTIL)
    with reading(engine) as session:
        health = read_health(session, Region("country"), UNTIL)
    log = told(found)
    assert len(taken.recorded) == 36
    assert {date.fromisoformat(day) for day in taken.recorded} >= set(health.days)
    for day, rows in health.days.items():
        whole = {row.measure: row for row in rows if row.by == "all"}
        _compare(whole, log, day)
    assert len(health.risks) == log.filter(pl.col("done").is_null()).height
    assert any(alert.measure == "volume" for _, alert in health.alerts)


def _compare(whole: dict[str, Row], log: pl.DataFrame, day: date) -> None:
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    of_day = log.filter(pl.col("opened").dt.date() == day).height
    ended = log.filter(pl.col("done").dt.date() == day)
    waits = log.filter(
        (pl.col("opened") < end) & (pl.col("done").is_null() | (pl.col("done") >= end))
    )
    assert (whole["volume"].n if "volume" in whole else 0) == of_day
    assert whole["backlog"].n == waits.height
    if ended.height:
        seconds = (ended["done"] - ended["opened"]).dt.total_seconds()
        assert whole["decision_time"].n == ended.height
        assert whole["decision_time"].value == seconds.quantile(0.5, "linear")
        assert whole["decision_time"].p90 == pytest.approx(seconds.quantile(0.9, "linear"))
