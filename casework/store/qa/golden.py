"""Golden items: decisions whose right answer is known, mixed in among others unmarked."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import Session, col

from casework.canonical import digest
from casework.errors import Conflict, InputError, NotFound
from casework.gates import Answer, Verdict, unknown_clause
from casework.ledger.entries import Action, Draft, Provenance
from casework.policy.model import Bundle
from casework.qa.reviews import RoundKind
from casework.store.cases import find_case
from casework.store.ledger import append
from casework.store.qa.answers import first_of, given_at
from casework.store.qa.gates import qa_gate_by_id
from casework.store.tables import Decision, Gate, QaGolden, QaItem, QaRound


def add_golden(
    session: Session, reference: str, bundle: Bundle, answer: Answer, by: Provenance, now: datetime
) -> QaGolden:
    """Keep the right answer for a case's newest revision, of what its evidence was then.

    Raises:
        Conflict: this revision is a golden item already.
        InputError: nobody has decided it yet, its queue does not allow the answer, or the policy
            does not have the clause.
        NotFound: there is no such case.
    """
    case = find_case(session, reference)
    decision, queue = _decided(session, case.id, case.revision, bundle)
    terms = bundle.terms(queue, answer.action)
    allowed = terms.escalations if answer.verdict is Verdict.ESCALATE else terms.actions
    chosen = answer.escalate_to if answer.verdict is Verdict.ESCALATE else answer.action
    if answer.verdict is not Verdict.REFUSE and chosen not in allowed:
        raise InputError(
            f"queue {queue} does not allow {chosen}",
            hint=f"it allows: {', '.join(sorted(allowed))}",
        )
    if answer.clause is not None and answer.clause not in terms.clauses:
        raise InputError(unknown_clause(answer.clause, terms.clauses))
    name = "k" + digest([case.id, case.revision])[:31]
    if session.get(QaGolden, name):
        raise Conflict(f"{case.id} is a golden item already", hint="casework qa golden list")
    golden = QaGolden(
        id=name,
        case_id=case.id,
        revision=case.revision,
        queue=queue,
        evidence_digest=decision.evidence_digest,
        policy_digest=decision.policy_digest,
        verdict=answer.verdict,
        action=answer.action,
        escalate_to=answer.escalate_to,
        clause=answer.clause,
        rationale=answer.rationale,
        added_by=by.actor,
        added_at=now,
    )
    session.add(golden)
    _record(session, Action.QA_GOLDEN_ADDED, golden, by, now)
    return golden


def retire_golden(session: Session, golden: str, by: Provenance, now: datetime) -> QaGolden:
    """Mix an item in no more; rounds that have it keep it.

    Raises:
        NotFound: there is no such golden item.
    """
    found = session.get(QaGolden, golden, with_for_update=True)
    if found is None:
        raise NotFound(f"there is no golden item {golden}", hint="casework qa golden list")
    if found.retired_at is None:
        found.retired_at = now
        session.add(found)
        _record(session, Action.QA_GOLDEN_RETIRED, found, by, now)
    return found


def active_golden(session: Session, queues: Collection[str] = ()) -> list[QaGolden]:
    """The golden items of some queues, or of all, that are still mixed in."""
    statement = select(QaGolden).where(col(QaGolden.retired_at).is_(None))
    if queues:
        statement = statement.where(col(QaGolden.queue).in_(sorted(queues)))
    return list(session.scalars(statement.order_by(col(QaGolden.id))))


def feedback(session: Session, gate: str) -> dict[str, Any] | None:
    """Whether an answer in training was the known one, and why that is right; else None.

    Raises:
        NotFound: there is no such gate.
    """
    found = qa_gate_by_id(session, gate)
    training = session.get_one(QaRound, found.round_id).kind == RoundKind.TRAINING
    if not training or found.status == "open":
        return None
    item = session.get_one(QaItem, found.item_id)
    known = session.get_one(QaGolden, item.decision_id)
    return {
        "right": given_at(found) == first_of(item),
        "known": first_of(item).label,
        "clause": known.clause,
        "rationale": known.rationale,
    }


def _decided(session: Session, case_id: str, revision: int, bundle: Bundle) -> tuple[Decision, str]:
    """The first decision about a revision, and the queue it is looked at in."""
    statement = (
        select(Decision, col(Gate.queue))
        .outerjoin(Gate, _of_decision())
        .where(col(Decision.case_id) == case_id, col(Decision.revision) == revision)
        .order_by(col(Decision.decided_at), col(Gate.step))
        .limit(1)
    )
    found = session.execute(statement).first()
    if found is None:
        raise InputError(f"{case_id} has not been decided", hint="its evidence is not complete yet")
    decision, queue = found
    return decision, queue or bundle.default.queue


def _of_decision() -> ColumnElement[bool]:
    return and_(
        col(Gate.case_id) == col(Decision.case_id), col(Gate.revision) == col(Decision.revision)
    )


def _record(
    session: Session, action: Action, golden: QaGolden, by: Provenance, now: datetime
) -> None:
    # The answer itself stays out: a reviewer who reads the history must not find it there.
    data = {"golden": golden.id}
    draft = Draft(
        golden.case_id,
        action,
        data,
        golden.revision,
        golden.evidence_digest,
        golden.policy_digest,
    )
    append(session, [draft], by, now)
