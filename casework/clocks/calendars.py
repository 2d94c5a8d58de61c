"""Business calendars: how much of a time counts, and when an amount of it is used up.

A calendar is open when the clock on its own wall says so. On the day a zone loses an hour there is
an hour less of business, on the day it gains one there is an hour more, where they fall into the
hours of work.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

#: Minutes of the wall's day at which business begins and ends; 1440 is midnight at its end.
Span: TypeAlias = tuple[int, int]

DAY_MINUTES: Final = 1440

#: How far apart the offsets of a zone are looked at; no zone changes twice within it.
_STRIDE: Final = timedelta(hours=12)
_SECOND: Final = timedelta(seconds=1)
_ZERO: Final = timedelta()


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people work. ``week`` has the spans of Monday to Sunday, sorted and apart.

    Raises:
        ValueError: no day has any hours: a target would never be due.
    """

    zone: str  # IANA name
    week: tuple[tuple[Span, ...], ...]
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        """Refuse a calendar that is never open."""
        if not any(self.week):
            raise ValueError("a calendar needs hours on one day at least")


#: Every minute of every day.
ALWAYS: Final = Calendar("UTC", (((0, DAY_MINUTES),),) * 7)


def business_time(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """How much business time lies between two instants; none where ``end`` is not the later."""
    if end <= start:
        return _ZERO
    if calendar == ALWAYS:
        return end - start
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start.year == end.year:
        return _used(calendar, end) - _used(calendar, start)
    whole = sum((_year(calendar, year).total for year in range(start.year + 1, end.year)), _ZERO)
    rest = _year(calendar, start.year).total - _used(calendar, start)
    return rest + whole + _used(calendar, end)


def instant_after(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """The earliest instant by which ``amount`` of business time has passed since ``start``.

    An amount used up at the end of a day is used up then, and not when the next day begins.
    """
    start = start.astimezone(UTC)
    if amount <= _ZERO:
        return start
    if calendar == ALWAYS:
        return start + amount
    wanted = _used(calendar, start) + amount
    year = start.year
    while wanted > (spans := _year(calendar, year)).total:
        wanted -= spans.total
        year += 1
    index = bisect_left(spans.before, wanted) - 1
    return spans.opens[index] + (wanted - spans.before[index])


class _Year(NamedTuple):
    """The open spans of one UTC year, and how much business time lies before each of them."""

    opens: list[datetime]
    closes: list[datetime]
    before: list[timedelta]
    total: timedelta


def _used(calendar: Calendar, moment: datetime) -> timedelta:
    """Business time between the beginning of the moment's UTC year and the moment."""
    spans = _year(calendar, moment.year)
    index = bisect_right(spans.opens, moment) - 1
    if index < 0:
        return _ZERO
    return spans.before[index] + min(moment, spans.closes[index]) - spans.opens[index]


@lru_cache(maxsize=256)
def _year(calendar: Calendar, year: int) -> _Year:
    opens: list[datetime] = []
    closes: list[datetime] = []
    before: list[timedelta] = []
    total = _ZERO
    for opened, closed in _open_spans(calendar, year):
        opens.append(opened)
        closes.append(closed)
        before.append(total)
        total += closed - opened
    return _Year(opens, closes, before, total)


def _open_spans(calendar: Calendar, year: int) -> Iterator[tuple[datetime, datetime]]:
    """Every open span of a UTC year, in order, one for each stretch of unchanged offset."""
    for start, end, offset in _offsets(calendar.zone, year):
        wall_start, wall_end = _wall(start, offset), _wall(end, offset)
        for day in _days(wall_start.date(), wall_end.date()):
            if day in calendar.holidays:
                continue
            midnight = datetime(day.year, day.month, day.day)
            for opens, closes in calendar.week[day.weekday()]:
                opened = max(midnight + timedelta(minutes=opens), wall_start)
                closed = min(midnight + timedelta(minutes=closes), wall_end)
                if opened < closed:
                    yield _instant(opened, offset), _instant(closed, offset)


@lru_cache(maxsize=256)
def _offsets(zone: str, year: int) -> list[tuple[datetime, datetime, timedelta]]:
    """A UTC year in stretches within which the zone keeps one offset from UTC."""
    place, end = ZoneInfo(zone), datetime(year + 1, 1, 1, tzinfo=UTC)
    began = here = datetime(year, 1, 1, tzinfo=UTC)
    stretches = []
    while here < end:
        ahead = min(here + _STRIDE, end)
        before, after = _offset(place, here), _offset(place, ahead)
        if before != after:
            change = _change(place, here, ahead)
            stretches.append((began, change, before))
            began = change
        here = ahead
    if began < end:
        stretches.append((began, end, _offset(place, began)))
    return stretches


def _change(place: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first second at which the offset is no longer that of ``low``."""
    before = _offset(place, low)
    while high - low > _SECOND:
        middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
        if _offset(place, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(place: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(place).utcoffset() or _ZERO


def _wall(moment: datetime, offset: timedelta) -> datetime:
    return moment.replace(tzinfo=None) + offset


def _instant(wall: datetime, offset: timedelta) -> datetime:
    return (wall - offset).replace(tzinfo=UTC)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
