"""Gates of quality assurance: what waits, and what a reviewer is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from casework.errors import NotFound
from casework.gates import ActorKind, Person
from casework.ledger.entries import Action, Draft, Provenance
from casework.qa.plans import Plan
from casework.qa.reviews import GateKind
from casework.store.keyset import behind
from casework.store.ledger import append
from casework.store.policy import stored_bundle
from casework.store.restrictions import is_hidden, known_to
from casework.store.tables import (
    Case,
    CaseRevision,
    Decision,
    QaGate,
    QaItem,
    QaRecusal,
    QaRound,
    SignalReading,
)

#: What a reviewer may see of a gate; neither the round nor the item, which could be compared.
SHOWN: Final = ("id", "kind", "status", "opened_at")


@dataclass(frozen=True, slots=True)
class Shown:
    """The evidence of a decision as it was when it was taken, and nothing of the decision."""

    gate: QaGate
    item: QaItem
    plan: Plan
    content: dict[str, Any]  # empty where it is covered
    readings: Sequence[SignalReading]
    marked: str | None = None  # the category for which content is covered at first
    covered: bool = False


def qa_gate_by_id(session: Session, gate: str) -> QaGate:
    """One gate of quality assurance.

    Raises:
        NotFound: there is no such gate.
    """
    found = session.get(QaGate, gate)
    if found is None:
        raise NotFound(f"there is no QA gate {gate}", hint="casework qa queue")
    return found


def check_qa_known(session: Session, gate: str, person: str) -> None:
    """Refuse in the same words as where there is no such gate.

    Raises:
        NotFound: there is none, or its case is not one that this person may know of.
    """
    if is_hidden(session, qa_gate_by_id(session, gate).case_id, person):
        raise NotFound(f"there is no QA gate {gate}", hint="casework qa queue")


def held_qa_gate(session: Session, gate: str) -> tuple[QaItem, QaGate]:
    """The item, then the gate, both held until the transaction ends; always in this order.

    Raises:
        NotFound: there is no such gate.
    """
    item = qa_gate_by_id(session, gate).item_id
    held = session.get_one(QaItem, item, with_for_update=True, populate_existing=True)
    return held, session.get_one(QaGate, gate, with_for_update=True, populate_existing=True)


def waiting_qa_gates(
    session: Session, person: Person, *, limit: int = 50, offset: int = 0, after: str = ""
) -> list[QaGate]:
    """Open gates that a person may answer, the oldest first; the guard rules on each answer.

    Golden items are among them like any other: the order of one moment is that of the ids.
    """
    order = (col(QaGate.opened_at), col(QaGate.id))
    statement = (
        select(QaGate)
        .where(col(QaGate.status) == "open", *may_review(session, person))
        .order_by(*order)
    )
    if after:
        statement = behind(session, statement, order, col(QaGate.id) == after, after)
    return list(session.scalars(statement.limit(limit).offset(offset)))


def may_review(session: Session, person: Person) -> list[ColumnElement[bool]]:
    """What holds of the open gates that a person may answer, for their part in the case too."""
    other = aliased(QaGate)
    # By the case and by the item of each gate, for which there are indexes; not by the person.
    took_part = exists().where(
        col(Decision.case_id) == col(QaGate.case_id), col(Decision.actor) == person.id
    )
    answered = exists().where(
        col(other.item_id) == col(QaGate.item_id), col(other.answered_by) == person.id
    )
    recused = exists().where(
        col(QaRecusal.case_id) == col(QaGate.case_id), col(QaRecusal.person) == person.id
    )
    asked = or_(
        and_(col(QaGate.reserved_for).is_(None), _may_answer(session, person)),
        col(QaGate.reserved_for) == person.id,
    )
    works_there = true() if "*" in person.queues else col(QaGate.queue).in_(sorted(person.queues))
    known = known_to(col(QaGate.case_id), person.id)
    return [asked, ~took_part, ~answered, ~recused, works_there, known]


def _may_answer(session: Session, person: Person) -> ColumnElement[bool]:
    """Whether a gate's plan lets people of these roles answer it."""
    waiting = select(col(QaGate.round_id)).where(col(QaGate.status) == "open")
    found = session.scalars(select(QaRound).where(col(QaRound.id).in_(waiting)))
    plans = {each.id: Plan.model_validate(each.document) for each in found}
    roles = {
        GateKind.REVIEW: {name: plan.reviewers for name, plan in plans.items()},
        GateKind.ADJUDICATION: {name: plan.adjudicators for name, plan in plans.items()},
    }
    return or_(
        *(
            and_(
                col(QaGate.kind) == kind,
                col(QaGate.round_id).in_([name for name, may in of.items() if may & person.roles]),
            )
            for kind, of in roles.items()
        )
    )


