"""Taking answers at gates: the guard rules, and what it ruled is kept."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from casework.canonical import digest
from casework.denials import Refused
from casework.gates import Accepted, Answer, GateStatus, Person, Terms, judge
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.clocks import end_clocks, restart_clocks, touch
from casework.store.gates import answers_at, deny, entry_at, held, let_go, situation
from casework.store.ledger import append
from casework.store.paging import acknowledge, resolve
from casework.store.playbooks import unanswered
from casework.store.tables import Decision, Gate


def take_answer(
    session: Session,
    gate: str,
    person: Person,
    answer: Answer,
    terms: Terms,
    by: Provenance,
    now: datetime,
) -> Accepted | Refused:
    """Let the guard rule on an answer and keep what it ruled, a refusal too.

    Raises:
        NotFound: there is no such gate.
    """
    case, found = held(session, gate)
    asked = unanswered(session, case, found)
    there = replace(situation(session, case, found, now), unanswered=asked)
    ruling = judge(there, person, answer, terms)
    if isinstance(ruling, Refused):
        deny(session, found, ruling.reason, by, now)
        return ruling
    told = [_keep(session, found, answer, by, now)]
    if ruling.missing == 0:
        told.append(_decide(session, found, answer, now))
    append(session, told, by, now)
    if ruling.missing == 0:
        resolve(session, [found], by, now)
    else:
        touch(session, gate, now)
        if let_go(session, gate):
            restart_clocks(session, gate, now)
        session.flush()
        acknowledge(session, found, by, now)
    return ruling


def _keep(session: Session, gate: Gate, answer: Answer, by: Provenance, now: datetime) -> Draft:
    """Keep an answer; return its entry."""
    decision = Decision(
        id=digest([gate.id, gate.revision, by.actor])[:32],
        case_id=gate.case_id,
        revision=gate.revision,
        gate_id=gate.id,
        actor=by.actor,
        actor_kind=by.actor_kind,
        verdict=answer.verdict,
        action=answer.action,
        severity=gate.severity,
        queue=answer.escalate_to or gate.queue,
        clause=answer.clause,
        rationale=answer.rationale,
        unknown=[],
        evidence_digest=gate.evidence_digest,
        policy_digest=gate.policy_digest,
        code_version=by.code_version,
        flow_run_id=gate.flow_run_id,
        decided_at=now,
    )
    session.add(decision)
    data = {
        "decision": decision.id,
        "verdict": str(answer.verdict),
        "action": answer.action,
        "escalate_to": answer.escalate_to,
        "clause": answer.clause,
        "rationale_digest": digest(answer.rationale),
    }
    return entry_at(gate, Action.GATE_ANSWERED, data)


def _decide(session: Session, gate: Gate, answer: Answer, now: datetime) -> Draft:
    """Close a gate with its last answer; return its entry."""
    gate.status = GateStatus.DECIDED
    gate.verdict = answer.verdict
    gate.action = answer.action
    gate.escalate_to = answer.escalate_to
    gate.decided_at = now
    session.add(gate)
    let_go(session, gate.id)
    data = {
        "verdict": str(answer.verdict),
        "action": answer.action,
        "escalate_to": answer.escalate_to,
        "answers": [earlier.id for earlier in answers_at(session, gate.id)],
        "late": end_clocks(session, gate.id, now),
    }
    return entry_at(gate, Action.GATE_DECIDED, data)
