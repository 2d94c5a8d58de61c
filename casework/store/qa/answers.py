"""Taking answers at gates of quality assurance: the guard rules, and what it ruled is kept."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlmodel import Session

from casework.canonical import digest
from casework.denials import Denial, Refused
from casework.gates import Accepted, Answer, GateStatus, Person, Situation, Terms, judge
from casework.ledger.entries import Action, Provenance
from casework.qa.reviews import (
    Adjudication,
    GateKind,
    ItemStatus,
    Outcome,
    RoundKind,
    likely_error,
    misfit,
    outcome_of,
    standing_after,
)
from casework.store.indexes import NO_ACTION
from casework.store.qa.gates import barred_from, held_qa_gate, record_qa, reviews_of
from casework.store.qa.reopening import reopen
from casework.store.qa.rounds import new_gate
from casework.store.tables import QaGate, QaItem, QaRound

#: Approving one of these comes to the same as refusing.
NOTHING = frozenset({NO_ACTION})


def take_qa_answer(
    session: Session,
    gate: str,
    person: Person,
    answer: Answer,
    terms: Terms,
    classes: Collection[str],
    by: Provenance,
    now: datetime,
) -> Accepted | Refused:
    """Let the guard rule on an answer and keep what it ruled, a refusal too.

    Raises:
        NotFound: there is no such gate.
    """
    item, found = held_qa_gate(session, gate)
    ruling = judge(situation_at(session, item, found, now), person, answer, terms)
    if isinstance(ruling, Accepted) and (reason := _contradiction(item, found, answer, classes)):
        ruling = Refused(Denial.MALFORMED, reason)
    if isinstance(ruling, Refused):
        deny_qa(session, item, gate, ruling.reason, by, now)
        return ruling
    _keep(session, item, found, answer, by, now)
    if found.kind == GateKind.REVIEW:
        _after_review(session, item, by, now)
    elif isinstance(answer, Adjudication):
        _settle(session, item, _outcome(answer), answer.error, by, now)
    return ruling


def situation_at(session: Session, item: QaItem, gate: QaGate, now: datetime) -> Situation:
    """A gate of quality assurance as the guard sees it."""
    return Situation(
        status=GateStatus.OPEN if gate.status == "open" else GateStatus.DECIDED,
        queue=gate.queue,
        requested_by="",
        evidence_digest=item.evidence_digest,
        current=True,  # it is about the revision decided then, whatever came later
        given=(),
        barred=barred_from(session, item),
        reserved_for=gate.reserved_for,
        now=now,
    )


def deny_qa(
    session: Session, item: QaItem, gate: str, reason: Denial, by: Provenance, now: datetime
) -> None:
    """Write a refused attempt into the history."""
    record_qa(session, item, Action.QA_DENIED, {"gate": gate, "reason": str(reason)}, by, now)


def decisions_about(session: Session, item: QaItem) -> list[dict[str, Any]]:
    """What was decided first and by each reviewer, without names: for an adjudicator alone."""
    first = first_of(item)
    rows: list[dict[str, Any]] = [{"by": "first", "outcome": first.label, "reasons": ""}]
    for number, review in enumerate(reviews_of(session, item.id), start=1):
        given = given_at(review)
        rows.append(
            {
                "by": f"reviewer {number}",
                "outcome": given.label,
                "clause": review.clause,
                "reasons": review.rationale,
                "would_be": likely_error(first, given),
            }
        )
    return rows


def first_of(item: QaItem) -> Outcome:
    """What the first decision, or the known answer, came to."""
    return outcome_of(item.verdict, item.action, item.escalate_to, NOTHING)


def given_at(gate: QaGate) -> Outcome:
    """What the answer at a gate came to."""
    return outcome_of(str(gate.verdict), gate.action, gate.escalate_to, NOTHING)


def _outcome(answer: Answer) -> Outcome:
    return outcome_of(answer.verdict, answer.action, answer.escalate_to, NOTHING)


def _contradiction(item: QaItem, gate: QaGate, answer: Answer, classes: Collection[str]) -> str:
    if gate.kind == GateKind.REVIEW:
        return ""
    if not isinstance(answer, Adjudication):
        return "an adjudication names the class of error, or none"
    return misfit(first_of(item), _outcome(answer), answer.error, classes)


def _keep(
    session: Session, item: QaItem, gate: QaGate, answer: Answer, by: Provenance, now: datetime
) -> None:
    gate.status = "answered"
    gate.answered_by, gate.answered_at = by.actor, now
    gate.verdict, gate.action = answer.verdict, answer.action
    gate.escalate_to, gate.clause = answer.escalate_to, answer.clause
    gate.error = getattr(answer, "error", None)
    gate.rationale = answer.rationale
    session.add(gate)
    session.flush()
    data = {
        "gate": gate.id,
        "kind": gate.kind,
        "verdict": str(answer.verdict),
        "action": answer.action,
        "escalate_to": answer.escalate_to,
        "clause": answer.clause,
        "error": gate.error,
        "rationale_digest": digest(answer.rationale),
    }
    record_qa(session, item, Action.QA_ANSWERED, data, by, now)


def _after_review(session: Session, item: QaItem, by: Provenance, now: datetime) -> None:
    """Settle an item that all its reviewers have answered, or put it before an adjudicator.

    Known answers, and what a calibrated team says, are not disputed: it is them who are measured.
    """
    reviews = reviews_of(session, item.id)
    if any(review.status == "open" for review in reviews):
        return
    first, given = first_of(item), [given_at(review) for review in reviews]
    sampled = session.get_one(QaRound, item.round_id).kind == RoundKind.SAMPLE
    measured = item.golden or not sampled
    if measured or standing_after(first, given) is ItemStatus.SETTLED:
        _settle(session, item, first, None, by, now)
        return
    item.status = ItemStatus.DISPUTED
    gate = new_gate(item, GateKind.ADJUDICATION, 0, now)
    session.add_all([item, gate])
    record_qa(session, item, Action.QA_DISPUTED, {"gate": gate.id}, by, now)


def _settle(
    session: Session,
    item: QaItem,
    final: Outcome,
    error: str | None,
    by: Provenance,
    now: datetime,
) -> None:
    item.status, item.error, item.settled_at = ItemStatus.SETTLED, error, now
    item.final_action, item.final_escalate_to = final
    session.add(item)
    data = {"error": error, "action": final.action, "escalate_to": final.escalate_to}
    record_qa(session, item, Action.QA_SETTLED, data, by, now)
    if final != first_of(item):
        reopen(session, item, first_of(item), final, by, now)
