"""How long an incident took, from the moment somebody could have known of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from casework.incidents.roles import IncidentRole, Tenure
from casework.incidents.states import IncidentStatus


@dataclass(frozen=True, slots=True)
class Move:
    """A change of an incident's status."""

    at: datetime
    after: IncidentStatus


@dataclass(frozen=True, slots=True)
class Span:
    """From detection to one moment; None where it has not come, or no longer holds."""

    name: str
    lasted: timedelta | None


def detection(given: datetime | None, received: Sequence[datetime], opened: datetime) -> datetime:
    """When it could have been known: as told, else the first case's arrival, else the opening."""
    return given or min([*received, opened])


def durations(
    detected: datetime, opened: datetime, tenures: Sequence[Tenure], moves: Sequence[Move]
) -> list[Span]:
    """The spans from detection that post-incident reviews compare.

    An incident that broke out again counts as contained from the last time it was.
    """
    commanded = [each.assumed_at for each in tenures if each.role is IncidentRole.COMMANDER]
    moments = {
        "opened": opened,
        "commander": min(commanded, default=None),
        "contained": _since(moves, IncidentStatus.CONTAINED),
        "resolved": _since(moves, IncidentStatus.RESOLVED),
        "closed": _since(moves, IncidentStatus.CLOSED),
    }
    return [
        Span(name, None if at is None else max(at - detected, timedelta(0)))
        for name, at in moments.items()
    ]


def _since(moves: Sequence[Move], status: IncidentStatus) -> datetime | None:
    """Since when an incident has been at least this far; it may have leapt over a status."""
    order = list(IncidentStatus)
    since = None
    for move in moves:
        if order.index(move.after) < order.index(status):
            since = None
        elif since is None:
            since = move.at
    return since


def spoken(lasted: timedelta | None) -> str:
    """A span in words: ``2 d 3 h``, ``1 h 05 min``, ``40 s``; a dash for none."""
    if lasted is None:
        return "-"
    seconds = int(lasted.total_seconds())
    days, hours, minutes = seconds // 86_400, seconds % 86_400 // 3600, seconds % 3600 // 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
