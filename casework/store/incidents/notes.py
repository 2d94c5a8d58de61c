"""Words about an incident: notes, and the updates that audiences are told. Written once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from casework.canonical import digest
from casework.errors import InputError, NotFound
from casework.incidents.audiences import Audience
from casework.incidents.states import Operation
from casework.ledger.entries import Action, Provenance, timestamp
from casework.macros import render, unfilled
from casework.policy.faults import nearest
from casework.policy.model import Bundle
from casework.store.incidents.lifecycle import entered, next_number, record
from casework.store.incidents.reading import attached, by_key
from casework.store.incidents.updates import send_update
from casework.store.policy import adopt_bundle
from casework.store.tables import Incident, IncidentNote, IncidentUpdate


@dataclass(frozen=True, slots=True)
class Telling:
    """An update to be told: a macro of the bundle, to whom, and the values it wants beside.

    It is sent ``to`` these destinations; without any it is kept, and sending it is for others.
    """

    key: str
    audience: Audience
    macro: str
    values: Mapping[str, str]
    to: tuple[str, ...] = ()


def add_note(
    session: Session,
    incident: str,
    text: str,
    *,
    key: str,
    corrects: int | None = None,
    by: Provenance,
    now: datetime,
) -> IncidentNote:
    """Add a note, once for each key; one that corrects another leaves that as it is.

    Raises:
        NotFound: there is no such incident, or no note of the number that this one corrects.
        Denied: this person may not.
        InputError: it says nothing.
    """
    entered(session, incident, Operation.NOTE, by)
    if known := by_key(session, IncidentNote, incident, key):
        return known
    if not text.strip():
        raise InputError("a note says something")
    if corrects is not None and session.get(IncidentNote, (incident, corrects)) is None:
        raise NotFound(f"there is no note {corrects} in {incident}")
    note = IncidentNote(
        incident_id=incident,
        number=next_number(session, IncidentNote, incident),
        key=key,
        text=text.strip(),
        corrects=corrects,
        author=by.actor,
        noted_at=now,
    )
    session.add(note)
    session.flush()
    data = {"note": note.number, "corrects": corrects, "text_digest": digest(note.text)}
    record(session, incident, Action.INCIDENT_NOTED, data, by, now)
    return note


def tell_update(
    session: Session, incident: str, telling: Telling, bundle: Bundle, by: Provenance, now: datetime
) -> IncidentUpdate:
    """Make an update of a macro, keep it as it was told, once for each key, and have it sent.

    The same key with other destinations sends the text that was kept to those as well.

    A macro may name ``incident``, ``title``, ``severity``, ``status``, ``cases``, ``opened_at``
    and ``now``; other values are given.

    Raises:
        NotFound: there is no such incident.
        Denied: this person may not.
        Conflict: the incident is closed.
        InputError: there is no such macro, it wants a value that nobody gave, or a destination
            may not be sent it.
    """
    found = entered(session, incident, Operation.UPDATE, by)
    update = by_key(session, IncidentUpdate, incident, telling.key)
    if update is None:
        update = _told_now(session, found, telling, bundle, by, now)
    send_update(session, update, telling.to, bundle, by, now)
    return update


def _told_now(
    session: Session,
    found: Incident,
    telling: Telling,
    bundle: Bundle,
    by: Provenance,
    now: datetime,
) -> IncidentUpdate:
    if telling.macro not in bundle.macros:
        hint = nearest(telling.macro, bundle.macros, "macro")
        raise InputError(f"the policy has no macro {telling.macro}", hint=hint)
    values = {**_known_values(session, found, now), **telling.values}
    macro = bundle.macros[telling.macro]
    if missing := unfilled(macro, values):
        raise InputError(
            f"the macro wants: {', '.join(missing)}", hint=f"give --set {missing[0]}=..."
        )
    text = render(telling.macro, macro, values)
    update = IncidentUpdate(
        incident_id=found.id,
        number=next_number(session, IncidentUpdate, found.id),
        key=telling.key,
        audience=telling.audience,
        macro=telling.macro,
        policy_digest=bundle.digest,
        text=text,
        digest=digest(text),
        told_by=by.actor,
        told_at=now,
    )
    adopt_bundle(session, bundle, by, now)
    session.add(update)
    session.flush()
    record(session, found.id, Action.INCIDENT_UPDATED, _told(update), by, now)
    return update


def _told(update: IncidentUpdate) -> dict[str, Any]:
    return {
        "update": update.number,
        "audience": str(update.audience),
        "macro": update.macro,
        "policy": update.policy_digest,
        "text_digest": update.digest,
    }


def _known_values(session: Session, incident: Incident, now: datetime) -> dict[str, str]:
    return {
        "incident": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status,
        "cases": str(len(attached(session, incident.id))),
        "opened_at": timestamp(incident.opened_at)[:16].replace("T", " ") + " UTC",
        "now": timestamp(now)[:16].replace("T", " ") + " UTC",
    }
