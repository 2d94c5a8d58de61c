"""Taking an answer at a gate of quality assurance, whichever way it came.

The same way in as for every other gate: the guard rules, and the ruling is committed, a refusal
too. Nothing waits for it in Prefect; the case was closed before it was looked at again.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Engine
from sqlmodel import Session

from casework.answering import bundle_of
from casework.denials import LATE, Denial, Refused
from casework.errors import Conflict, Denied
from casework.gates import Accepted, ActorKind, Answer, Role, Terms, judge_view
from casework.ledger.entries import Provenance
from casework.policy.model import Bundle
from casework.qa.plans import Plan
from casework.qa.reviews import Adjudication, GateKind
from casework.store.engine import reading, transaction
from casework.store.people import answering
from casework.store.qa.answers import deny_qa, situation_at, take_qa_answer
from casework.store.qa.gates import (
    Shown,
    check_qa_known,
    note_qa_view,
    plan_in,
    qa_gate_by_id,
    shown_at,
)
from casework.store.tables import QaGate, QaItem
from casework.version import code_version


def answer_qa_gate(
    engine: Engine, gate_id: str, actor: str, payload: Mapping[str, Any], *, now: datetime
) -> None:
    """Take one answer at one gate: a review, or an adjudication with its class of error.

    Raises:
        NotFound: there is no such gate.
        Denied: the guard refused the answer.
        Conflict: somebody was faster, or it is about other evidence.
    """
    by = Provenance(actor=actor, actor_kind=str(ActorKind.PERSON), code_version=code_version())
    with reading(engine) as session:
        check_qa_known(session, gate_id, actor)
        gate = qa_gate_by_id(session, gate_id)
        bundle = bundle_of(engine, session.get_one(QaItem, gate.item_id).policy_digest)
    with transaction(engine) as session:
        ruling = _rule(session, gate_id, bundle, payload, by, now)
    if isinstance(ruling, Refused):
        raise _refusal(ruling)


def open_qa_gate(
    engine: Engine, gate_id: str, actor: str, *, now: datetime, uncovered: bool
) -> tuple[Shown, Terms, tuple[str, ...]]:
    """Look at a gate as somebody who may answer there; the look, or its refusal, is recorded.

    Content of a marked category is left out, and no look recorded, unless it is asked for.

    Raises:
        NotFound: there is no such gate.
        Denied: they may not answer there, and so may not look.
    """
    by = Provenance(actor=actor, actor_kind=str(ActorKind.PERSON), code_version=code_version())
    with reading(engine) as session:
        check_qa_known(session, gate_id, actor)
    shown, terms, classes = look_at_qa_gate(engine, gate_id)
    if shown.marked and not uncovered:
        shown = replace(shown, content={}, covered=True)
    with transaction(engine) as session:
        person = answering(session, actor, ActorKind.PERSON)
        if person is None:
            refused: Refused | None = Refused(Denial.UNKNOWN_PERSON, f"nobody is known as {actor}")
        else:
            situation = situation_at(session, shown.item, shown.gate, now)
            refused = judge_view(situation, person, terms)
        if refused:
            deny_qa(session, shown.item, gate_id, refused.reason, by, now)
        elif not shown.covered:
            note_qa_view(session, gate_id, by, now)
    if refused:
        raise _refusal(refused)
    return shown, terms, classes


def look_at_qa_gate(engine: Engine, gate_id: str) -> tuple[Shown, Terms, tuple[str, ...]]:
    """What a gate is about, what may be answered there, and the classes of error to choose from.

    Raises:
        NotFound: there is no such gate.
    """
    with reading(engine) as session:
        shown = shown_at(session, gate_id)
    bundle = bundle_of(engine, shown.item.policy_digest)
    classes = tuple(bundle.taxonomy) if shown.gate.kind == GateKind.ADJUDICATION else ()
    return shown, qa_terms(bundle, shown.plan, shown.gate, shown.item), classes


def qa_terms(bundle: Bundle, plan: Plan, gate: QaGate, item: QaItem) -> Terms:
    """On which terms a decision is looked at again: those of its first gate, but one suffices.

    What the first decider chose is among the choices even where the queue does not list it, or
    nobody could agree with it.
    """
    terms = bundle.terms(item.origin, None)
    roles = plan.reviewers if gate.kind == GateKind.REVIEW else plan.adjudicators
    if gate.reserved_for is not None:
        roles = frozenset(Role)  # a team that is calibrated or trained has been chosen by name
    return replace(
        terms,
        roles=frozenset(str(role) for role in roles),
        actions=frozenset(terms.actions) | {name for name in (item.action,) if name},
        escalations=frozenset(terms.escalations) | {name for name in (item.escalate_to,) if name},
        approvals=1,
        needs_two=False,
        binding=False,
    )


def _rule(
    session: Session,
    gate_id: str,
    bundle: Bundle,
    payload: Mapping[str, Any],
    by: Provenance,
    now: datetime,
) -> Accepted | Refused:
    gate = qa_gate_by_id(session, gate_id)
    item = session.get_one(QaItem, gate.item_id)
    person = answering(session, by.actor, ActorKind.PERSON)
    if person is None:
        message = f"nobody is known as {by.actor}"
        return _denied(session, item, gate_id, Denial.UNKNOWN_PERSON, message, by, now)
    form = Adjudication if gate.kind == GateKind.ADJUDICATION else Answer
    try:
        answer = form.model_validate(payload)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        return _denied(session, item, gate_id, Denial.MALFORMED, faults, by, now)
    terms = qa_terms(bundle, plan_in(session, item), gate, item)
    return take_qa_answer(session, gate_id, person, answer, terms, bundle.taxonomy, by, now)


def _refusal(refused: Refused) -> Denied | Conflict:
    reason, hint = str(refused.reason), "casework qa queue lists what you may answer"
    if refused.reason in LATE:
        return Conflict(refused.message, reason=reason, hint=hint)
    return Denied(refused.message, reason=reason, hint=hint)


def _denied(
    session: Session,
    item: QaItem,
    gate: str,
    reason: Denial,
    message: str,
    by: Provenance,
    now: datetime,
) -> Refused:
    deny_qa(session, item, gate, reason, by, now)
    return Refused(reason, message)
