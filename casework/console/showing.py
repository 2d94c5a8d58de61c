"""Bringing together what a case page shows, and recording that its content was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlmodel import Session

from casework.assignment import HoldReason, reach
from casework.cases import Route
from casework.console.access import Capability
from casework.console.contexts import CasePage, Claim, Decided, Form, Guidance, Undoing
from casework.console.identity import Visit
from casework.console.ports import Console, Prefect
from casework.console.readable import check_shown, may_give
from casework.gates import GateStatus, Role, Verdict
from casework.policy.explain import RuleResult, explain
from casework.policy.model import Bundle, Rule
from casework.store.assignment import assignment_of
from casework.store.cases import CaseFile, case_file, note_case_view
from casework.store.clocks import clocks_at
from casework.store.consequences import terms_at
from casework.store.desk import past_of, queues_of_cases
from casework.store.engine import transaction
from casework.store.facts import row_for_policy
from casework.store.gates import live_holder
from casework.store.ledger import acts_of
from casework.store.news import newest_entry
from casework.store.playbooks import followed
from casework.store.policy import stored_bundle
from casework.store.preferences import preference_of
from casework.store.qa.blinding import hidden_from
from casework.store.restrictions import let_in
from casework.store.reversal import plan_for
from casework.store.tables import Case, Clock, Decision, Gate


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
        NotFound: the viewer may not read it, or there is no such case.
        Denied: they may have to review it, without knowing what was decided.
    """
    with transaction(console.engine) as session:
        entry = newest_entry(session)
        case = check_shown(session, visit, case_id)
        file = case_file(session, case.id)
        bundle, rules = explanation(session, console, file)
        covered = not uncovered and bundle.marked(file.case.rule_id) is not None
        if not covered:
            note_case_view(session, file.case, visit.by, console.clock())
        return _page_of(
            session, console, visit, file, bundle, rules, covered, entry, refusal, given
        )


def _page_of(
    session: Session,
    console: Console,
    visit: Visit,
    file: CaseFile,
    bundle: Bundle,
    rules: Sequence[RuleResult],
    covered: bool,
    entry: int,
    refusal: str,
    given: Mapping[str, str] | None,
) -> CasePage:
    gate = _gate_that_is(file, GateStatus.OPEN)
    queue = bundle.queues.get(gate.queue) if gate else None
    answers = queue is not None and visit.viewer.answers_in(queue)
    claim = _claim(session, console, visit, bundle, gate) if gate and answers else None
    asked = gate if claim and claim.may_answer and not covered else None
    rule, past = bundle.rule(file.case.rule_id), _past(session, visit, file.case)
    return CasePage(
        case=file.case,
        gate=gate,
        queue=queue,
        covered=covered,
        entry=entry,
        veil=veil_of(session, console, visit, marked=bundle.marked(file.case.rule_id) is not None),
        content={} if covered else file.content,
        readings=file.readings,
        guidance=_guidance(bundle, rule, gate, rules),
        past=past,
        masked=hidden_from(session, visit.viewer.id, [other.id for other in past]),
        timeline=_timeline(session, file.case.id),
        clocks=_going(session, gate),
        claim=claim,
        form=_form(session, bundle, file, asked, refusal, given) if asked else None,
        run_page=_run_page(console.prefect(), file),
        prefect_answers=console.prefect().answers,
        decided=None if gate else _gate_that_is(file, GateStatus.DECIDED),
        let_in=let_in(session, file.case.id),
        followed=followed(session, file.case, gate) if gate else None,
        gives=queue is not None and may_give(visit.viewer, queue, claim.holder if claim else None),
        before=_before(bundle, file, gate),
        undoing=_undoing(session, console, visit, bundle, file.case),
    )


def _gate_that_is(file: CaseFile, status: GateStatus) -> Gate | None:
    return next((each for each in file.gates if each.status == status), None)


