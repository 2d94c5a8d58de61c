"""Clocks over published histories of tickets, against computations of their own.

The incidents of a car maker's help desk are replayed event by event. What they must come to is
worked out by polars, which brings time zones of its own: every minute of the log is open or not,
their running sum is looked up at each event, and the differences are added up by ticket.
"""

import csv
import gzip
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from casework.clocks.calendars import ALWAYS, Calendar, business_time, instant_after
from casework.clocks.events import Event, Happening, clock_of, handling_of
from casework.clocks.model import StopReason, due_at, elapsed, stopped
from tests.conftest import SHARED_DATA
from tests.factories.clocks import MINUTE, office

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not SHARED_DATA.is_dir(), reason=f"{SHARED_DATA} is not there"),
]

INCIDENTS = SHARED_DATA / "bpic2013-incidents" / "events.csv.gz"
ZENDESK = SHARED_DATA / "zendesk-seed-tables"

#: For whom a ticket waits; plain "Wait" names nobody, and a clock does not stop for nobody.
WAITS = {
    "Wait - User": StopReason.REPORTER,
    "Wait - Customer": StopReason.REPORTER,
    "Wait - Vendor": StopReason.VENDOR,
    "Wait - Implementation": StopReason.PARTNER,
}
HOLIDAYS = frozenset({date(2011, 12, 26), date(2012, 1, 6), date(2012, 4, 6)})
CALENDARS = {"always": ALWAYS, "office": office("Europe/Stockholm", holidays=HOLIDAYS)}
END = datetime(2012, 6, 1, tzinfo=UTC)
TARGET = timedelta(hours=16)


