"""Work around an incident: what partner teams owe it, and what follows from it."""

from datetime import datetime
from typing import TypeVar

from sqlmodel import Session

from casework.canonical import digest
from casework.errors import Conflict, InputError, NotFound
from casework.incidents.states import Operation
from casework.ledger.entries import Action, Provenance, timestamp
from casework.policy.schema import PARTNERS
from casework.store.incidents.lifecycle import entered, next_number, record
from casework.store.incidents.reading import by_key
from casework.store.tables import IncidentFollowUp, IncidentTask, Person

T = TypeVar("T")


def ask_partner(
    session: Session,
    incident: str,
    partner: str,
    what: str,
    due: datetime,
    by: Provenance,
    now: datetime,
) -> IncidentTask:
    """Ask a partner team for something by a time; the same thing by the same time is asked once.

    Raises:
        NotFound: there is no such incident.
        Denied: this person may not.
        Conflict: the incident is closed.
        InputError: there is no such partner, or nothing is asked for.
    """
    entered(session, incident, Operation.ASK, by)
    if partner not in PARTNERS:
        raise InputError(
            f"there is no partner team {partner}", hint=f"one of {', '.join(PARTNERS)}"
        )
    what = _said(what)
    key = digest([partner, what, timestamp(due)])
    if known := by_key(session, IncidentTask, incident, key):
        return known
    number = next_number(session, IncidentTask, incident)
    task = IncidentTask(
        incident_id=incident,
        number=number,
        key=key,
        partner=partner,
        what=what,
        due=due,
        asked_by=by.actor,
        asked_at=now,
    )
    session.add(task)
    session.flush()
    data = {"task": number, "partner": partner, "due": timestamp(due)}
    data["what_digest"] = digest(what)
    record(session, incident, Action.INCIDENT_TASK_ASKED, data, by, now)
    return task


def settle_task(
    session: Session,
    incident: str,
    number: int,
    *,
    done: bool,
    by: Provenance,
    now: datetime,
) -> IncidentTask:
    """Say that what a partner owed came, or that it is not needed; saying it again is no matter.

    Raises:
        NotFound: there is no such incident, or no such task in it.
        Denied: this person may not.
        Conflict: it was settled the other way, or the incident is closed.
    """
    entered(session, incident, Operation.SETTLE, by)
    task = _row(session, IncidentTask, incident, number, "task")
    if task.done_at or task.cancelled_at:
        if bool(task.done_at) is done:
            return task
        was = "done" if task.done_at else "cancelled"
        raise Conflict(f"task {number} is {was} already", hint="ask for it again")
    if done:
        task.done_at = now
    else:
        task.cancelled_at = now
    task.settled_by = by.actor
    session.add(task)
    action = Action.INCIDENT_TASK_DONE if done else Action.INCIDENT_TASK_CANCELLED
    record(session, incident, action, {"task": number, "partner": task.partner}, by, now)
    return task


def add_follow_up(
    session: Session,
    incident: str,
    what: str,
    owner: str,
    due: datetime,
    by: Provenance,
    now: datetime,
) -> IncidentFollowUp:
    """Note what somebody will do afterwards, and by when; the same thing is noted once.

    Raises:
        NotFound: there is no such incident.
        Denied: this person may not.
        InputError: it says nothing, or its owner is neither a person nor a partner team.
    """
    entered(session, incident, Operation.FOLLOW_UP, by)
    what = _said(what)
    if owner not in PARTNERS and session.get(Person, owner) is None:
        raise InputError(
            f"nobody is known as {owner}", hint=f"a person's id, or one of {', '.join(PARTNERS)}"
        )
    key = digest([what, owner, timestamp(due)])
    if known := by_key(session, IncidentFollowUp, incident, key):
        return known
    number = next_number(session, IncidentFollowUp, incident)
    follow_up = IncidentFollowUp(
        incident_id=incident,
        number=number,
        key=key,
        what=what,
        owner=owner,
        due=due,
        added_by=by.actor,
        added_at=now,
    )
    session.add(follow_up)
    session.flush()
    data = {"follow_up": number, "owner": owner, "due": timestamp(due)}
    data["what_digest"] = digest(what)
    record(session, incident, Action.INCIDENT_FOLLOW_UP_ADDED, data, by, now)
    return follow_up


def finish_follow_up(
    session: Session, incident: str, number: int, by: Provenance, now: datetime
) -> IncidentFollowUp:
    """Say that a follow-up was done; saying it again is no matter.

    Raises:
        NotFound: there is no such incident, or no such follow-up of it.
        Denied: this person may not.
    """
    entered(session, incident, Operation.FOLLOW_UP, by)
    follow_up = _row(session, IncidentFollowUp, incident, number, "follow-up")
    if follow_up.done_at:
        return follow_up
    follow_up.done_at = now
    follow_up.done_by = by.actor
    session.add(follow_up)
    data = {"follow_up": number, "owner": follow_up.owner}
    record(session, incident, Action.INCIDENT_FOLLOW_UP_DONE, data, by, now)
    return follow_up


def _said(text: str) -> str:
    if not text.strip():
        raise InputError("say what is to be done")
    return text.strip()


def _row(session: Session, table: type[T], incident: str, number: int, noun: str) -> T:
    found = session.get(table, (incident, number))
    if found is None:
        raise NotFound(
            f"there is no {noun} {number} in {incident}", hint=f"casework incident show {incident}"
        )
    return found
