"""Undoing what was done about a case: at a gate of its own, under the guard of all gates."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from casework.canonical import digest
from casework.cases import Status
from casework.denials import Denial, Refused
from casework.errors import Conflict, NotFound
from casework.gates import (
    Accepted,
    ActorKind,
    Answer,
    GateStatus,
    Person,
    Situation,
    Verdict,
    barred,
    judge,
)
from casework.ledger.entries import Action, Draft, Provenance
from casework.policy.model import Bundle
from casework.reversal import Plan, plan
from casework.store.answers import take_answer
from casework.store.carrying import carry_out
from casework.store.cases import find_case
from casework.store.consequences import standing_at
from casework.store.desk import is_beyond
from casework.store.gates import record
from casework.store.ledger import append
from casework.store.people import answering
from casework.store.policy import stored_bundle
from casework.store.reopening import Reopening, reopen_case
from casework.store.restrictions import is_hidden
from casework.store.tables import Case, Decision, Gate

#: Who asks for a decision that the person who wants it may take alone.
ASKED_BY: Final = "reversal"


@dataclass(frozen=True, slots=True)
class Reversal:
    """An undoing: the gate it was decided at, or where others must decide it."""

    case_id: str
    gate_id: str
    reverses: str
    action: str
    missing: int  # people who must still approve; none: it is done


def reverse(
    session: Session,
    reference: str,
    person: Person,
    reason: str,
    by: Provenance,
    now: datetime,
    wanted: str | None = None,
) -> Reversal | Refused:
    """Undo the newest action that stands about a closed case, or the newest called ``wanted``.

    Where one person may decide the inverse, it is decided and carried out here. Where it needs
    more, a gate is opened for others: who asks may not answer. A refusal is in the history.

    Raises:
        NotFound: there is no such case, or not for this person.
        Conflict: the case is not closed, nothing stands, or no queue allows the inverse.
    """
    case = _held(session, _known(session, reference, person.id))
    bundle = stored_bundle(session, str(case.policy_digest))
    stands = standing_at(session, bundle, case.id)
    planned = plan(bundle, stands, person, case.queue, wanted)
    evidence = _evidence(session, case)
    answer = Answer(
        verdict=Verdict.APPROVE,
        action=planned.action,
        rationale=reason,
        evidence_digest=evidence,
    )
    terms = bundle.terms(planned.queue, planned.action)
    ruling = judge(_situation(planned, evidence, now), person, answer, terms)
    if isinstance(ruling, Refused):
        deny_reversal(session, case.id, ruling.reason, by, now)
        return ruling
    alone = planned.approvals == 1
    reopening = _reopening(case, bundle, planned, evidence, ASKED_BY if alone else by.actor)
    gate = reopen_case(session, case, reopening, now)
    _record(session, gate, planned, reason, by, now)
    if alone:
        taken = take_answer(session, gate.id, person, answer, terms, by, now)
        if not isinstance(taken, Accepted):
            raise Conflict(taken.message, reason=str(taken.reason))
        carry_out(session, gate.id, by, now)
    missing = 0 if alone else planned.approvals
    return Reversal(case.id, gate.id, planned.undoes.action, planned.action, missing)


def plan_for(
    session: Session, bundle: Bundle, case: Case, person_id: str, now: datetime
) -> Plan | None:
    """How somebody would undo what was done last; None where nothing stands or they may not."""
    if case.status != Status.CLOSED:
        return None
    person = answering(session, person_id, ActorKind.PERSON)
    if person is None:
        return None
    try:
        planned = plan(bundle, standing_at(session, bundle, case.id), person, case.queue)
    except Conflict:
        return None
    terms = bundle.terms(planned.queue, planned.action)
    there = _situation(planned, _evidence(session, case), now)
    return planned if barred(there, person, terms) is None else None


def deny_reversal(
    session: Session, reference: str, reason: Denial, by: Provenance, now: datetime
) -> None:
    """Write into the history that somebody may not undo what was done about a case.

    Raises:
        NotFound: there is no such case.
    """
    case = find_case(session, reference)
    data = {"reason": str(reason)}
    append(session, [Draft(case.id, Action.REVERSAL_DENIED, data, case.revision)], by, now)


def _known(session: Session, reference: str, person: str) -> str:
    """The id of a case that is there for somebody.

    Raises:
        NotFound: there is none, or they may not know of it, or it is beyond their vendor's queues.
    """
    found = find_case(session, reference).id
    if is_hidden(session, found, person) or is_beyond(session, found, person):
        raise NotFound(f"there is no case {reference}", hint="casework cases list")
    return found


def _held(session: Session, case_id: str) -> Case:
    """A case that is done with, held until the transaction ends."""
    case = session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    if case.status != Status.CLOSED:
        raise Conflict(
            f"case {case.id} is {case.status}: what is to be done is decided at its gate",
            hint="casework approvals list",
        )
    return case


def _situation(planned: Plan, evidence: str, now: datetime) -> Situation:
    """The gate as it would be opened."""
    return Situation(
        GateStatus.OPEN, planned.queue, ASKED_BY, evidence, current=True, given=[], now=now
    )


def _evidence(session: Session, case: Case) -> str:
    """What was seen when the case was decided last."""
    statement = (
        select(col(Decision.evidence_digest))
        .where(col(Decision.case_id) == case.id, col(Decision.revision) == case.revision)
        .order_by(col(Decision.decided_at).desc())
        .limit(1)
    )
    return session.scalars(statement).one()


def _reopening(
    case: Case, bundle: Bundle, planned: Plan, evidence: str, asked_by: str
) -> Reopening:
    return Reopening(
        queue=planned.queue,
        severity=case.severity or bundle.default.severity,
        proposed_action=planned.action,
        reason=f"to undo {planned.undoes.action}",
        requested_by=asked_by,
        evidence_digest=evidence,
        policy_digest=bundle.digest,
    )


def _record(
    session: Session, gate: Gate, planned: Plan, reason: str, by: Provenance, now: datetime
) -> None:
    data = {
        "action": planned.action,
        "reverses": planned.undoes.action,
        "undoes": planned.undoes.origin,
        "reason_digest": digest(reason.strip()),
    }
    record(session, gate, Action.REVERSAL_ASKED, data, by, now)
    opened = {"queue": gate.queue, "requested_by": gate.requested_by, "step": gate.step}
    record(session, gate, Action.GATE_OPENED, opened, by, now)