def rows_of(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return list(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def tickets() -> dict[str, list[Event]]:
    """Every ticket's events as clocks know them."""
    found: defaultdict[str, list[Event]] = defaultdict(list)
    holders: dict[str, tuple[str, str]] = {}
    for row in rows_of(INCIDENTS):
        ticket, at = row["case_id"], datetime.fromisoformat(row["time:timestamp"])
        events = found[ticket]
        if not events:
            events.append(Event(at, Happening.OPENED))
        events += _happened(row, at)
        team, person = holders.get(ticket, (row["org:group"], ""))
        if row["org:group"] != team:
            events.append(Event(at, Happening.ASSIGNED))
        if row["lifecycle:transition"] == "In Progress" and row["org:resource"] != person:
            events.append(Event(at, Happening.CLAIMED))
            person = row["org:resource"]
        holders[ticket] = (row["org:group"], person)
    return dict(found)


def _happened(row: dict[str, str], at: datetime) -> list[Event]:
    if row["concept:name"] == "Completed":
        return [Event(at, Happening.ENDED)]
    back = Event(at, Happening.REOPENED)
    if reason := WAITS.get(row["lifecycle:transition"]):
        return [back, Event(at, Happening.STOPPED, reason)]
    return [back, Event(at, Happening.RESTARTED)]


def expected(calendar: Calendar) -> pl.DataFrame:
    """Seconds run and stood still by ticket, by polars alone."""
    log = pl.read_csv(INCIDENTS).select(
        ticket="case_id",
        at=pl.col("time:timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_zone="UTC"),
        done=pl.col("concept:name") == "Completed",
        waits=pl.col("lifecycle:transition").is_in(list(WAITS)),
    )
    at = pl.col("at").dt.truncate("1m")
    log = log.with_columns(minute=at, second=(pl.col("at") - at).dt.total_seconds())
    log = log.join(_minutes(calendar), on="minute", how="left", maintain_order="left")
    spent = pl.col("before") + pl.col("second") * pl.col("open")
    end = _minutes(calendar).filter(pl.col("minute") == END)["before"].item()
    following = spent.shift(-1).over("ticket").fill_null(end) - spent
    left = (~pl.col("done")).cast(pl.Int32).cum_sum(reverse=True).over("ticket") > 0
    log = log.with_columns(length=following, comes_back=pl.col("done") & left)
    still = pl.col("comes_back") | (pl.col("waits") & ~pl.col("done"))
    return log.group_by("ticket").agg(
        ran=pl.col("length").filter(~pl.col("done") & ~pl.col("waits")).sum(),
        stood=pl.col("length").filter(still).sum(),
    )


@lru_cache(maxsize=2)
def _minutes(calendar: Calendar) -> pl.DataFrame:
    """Every minute of the log, whether it is open, and the open seconds before it."""
    first = datetime(2010, 3, 1, tzinfo=UTC)
    minute = pl.datetime_range(first, END, "1m", time_zone="UTC", eager=True).alias("minute")
    frame = pl.DataFrame(minute).with_columns(
        wall=pl.col("minute").dt.convert_time_zone(calendar.zone)
    )
    of_day = pl.col("wall").dt.hour().cast(pl.Int32) * 60 + pl.col("wall").dt.minute()
    is_open = pl.lit(value=False)
    for number, spans in enumerate(calendar.week, start=1):
        for opens, closes in spans:
            at_work = of_day.is_between(opens, closes, closed="left")
            is_open |= (pl.col("wall").dt.weekday() == number) & at_work
    free = pl.col("wall").dt.date().is_in(sorted(calendar.holidays))
    frame = frame.with_columns(open=(is_open & ~free).cast(pl.Int64))
    return frame.select(
        "minute", "open", before=(60 * pl.col("open")).cum_sum() - 60 * pl.col("open")
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", CALENDARS)
def test_every_incident_ran_and_stood_still_as_long_as_polars_says(name: str) -> None:
    calendar, replayed = CALENDARS[name], tickets()
    told = {row["ticket"]: row for row in expected(calendar).iter_rows(named=True)}
    assert len(replayed) == len(told) == 5287
    differing = []
    for ticket, events in replayed.items():
        clock = clock_of(calendar, TARGET, events)
        ours = (elapsed(clock, END).total_seconds(), stopped(clock, END).total_seconds())
        if ours != (told[ticket]["ran"], told[ticket]["stood"]):
            differing.append((ticket, ours, told[ticket]))
    assert differing == []
    assert sum(row["stood"] > 0 for row in told.values()) > 1500, "the log has waits to stand for"


def test_every_incident_is_due_when_its_target_has_run() -> None:
    calendar, late = CALENDARS["office"], 0
    for events in tickets().values():
        clock = clock_of(calendar, TARGET, events)
        due = due_at(clock)
        if clock.ended_at is not None and elapsed(clock, END) > TARGET:
            assert due is not None
            assert due <= clock.ended_at
            assert elapsed(clock, due) == TARGET
            late += 1
    assert late > 500


def test_first_and_last_claims_and_the_first_hand_off_are_those_of_the_log() -> None:
    log = pl.read_csv(INCIDENTS).select(
        ticket="case_id",
        at=pl.col("time:timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_zone="UTC"),
        taken=pl.col("lifecycle:transition") == "In Progress",
        person="org:resource",
        team="org:group",
    )
    moved = (pl.col("team") != pl.col("team").shift(1).over("ticket")).fill_null(value=False)
    by_team = log.filter(moved).group_by("ticket").agg(first=pl.col("at").first())
    work = log.filter("taken")
    anew = pl.col("person").ne_missing(pl.col("person").shift(1).over("ticket"))
    claims = (
        work.filter(anew)
        .group_by("ticket")
        .agg(first=pl.col("at").first(), last=pl.col("at").last())
    )
    assigned = dict(by_team.iter_rows())
    claimed = {ticket: (first, last) for ticket, first, last in claims.iter_rows()}
    for ticket, events in tickets().items():
        handling = handling_of(events)
        times = (handling.first_claimed_at, handling.last_claimed_at)
        assert times == claimed.get(ticket, (None, None)), ticket
        assert handling.assigned_at == assigned.get(ticket), ticket


def schedule() -> tuple[list[tuple[int, int]], Calendar]:
    """The help desk's hours as it writes them, minutes from Sunday, and as a calendar of ours."""
    raw = [
        (int(row["start_time"]), int(row["end_time"]))
        for row in rows_of(ZENDESK / "schedule_data.csv")
    ]
    week: list[tuple[tuple[int, int], ...]] = [()] * 7
    for start, end in raw:
        day = start // 1440
        week[(day - 1) % 7] = ((start - day * 1440, end - day * 1440),)
    return raw, Calendar("America/Los_Angeles", tuple(week), frozenset(closed_days()))


def closed_days() -> list[date]:
    """Every day of every holiday."""
    days = []
    for row in rows_of(ZENDESK / "schedule_holiday_data.csv"):
        first, last = (date.fromisoformat(row[name]) for name in ("start_date", "end_date"))
        days += [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return days


def walked(start: datetime, minutes: int, raw: list[tuple[int, int]] | None) -> datetime:
    """Go on from a moment, minute by minute, until so many of the schedule are used up."""
    zone, closed, seconds, here = (
        ZoneInfo("America/Los_Angeles"),
        closed_days(),
        minutes * 60,
        start,
    )
    while True:
        wall = here.astimezone(zone)
        of_week = (wall.isoweekday() % 7) * 1440 + wall.hour * 60 + wall.minute
        at_work = raw is None or (
            wall.date() not in closed and any(begin <= of_week < end for begin, end in raw)
        )
        step = 60 - here.second
        if at_work and seconds <= step:
            return here + timedelta(seconds=seconds)
        seconds -= step if at_work else 0
        here += timedelta(seconds=step)


def test_zendesk_targets_are_due_when_walking_the_schedule_says_so() -> None:
    raw, calendar = schedule()
    policies = rows_of(ZENDESK / "sla_policy_metric_history_data.csv")
    tried = 0
    for applied in rows_of(ZENDESK / "ticket_sla_policy_data.csv"):
        start = datetime.fromisoformat(applied["policy_applied_at"]).replace(tzinfo=UTC)
        for target in policies:
            if target["sla_policy_id"] != applied["sla_policy_id"]:
                continue
            minutes, in_hours = int(target["target"]), target["business_hours"] == "TRUE"
            due = instant_after(calendar if in_hours else ALWAYS, start, minutes * MINUTE)
            assert due == walked(start, minutes, raw if in_hours else None), (applied, target)
            tried += 1
    assert tried > 100


def test_the_zendesk_holidays_have_no_business_and_the_day_between_them_has() -> None:
    _, calendar = schedule()
    begin = datetime(2022, 12, 26, 8, tzinfo=UTC)
    lengths = [
        business_time(calendar, begin + timedelta(days=n), begin + timedelta(days=n + 1))
        for n in range(4)
    ]
    assert lengths == [timedelta(), timedelta(), timedelta(hours=12), timedelta()]


def test_a_zendesk_ticket_stands_still_while_it_is_pending() -> None:
    history = [
        (datetime.fromisoformat(row["updated"]).replace(tzinfo=UTC), row["value"])
        for row in rows_of(ZENDESK / "ticket_field_history_data.csv")
        if (row["ticket_id"], row["field_name"]) == ("11071", "status")
    ]
    events = [Event(history[0][0], Happening.OPENED)]
    for at, status in history:
        match status:
            case "pending":
                events.append(Event(at, Happening.STOPPED, StopReason.REPORTER))
            case "solved" | "closed":
                events.append(Event(at, Happening.ENDED))
            case _:
                events.append(Event(at, Happening.RESTARTED))
    clock = clock_of(ALWAYS, timedelta(minutes=1920), events)
    days = {"open": 0, "pending": 0, "on-hold": 0, "solved": 0}
    for (since, status), (until, _) in pairwise(history):
        days[status] += (until - since).days
    now = history[-1][0]
    assert elapsed(clock, now) == timedelta(days=days["open"] + days["on-hold"])
    assert stopped(clock, now) == timedelta(days=days["pending"])
    assert min(days.values()) > 0