def _before(bundle: Bundle, file: CaseFile, opened: Gate | None) -> list[Decided]:
    """What was decided at the gates that are closed, and by machine."""
    gates = {gate.id: gate for gate in file.gates}
    told = []
    for decision in file.decisions:
        gate = gates.get(decision.gate_id or "")
        if gate is None and decision.verdict != Route.CLOSE:
            continue  # that a person is to see it is what the gate says
        if gate is None or opened is None or gate.id != opened.id:
            what = _titled(bundle, decision, gate)
            told.append(Decided(decision, what, gate.reason if gate else ""))
    return told


def _titled(bundle: Bundle, decision: Decision, gate: Gate | None) -> str:
    """What was decided, as the policy calls it; what it does not know any more, by its id."""
    if decision.verdict == Verdict.ESCALATE:
        there = (gate.escalate_to if gate else None) or ""
        return bundle.queues[there].title if there in bundle.queues else there
    action = decision.action or ""
    return bundle.actions[action].title if action in bundle.actions else action


def _undoing(
    session: Session, console: Console, visit: Visit, bundle: Bundle, case: Case
) -> Undoing | None:
    """What the viewer may have undone; None where nothing stands or it is not theirs."""
    if not visit.viewer.may(Capability.WORK):
        return None
    planned = plan_for(session, bundle, case, visit.viewer.id, console.clock())
    if planned is None:
        return None
    undone, inverse = (bundle.actions[name] for name in (planned.undoes.action, planned.action))
    return Undoing(undone.title, inverse.title, planned.approvals)


def veil_of(session: Session, console: Console, visit: Visit, *, marked: bool) -> str:
    """The classes under which content is shown: a marked one's as its viewer prefers."""
    if not marked:
        return ""
    kept = preference_of(session, visit.viewer.id, console.clock())
    chosen = (("greyscale", kept.greyscale), ("blur", kept.blur))
    return " ".join(name for name, wanted in chosen if wanted)


def _timeline(session: Session, case_id: str) -> list[Mapping[str, Any]]:
    """What happened to a case, each with its moment as a time."""
    return [act | {"at": datetime.fromisoformat(act["at"])} for act in acts_of(session, case_id)]


def _past(session: Session, visit: Visit, case: Case) -> list[Case]:
    """Other cases of the same subject or reporter that the viewer may open."""
    alike = past_of(session, case, visit.viewer.id)
    queues = queues_of_cases(session, [each.id for each in alike]) if alike else {}
    return [each for each in alike if visit.viewer.may_read(queues[each.id])]


def explanation(
    session: Session, console: Console, file: CaseFile
) -> tuple[Bundle, Sequence[RuleResult]]:
    """The policy that decided a case, or else the one in force, and what its rules make of it."""
    digest = file.case.policy_digest
    bundle = stored_bundle(session, digest) if digest else console.bundle
    return bundle, _explained(bundle, row_for_policy(file.case, file.readings))


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


def _form(
    session: Session,
    bundle: Bundle,
    file: CaseFile,
    gate: Gate,
    refusal: str,
    given: Mapping[str, str] | None,
) -> Form:
    queue = bundle.queues[gate.queue]
    specs = [bundle.actions[name] for name in queue.actions]
    return Form(
        gate=gate,
        actions=[(spec.id, spec.title, spec.reversible) for spec in specs],
        escalations=[(name, bundle.queues[name].title) for name in queue.escalates_to],
        clauses=list(bundle.clauses(file.case.rule_id).items()),
        answers=[each for each in file.decisions if each.gate_id == gate.id],
        approvals=terms_at(session, bundle, gate, gate.proposed_action).approvals,
        refusal=refusal,
        given=given,
    )


def _run_page(prefect: Prefect, file: CaseFile) -> str:
    runs = [gate.flow_run_id for gate in file.gates if gate.flow_run_id]
    return prefect.run_page.replace("{run}", runs[-1]) if runs else ""
