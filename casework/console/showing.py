"""Bringing together what a case page shows, and recording that its content was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlmodel import Session

from casework.answering import bundle_of
from casework.assignment import HoldReason, reach
from casework.console.access import Capability
from casework.console.contexts import CasePage, Claim, Form, Guidance, Review
from casework.console.identity import Visit
from casework.console.ports import Console, Prefect
from casework.errors import NotFound
from casework.gates import GateStatus, Role
from casework.policy.explain import RuleResult, explain
from casework.policy.model import Bundle, Queue, Rule
from casework.qa.reviews import GateKind
from casework.qa_answering import open_qa_gate
from casework.store.assignees import assignees
from casework.store.assignment import assignment_of
from casework.store.cases import CaseFile, case_file, find_case, note_case_view
from casework.store.clocks import clocks_at
from casework.store.desk import past_of, queues_of_case
from casework.store.engine import reading, transaction
from casework.store.facts import rows_for_policy
from casework.store.gates import answers_at, live_holder
from casework.store.ledger import acts_of
from casework.store.playbooks import followed
from casework.store.policy import stored_bundle
from casework.store.qa.answers import decisions_about
from casework.store.qa.blinding import hidden_from
from casework.store.tables import Case, Clock, Gate


def is_readable(session: Session, visit: Visit, case_id: str) -> bool:
    """Whether the viewer may open a case; one that does not exist nobody may."""
    known = session.get(Case, case_id) is not None
    return known and visit.viewer.may_read(queues_of_case(session, case_id))


def check_readable(session: Session, visit: Visit, case_id: str) -> None:
    """Refuse in the same words whether a case is another's or is none.

    Raises:
        NotFound: the viewer may not read it, or there is no such case.
    """
    if not is_readable(session, visit, case_id):
        raise NotFound(f"there is no case {case_id} among yours")


def case_page(
    console: Console,
    visit: Visit,
    case_id: str,
    *,
    uncovered: bool,
    refusal: str = "",
    given: Mapping[str, str] | None = None,
) -> CasePage:
    """Read a case for its page; where its content is shown, the history says to whom.

    Raises:
        NotFound: there is no such case.
    """
    with transaction(console.engine) as session:
        file = case_file(session, case_id)
        bundle, rules = explanation(session, console, case_id)
        rule = bundle.rule(file.case.rule_id)
        covered = not uncovered and bundle.marked(file.case.rule_id) is not None
        if not covered:
            note_case_view(session, file.case, visit.by, console.clock())
        gate = next((each for each in file.gates if each.status == GateStatus.OPEN), None)
        queue = bundle.queues.get(gate.queue) if gate else None
        answers = queue is not None and visit.viewer.answers_in(queue)
        claim = _claim(session, console, visit, bundle, gate) if gate and answers else None
        asked = gate if claim and claim.may_answer and not covered else None
        return CasePage(
            case=file.case,
            gate=gate,
            queue=queue,
            covered=covered,
            content={} if covered else file.content,
            readings=file.readings,
            guidance=_guidance(bundle, rule, gate, rules),
            past=(past := past_of(session, file.case)),
            masked=hidden_from(session, visit.viewer.id, [other.id for other in past]),
            timeline=_timeline(session, case_id),
            clocks=_going(session, gate),
            claim=claim,
            form=_form(session, bundle, rule, asked, refusal, given) if asked else None,
            run_page=_run_page(console.prefect(), file),
            prefect_answers=console.prefect().answers,
            followed=followed(session, file.case, gate) if gate else None,
            assignees=_assignees(session, console, visit, gate, queue, claim),
        )


def _timeline(session: Session, case_id: str) -> list[Mapping[str, Any]]:
    """What happened to a case, each with its moment as a time."""
    return [act | {"at": datetime.fromisoformat(act["at"])} for act in acts_of(session, case_id)]


def review_of(console: Console, visit: Visit, gate: str) -> Review:
    """A decision's evidence for somebody who may look at it again; the look is in the history.

    Raises:
        NotFound: there is no such gate.
        Denied: they may not answer there, and so may not look.
    """
    engine = console.engine
    shown, terms, classes = open_qa_gate(engine, gate, visit.viewer.id, now=console.clock())
    bundle = bundle_of(engine, shown.item.policy_digest)
    decisions: list[dict[str, Any]] = []
    if shown.gate.kind == GateKind.ADJUDICATION:
        with reading(engine) as session:
            decisions = decisions_about(session, shown.item)
    return Review(
        gate=shown.gate,
        evidence=shown.item.evidence_digest,
        content=shown.content,
        readings=shown.readings,
        actions=[(name, bundle.actions[name].title) for name in sorted(terms.actions)],
        escalations=[(name, bundle.queues[name].title) for name in sorted(terms.escalations)],
        clauses=[pair for each in bundle.categories.values() for pair in each.clauses.items()],
        errors=classes,
        decisions=decisions,
    )


def explanation(
    session: Session, console: Console, case_id: str
) -> tuple[Bundle, Sequence[RuleResult]]:
    """The policy that decided a case, or else the one in force, and what its rules make of it.

    Raises:
        NotFound: there is no such case.
    """
    digest = find_case(session, case_id).policy_digest
    bundle = stored_bundle(session, digest) if digest else console.bundle
    facts = rows_for_policy(session, [case_id])
    return bundle, _explained(bundle, facts[0].row)


@dataclass(frozen=True, slots=True)
class _Question:
    """What a bundle says about a row; the bundle is known by its digest, the row by its JSON."""

    digest: str
    written: bytes
    bundle: Bundle = field(compare=False)
    row: Mapping[str, Any] = field(compare=False)


def _explained(bundle: Bundle, row: Mapping[str, Any]) -> tuple[RuleResult, ...]:
    written = orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
    return _answer_to(_Question(bundle.digest, written, bundle, row))


@lru_cache(maxsize=512)
def _answer_to(asked: _Question) -> tuple[RuleResult, ...]:
    """Explain, once for the same question: a case is read again before and after its answer."""
    return tuple(explain(asked.bundle, asked.row))


def _guidance(
    bundle: Bundle, rule: Rule | None, gate: Gate | None, rules: Sequence[RuleResult]
) -> Guidance:
    return Guidance(
        reason=gate.reason if gate else (rule.reason if rule else ""),
        category=bundle.categories[rule.category].title if rule and rule.category else "",
        playbook=bundle.playbooks.get(rule.playbook, "") if rule and rule.playbook else "",
        macros=_macros(bundle, gate),
        rules=rules,
        digest=bundle.digest,
    )


def _macros(bundle: Bundle, gate: Gate | None) -> list[tuple[str, str]]:
    """The macros of the actions that the gate's queue allows, each once."""
    if gate is None or gate.queue not in bundle.queues:
        return []
    named = [bundle.actions[action].macro for action in bundle.queues[gate.queue].actions]
    return [(name, bundle.macros[name]) for name in dict.fromkeys(filter(None, named))]


