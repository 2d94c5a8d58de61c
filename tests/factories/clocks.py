"""Calendars and clocks, drawn by hypothesis, and business time counted minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from casework.clocks.calendars import ALWAYS, Calendar
from casework.clocks.model import Clock, Stop, StopReason

#: Zones with an hour, half an hour and no daylight saving, a quarter-hour offset, a day left out.
ZONES = [
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
]
MINUTE = timedelta(minutes=1)

#: Days in whose neighbourhood clocks are changed in one of the zones, and two that are plain.
TURNS = [
    datetime(2024, 3, 10, tzinfo=UTC),
    datetime(2024, 3, 31, tzinfo=UTC),
    datetime(2024, 4, 6, tzinfo=UTC),
    datetime(2024, 10, 27, tzinfo=UTC),
    datetime(2024, 11, 3, tzinfo=UTC),
    datetime(2011, 12, 29, tzinfo=UTC),
    datetime(2024, 12, 31, tzinfo=UTC),
    datetime(2026, 3, 2, tzinfo=UTC),
]


def office(zone: str = "Europe/London", *, holidays: frozenset[date] = frozenset()) -> Calendar:
    """Nine to five from Monday to Friday."""
    day = ((9 * 60, 17 * 60),)
    return Calendar(zone, (day, day, day, day, day, (), ()), holidays)


@st.composite
def day_spans(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """None, one or two spans of a day."""
    bounds = draw(st.lists(st.integers(0, 24 * 4), max_size=4, unique=True).map(sorted))
    if len(bounds) % 2:
        bounds = bounds[1:]
    pairs = zip(bounds[::2], bounds[1::2], strict=True)
    return tuple((opens * 15, closes * 15) for opens, closes in pairs)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Any calendar with hours on one day at least."""
    week = draw(st.tuples(*[day_spans()] * 7).filter(any))
    days = st.sampled_from(TURNS).map(lambda moment: moment.date())
    holidays = draw(st.frozensets(days, max_size=2))
    return (
        Calendar(draw(st.sampled_from(ZONES)), week, holidays)
        if draw(st.booleans())
        else (draw(st.sampled_from([ALWAYS, office(), office("America/New_York")])))
    )


@st.composite
def minutes_near_a_turn(draw: st.DrawFn, days: int = 3) -> datetime:
    """A whole minute within some days of a turn."""
    turn = draw(st.sampled_from(TURNS))
    return turn + draw(st.integers(-days * 1440, days * 1440)) * MINUTE


@st.composite
def stops_after(draw: st.DrawFn, start: datetime) -> Stop:
    """A stop, which may last."""
    since = start + draw(st.integers(-60, 4000)) * MINUTE
    length = draw(st.one_of(st.none(), st.integers(0, 3000)))
    until = None if length is None else since + length * MINUTE
    return Stop(since, until, draw(st.sampled_from(list(StopReason))))


@st.composite
def clocks(draw: st.DrawFn) -> Clock:
    """A clock with some stops, which may overlap."""
    start = draw(minutes_near_a_turn())
    return Clock(
        calendar=draw(calendars()),
        target=draw(st.integers(1, 3000)) * MINUTE,
        started_at=start,
        stops=tuple(draw(st.lists(stops_after(start), max_size=3))),
    )


def is_open(calendar: Calendar, moment: datetime) -> bool:
    """Whether the wall's clock shows a time of business: the definition, and nothing else."""
    wall = moment.astimezone(ZoneInfo(calendar.zone))
    minute = wall.hour * 60 + wall.minute
    return wall.date() not in calendar.holidays and any(
        opens <= minute < closes for opens, closes in calendar.week[wall.weekday()]
    )


def counted(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Business time between two whole minutes, minute by minute."""
    minutes = range(int((end - start) / MINUTE))
    return sum((MINUTE for n in minutes if is_open(calendar, start + n * MINUTE)), timedelta())