def shown_at(session: Session, gate: str) -> Shown:
    """What somebody who answers at a gate is to see: the revision decided then, not the newest.

    Raises:
        NotFound: there is no such gate.
    """
    found = qa_gate_by_id(session, gate)
    item = session.get_one(QaItem, found.item_id)
    revision = session.get_one(CaseRevision, (item.case_id, item.revision))
    readings = (
        select(SignalReading)
        .where(
            col(SignalReading.case_id) == item.case_id,
            col(SignalReading.revision) == item.revision,
        )
        .order_by(col(SignalReading.provider))
    )
    return Shown(
        gate=found,
        item=item,
        plan=plan_in(session, item),
        content=revision.content,
        readings=list(session.scalars(readings)),
        marked=_marked(session, item),
    )


def _marked(session: Session, item: QaItem) -> str | None:
    """The marked category of what an item shows, by any rule that ruled on its revision.

    The rule that brought the case where it stands counts too: of golden items and of what was
    revised no other may be known.
    """
    ruled = select(col(Decision.policy_digest), col(Decision.rule_id)).where(
        col(Decision.case_id) == item.case_id,
        col(Decision.revision) == item.revision,
        col(Decision.rule_id).is_not(None),
    )
    case = session.get_one(Case, item.case_id)
    by = [*session.execute(ruled).all(), (case.policy_digest, case.rule_id)]
    found = (stored_bundle(session, digest).marked(rule) for digest, rule in by if digest)
    return next(filter(None, found), None)


def plan_in(session: Session, item: QaItem) -> Plan:
    """The plan of an item's round, as it was when it was drawn."""
    return Plan.model_validate(session.get_one(QaRound, item.round_id).document)


def reviews_of(session: Session, item: str) -> list[QaGate]:
    """The review gates of an item, those answered first by the time of their answer."""
    statement = select(QaGate).where(
        col(QaGate.item_id) == item, col(QaGate.kind) == GateKind.REVIEW
    )
    return list(session.scalars(statement.order_by(col(QaGate.answered_at), col(QaGate.id))))


def barred_from(session: Session, item: QaItem) -> frozenset[str]:
    """Who has decided something about an item's case, looked at the item before, or gave it up."""
    deciders = select(col(Decision.actor)).where(
        col(Decision.case_id) == item.case_id,
        col(Decision.actor_kind) != ActorKind.MACHINE,
    )
    reviewers = select(col(QaGate.answered_by)).where(
        col(QaGate.item_id) == item.id, col(QaGate.answered_by).is_not(None)
    )
    recused = select(col(QaRecusal.person)).where(col(QaRecusal.case_id) == item.case_id)
    took_part = {*session.scalars(deciders), *session.scalars(reviewers), *session.scalars(recused)}
    if item.golden:
        took_part.add(item.actor)
    return frozenset(str(each) for each in took_part)


def note_qa_view(session: Session, gate: str, by: Provenance, now: datetime) -> None:
    """Record that somebody looked at a case's text for a re-review.

    Raises:
        NotFound: there is no such gate.
    """
    item = session.get_one(QaItem, qa_gate_by_id(session, gate).item_id)
    marked = _marked(session, item)
    data = {"gate": gate} | ({"marked": marked} if marked else {})
    record_qa(session, item, Action.CASE_VIEWED, data, by, now)


def record_qa(
    session: Session,
    item: QaItem,
    action: Action,
    data: dict[str, Any],
    by: Provenance,
    now: datetime,
) -> None:
    """Write what happened to an item into the history of its case."""
    draft = Draft(
        item.case_id,
        action,
        {"item": item.id, **data},
        item.revision,
        item.evidence_digest,
        item.policy_digest,
    )
    append(session, [draft], by, now)