def _going(session: Session, gate: Gate | None) -> list[Clock]:
    """The clocks that go on at a gate, what is due first at the head."""
    if gate is None:
        return []
    going = [clock for clock in clocks_at(session, gate.id).values() if clock.ended_at is None]
    return sorted(going, key=lambda clock: (clock.due_at is None, clock.due_at, clock.kind))


def _claim(session: Session, console: Console, visit: Visit, bundle: Bundle, gate: Gate) -> Claim:
    kept = assignment_of(session, gate)
    holder = live_holder(kept, console.clock())
    targets = reach(bundle, gate.queue, kept.owner_queue).targets
    return Claim(
        kept=kept,
        holder=holder,
        is_mine=holder == visit.viewer.id,
        leads=Role.LEAD in visit.viewer.roles,
        reasons=list(HoldReason),
        partners=[(name, bundle.queues[name].title) for name in targets],
        renew_seconds=int(console.lease.total_seconds() // 3),
    )


def _assignees(
    session: Session,
    console: Console,
    visit: Visit,
    gate: Gate | None,
    queue: Queue | None,
    claim: Claim | None,
) -> list[tuple[str, str]]:
    """Whom the viewer may give the gate to; nobody where they neither lead nor have it."""
    if gate is None or queue is None:
        return []
    leads = visit.viewer.may(Capability.LEAD) and visit.viewer.sees(queue)
    if not leads and not (claim and claim.is_mine):
        return []
    return [(each.id, each.name) for each in assignees(session, gate, console.clock())]


def _form(
    session: Session,
    bundle: Bundle,
    rule: Rule | None,
    gate: Gate,
    refusal: str,
    given: Mapping[str, str] | None,
) -> Form:
    queue = bundle.queues[gate.queue]
    specs = [bundle.actions[name] for name in queue.actions]
    categories = [rule.category] if rule and rule.category else list(bundle.categories)
    return Form(
        gate=gate,
        actions=[(spec.id, spec.title, spec.reversible) for spec in specs],
        escalations=[(name, bundle.queues[name].title) for name in queue.escalates_to],
        clauses=[pair for name in categories for pair in bundle.categories[name].clauses.items()],
        answers=answers_at(session, gate.id),
        approvals=bundle.terms(gate.queue, gate.proposed_action).approvals,
        refusal=refusal,
        given=given,
    )


def _run_page(prefect: Prefect, file: CaseFile) -> str:
    runs = [gate.flow_run_id for gate in file.gates if gate.flow_run_id]
    return prefect.run_page.replace("{run}", runs[-1]) if runs else ""
