"""Answers to playbooks: kept for each gate and revision, and in the history of the case."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.denials import Denial, Refused, refusal_of
from casework.errors import InputError
from casework.gates import ActorKind, barred, kept_for_another
from casework.ledger.entries import Action, Provenance
from casework.playbooks import Playbook, Walk, choice_of, walk
from casework.store.gates import held, record, situation
from casework.store.people import answering
from casework.store.policy import stored_bundle
from casework.store.restrictions import check_known
from casework.store.tables import Case, Gate, PlaybookAnswer


@dataclass(frozen=True, slots=True)
class Followed:
    """A gate's playbook, the way its answers take, and who gave them, by step."""

    playbook: Playbook
    walk: Walk
    answers: dict[str, PlaybookAnswer]
    binding: bool  # whether what it requires must be answered before a decision here


def followed(session: Session, case: Case, gate: Gate) -> Followed | None:
    """The playbook of a gate as far as it has been answered; None where its rule names none.

    What was answered at earlier gates of the same revision stands until it is answered anew.
    """
    playbook = _playbook(session, case, gate)
    if playbook is None:
        return None
    answers = {
        each.step: each
        for each in answers_about(session, case.id, gate.revision)
        if each.playbook == playbook.id and _step_of(each.gate_id) <= gate.step
    }
    way = walk(playbook, {step: each.answer for step, each in answers.items()})
    return Followed(playbook, way, answers, binding=gate.step == 1)


def unanswered(session: Session, case: Case, gate: Gate) -> list[str]:
    """What a gate's playbook still requires to be answered, as it is asked.

    Only the gate that the rule itself opened is bound: whom a case is handed over to has
    procedures of their own.
    """
    found = followed(session, case, gate)
    if found is None or not found.binding:
        return []
    return [step.ask for step in found.walk.missing]


def answer_step(
    session: Session, gate: str, step: str, answer: str, by: Provenance, now: datetime
) -> None:
    """Answer one step at a gate, or answer it anew.

    Raises:
        NotFound: there is no such gate.
        Denied: the person may not answer at this gate.
        Conflict: somebody else has it, or it has been decided.
        InputError: its playbook has no such step, or the step no such answer.
    """
    case, found = held(session, gate)
    check_known(session, case.id, gate, by.actor)
    _permit(session, case, found, by, now)
    playbook = _playbook(session, case, found)
    asked = playbook.steps.get(step) if playbook else None
    if playbook is None or asked is None:
        raise InputError(f"the playbook of this gate has no step {step!r}")
    if choice_of(asked, answer) is None:
        known = ", ".join(each.id for each in asked.choices)
        raise InputError(f"step {step} has no answer {answer!r}", hint=f"one of: {known}")
    kept = session.get(PlaybookAnswer, (gate, step), with_for_update=True)
    before = kept.answer if kept else None
    kept = kept or PlaybookAnswer(
        gate_id=gate,
        step=step,
        case_id=case.id,
        revision=found.revision,
        playbook=playbook.id,
        answer=answer,
        person=by.actor,
        answered_at=now,
    )
    kept.answer, kept.person, kept.answered_at = answer, by.actor, now
    session.add(kept)
    data = {"playbook": playbook.id, "step": step, "answer": answer, "before": before}
    record(session, found, Action.PLAYBOOK_ANSWERED, data, by, now)


def answers_about(
    session: Session, case_id: str, revision: int | None = None
) -> list[PlaybookAnswer]:
    """What was answered about a case, or one revision of it, gate by gate, the oldest first."""
    statement = select(PlaybookAnswer).where(col(PlaybookAnswer.case_id) == case_id)
    if revision is not None:
        statement = statement.where(col(PlaybookAnswer.revision) == revision)
    rows = session.scalars(statement.order_by(col(PlaybookAnswer.answered_at)))
    return sorted(rows, key=lambda row: (row.revision, _step_of(row.gate_id)))


def _permit(session: Session, case: Case, gate: Gate, by: Provenance, now: datetime) -> None:
    person = answering(session, by.actor, ActorKind.PERSON)
    if person is None:
        raise refusal_of(Refused(Denial.UNKNOWN_PERSON, f"nobody is known as {by.actor}"))
    terms = stored_bundle(session, gate.policy_digest).terms(gate.queue, None)
    there = situation(session, case, gate, now)
    if refused := barred(there, person, terms) or kept_for_another(there, person):
        raise refusal_of(refused)


def _playbook(session: Session, case: Case, gate: Gate) -> Playbook | None:
    bundle = stored_bundle(session, gate.policy_digest)
    rule = bundle.rule(case.rule_id)
    return bundle.trees.get(rule.playbook) if rule and rule.playbook else None


def _step_of(gate: str) -> int:
    """Which gate of its revision an id names."""
    return int(gate.rpartition("-")[2])
