"""Holds in the store: placing and lifting them, and what they do to a batch of decisions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlmodel import Session, col

from casework.canonical import digest
from casework.errors import InputError, NotFound
from casework.holds import Closing, Holds, Scope
from casework.holds import Hold as Active
from casework.incidents.states import Operation
from casework.ledger.entries import Action, Provenance
from casework.policy.faults import nearest
from casework.policy.model import Bundle
from casework.store.bulk import insert_rows, stored_time
from casework.store.engine import is_sqlite
from casework.store.incidents.lifecycle import entered, next_number, record
from casework.store.lookup import among
from casework.store.outcomes import Decided, Ruling
from casework.store.tables import Case, Hold, IncidentCase

#: A batch of the machine's decisions holds this advisory lock, shared, until its transaction ends
#: (PostgreSQL): whoever gets it exclusively knows that no batch goes by the holds of before.
_MACHINE_LOCK: Final = 0x6361_7365_686F

_HELD: Final = ("case_id", "revision", "hold_id", "action", "held_at")


@dataclass(frozen=True, slots=True)
class Placing:
    """What somebody wants held, and why. ``value`` is empty for the incident's own cases."""

    scope: Scope
    value: str
    reason: str


def place_hold(
    session: Session, incident: str, wanted: Placing, bundle: Bundle, by: Provenance, now: datetime
) -> Hold:
    """Keep the machine from closing cases of a scope; the same scope is held once at a time.

    When this is committed no batch closes such a case any more, one under way included.

    Raises:
        NotFound: there is no such incident.
        Denied: this person may not.
        Conflict: the incident is closed.
        InputError: the policy has no such rule or category, or no reason is given.
    """
    entered(session, incident, Operation.HOLD, by)
    _check(wanted, bundle)
    known = select(Hold).where(
        col(Hold.incident_id) == incident,
        col(Hold.scope) == wanted.scope,
        col(Hold.value) == wanted.value,
        col(Hold.lifted_at).is_(None),
    )
    if active := session.scalar(known):
        return active
    wait_for_the_machine(session)
    number = next_number(session, Hold, incident)
    hold = Hold(
        id=f"{incident}-h{number}",
        incident_id=incident,
        number=number,
        scope=wanted.scope,
        value=wanted.value,
        reason=wanted.reason.strip(),
        placed_by=by.actor,
        placed_at=now,
    )
    session.add(hold)
    session.flush()
    # What a source calls a subject may be an address: the history has its digest.
    value = digest(hold.value) if wanted.scope is Scope.SUBJECT else hold.value
    data = {"hold": hold.id, "scope": str(wanted.scope), "value": value}
    data["reason_digest"] = digest(hold.reason)
    record(session, incident, Action.HOLD_PLACED, data, by, now)
    return hold


def lift_hold(session: Session, incident: str, hold: str, by: Provenance, now: datetime) -> Hold:
    """Let the machine close again; lifting twice is no matter. What was held stays with people.

    Raises:
        NotFound: there is no such incident, or no such hold in it.
        Denied: this person may not.
        Conflict: the incident is closed.
    """
    entered(session, incident, Operation.LIFT, by)
    found = session.get(Hold, hold)
    if found is None or found.incident_id != incident:
        raise NotFound(
            f"there is no hold {hold} in {incident}", hint=f"casework incident show {incident}"
        )
    if found.lifted_at:
        return found
    found.lifted_at = now
    found.lifted_by = by.actor
    session.add(found)
    record(session, incident, Action.HOLD_LIFTED, {"hold": hold}, by, now)
    return found


def holds_in_force(session: Session, bundle: Bundle) -> Holds:
    """The active holds for a batch of decisions, before its cases are locked; one query if none.

    None is placed from here to the end of the transaction.
    """
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _MACHINE_LOCK})
    columns = (col(Hold.id), col(Hold.incident_id), col(Hold.scope), col(Hold.value))
    rows = session.execute(
        select(*columns)
        .where(col(Hold.lifted_at).is_(None))
        .order_by(col(Hold.placed_at), col(Hold.id))
    ).all()
    return Holds(
        (
            Active(hold, incident, Scope(scope), value, _cases(session, incident, scope))
            for hold, incident, scope, value in rows
        ),
        bundle,
    )


def wait_for_the_machine(session: Session) -> None:
    """Let the batches under way end, and later ones wait for the end of this transaction."""
    # On SQLite there is one writer at a time.
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MACHINE_LOCK})


def closings(session: Session, case_ids: Sequence[str]) -> dict[str, Closing]:
    """What holds look at of cases, by id."""
    columns = (col(Case.id), col(Case.source), col(Case.subject_id))
    rows = session.execute(select(*columns).where(among(session, col(Case.id), case_ids)))
    return {case: Closing(case, source, subject) for case, source, subject in rows}


def held_rulings(
    holds: Holds,
    cases: Iterable[tuple[int, Closing]],
    rulings: Sequence[Ruling],
    again: Callable[[int, Mapping[str, Any]], Ruling],
) -> list[Ruling]:
    """The ruling of each case, given by its number, as holds leave it.

    ``again`` makes the ruling of a number anew for another outcome; it is asked once for each.
    """
    made: dict[tuple[int, int], Ruling] = {}
    chosen = []
    for number, closing in cases:
        ruling = rulings[number]
        outcome = holds.outcome(ruling.outcome, closing)
        if outcome is not ruling.outcome:
            key = (number, id(outcome))
            if key not in made:
                made[key] = again(number, outcome)
            ruling = made[key]
        chosen.append(ruling)
    return chosen


def note_held(session: Session, made: Iterable[Decided], now: datetime) -> None:
    """Keep which decisions a hold has changed; their entries in the ledger name it too."""
    at = stored_time(session, now)
    rows = [
        (case, revision, ruling.outcome["hold"], ruling.outcome["kept_from"], at)
        for case, revision, _, _, ruling in made
        if "hold" in ruling.outcome
    ]
    insert_rows(session, "held_cases", _HELD, rows)


def _cases(session: Session, incident: str, scope: str) -> frozenset[str]:
    if scope != Scope.CASES:
        return frozenset()
    statement = select(col(IncidentCase.case_id)).where(
        col(IncidentCase.incident_id) == incident, col(IncidentCase.detached_at).is_(None)
    )
    return frozenset(session.scalars(statement))


def _check(wanted: Placing, bundle: Bundle) -> None:
    scope, value = wanted.scope, wanted.value
    if not wanted.reason.strip():
        raise InputError("a hold has a reason")
    if scope is not Scope.CASES and not value.strip():
        raise InputError(f"which {scope}?")
    known = {Scope.RULE: [rule.id for rule in bundle.rules], Scope.CATEGORY: bundle.categories}
    if scope in known and value not in known[scope]:
        # A name that is mistyped would hold nothing, and nobody would notice.
        hint = nearest(value, known[scope], str(scope))
        raise InputError(f"the policy has no {scope} {value}", hint=hint)
