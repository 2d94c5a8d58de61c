"""Vendors and teams in the store: declared first, so that nobody works for a misspelt one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from casework.errors import Conflict, InputError, NotFound
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance, timestamp
from casework.policy.faults import nearest
from casework.store.ledger import append
from casework.store.tables import Person, Team, Vendor
from casework.vendors import EVERY_QUEUE


def add_vendor(
    session: Session,
    vendor: str,
    *,
    title: str = "",
    access_until: datetime | None = None,
    queues: Iterable[str] = (EVERY_QUEUE,),
    by: Provenance,
    now: datetime,
) -> Vendor:
    """Declare a vendor; with ``access_until`` all its people's access ends then.

    Beyond its ``queues`` its people see nothing.

    Raises:
        Conflict: there is one of this id.
        InputError: the id is empty, or no queue is named.
    """
    if not vendor.strip():
        raise InputError("a vendor needs an id")
    if session.get(Vendor, vendor):
        raise Conflict(f"there is a vendor {vendor} already", hint="casework vendors list")
    found = Vendor(
        id=vendor,
        title=title or vendor,
        added_at=now,
        access_until=access_until,
        queues=_limit(queues),
    )
    session.add(found)
    _record(session, Action.VENDOR_ADDED, _told(found), by, now)
    return found


def change_vendor(
    session: Session,
    vendor: str,
    *,
    title: str | None = None,
    access_until: datetime | None,
    by: Provenance,
    now: datetime,
) -> Vendor:
    """Change a vendor's title, where one is given, and the end of its people's access.

    Whose access had ended with the vendor's has it again where it is extended.

    Raises:
        NotFound: there is no such vendor.
    """
    found = vendor_by_id(session, vendor)
    found.title = title or found.title
    found.access_until = access_until
    session.add(found)
    for person in session.scalars(select(Person).where(col(Person.vendor) == vendor)):
        if access_until is None or access_until > now:
            person.access_ended_at = None
            session.add(person)
    _record(session, Action.VENDOR_CHANGED, _told(found), by, now)
    return found


def give_queues(
    session: Session, vendor: str, queues: Iterable[str], by: Provenance, now: datetime
) -> Vendor:
    """Set the queues beyond which a vendor's people see nothing; ``*`` takes the limit away.

    Raises:
        InputError: no queue is named.
        NotFound: there is no such vendor.
    """
    found = vendor_by_id(session, vendor)
    found.queues = _limit(queues)
    session.add(found)
    _record(session, Action.VENDOR_CHANGED, _told(found), by, now)
    return found


def add_team(
    session: Session,
    team: str,
    *,
    site: str,
    title: str = "",
    vendor: str | None = None,
    by: Provenance,
    now: datetime,
) -> Team:
    """Declare a team at a site, a vendor's or our own.

    Raises:
        Conflict: there is one of this id.
        InputError: id or site is empty.
        NotFound: there is no such vendor.
    """
    if not team.strip() or not site.strip():
        raise InputError("a team needs an id and a site", hint="casework vendors team ID --site S")
    if session.get(Team, team):
        raise Conflict(f"there is a team {team} already", hint="casework vendors show VENDOR")
    if vendor is not None:
        vendor_by_id(session, vendor)
    found = Team(id=team, title=title or team, vendor=vendor, site=site, added_at=now)
    session.add(found)
    data = {"team": team, "vendor": vendor, "site": site}
    _record(session, Action.TEAM_ADDED, data, by, now)
    return found


def vendor_by_id(session: Session, vendor: str) -> Vendor:
    """One vendor.

    Raises:
        NotFound: there is no such vendor.
    """
    found = session.get(Vendor, vendor)
    if found is None:
        known = nearest(vendor, [each.id for each in vendors(session)], "vendor")
        raise NotFound(
            f"there is no vendor {vendor}", hint=known or f"casework vendors add {vendor}"
        )
    return found


def team_by_id(session: Session, team: str) -> Team:
    """One team.

    Raises:
        NotFound: there is no such team.
    """
    found = session.get(Team, team)
    if found is None:
        raise NotFound(f"there is no team {team}", hint=f"casework vendors team {team} --site S")
    return found


def vendors(session: Session) -> list[Vendor]:
    """Every vendor, by id."""
    return list(session.scalars(select(Vendor).order_by(col(Vendor.id))))


def teams_of(session: Session, vendor: str) -> list[Team]:
    """The teams of a vendor, by id."""
    statement = select(Team).where(col(Team.vendor) == vendor)
    return list(session.scalars(statement.order_by(col(Team.id))))


def _told(vendor: Vendor) -> dict[str, Any]:
    until = vendor.access_until
    return {
        "vendor": vendor.id,
        "access_until": until and timestamp(until),
        "queues": vendor.queues,
    }


def _limit(queues: Iterable[str]) -> list[str] | None:
    """Queues as a vendor's row keeps them; every queue is no limit."""
    named = sorted(set(queues))
    if not named:
        raise InputError("a vendor is given a queue, or all", hint="--queue ID, or --queue '*'")
    return None if EVERY_QUEUE in named else named


def _record(
    session: Session, action: Action, data: dict[str, Any], by: Provenance, now: datetime
) -> None:
    append(session, [Draft(SYSTEM, action, data)], by, now)
