"""Where people have worked, and since when: what they decided then is counted there."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from casework.canonical import digest
from casework.ledger.entries import timestamp
from casework.store.tables import Person, Placement


@dataclass(frozen=True, slots=True)
class Placements:
    """For each person the days on which they began somewhere, in order, and for whom."""

    of_person: dict[str, tuple[list[datetime], list[str | None]]]

    def vendor(self, person: str, at: datetime) -> str | None:
        """Whom somebody worked for at a moment; before their first day, as on it."""
        began, vendors = self.of_person.get(person, ([], []))
        return vendors[max(0, bisect_right(began, at) - 1)] if vendors else None


def keep_placement(session: Session, person: Person, since: datetime, now: datetime) -> None:
    """Keep where somebody works from a day on; what was said of later days holds no more."""
    later = col(Placement.person) == person.id, col(Placement.since) >= since
    session.execute(delete(Placement).where(*later))
    session.add(
        Placement(
            id=digest([person.id, timestamp(since)])[:32],
            person=person.id,
            vendor=person.vendor,
            team=person.team,
            since=since,
            recorded_at=now,
        )
    )
    session.flush()


def placements(session: Session) -> Placements:
    """Everybody's placements."""
    found: defaultdict[str, tuple[list[datetime], list[str | None]]] = defaultdict(lambda: ([], []))
    columns = (col(Placement.person), col(Placement.since), col(Placement.vendor))
    for person, since, vendor in session.execute(select(*columns).order_by(columns[1])):
        found[person][0].append(since)
        found[person][1].append(vendor)
    return Placements(dict(found))


def beginnings(session: Session) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """The first day of each person, and the first of each vendor's people there."""
    first = func.min(col(Placement.since))
    of_people = select(col(Placement.person), first).group_by(col(Placement.person))
    of_vendors = (
        select(col(Placement.vendor), first)
        .where(col(Placement.vendor).is_not(None))
        .group_by(col(Placement.vendor))
    )
    return (
        {str(person): since for person, since in session.execute(of_people)},
        {str(vendor): since for vendor, since in session.execute(of_vendors)},
    )
