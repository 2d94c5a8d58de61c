"""Bringing together what a re-review shows, and recording that its content was seen."""

from typing import Any

from casework.answering import bundle_of
from casework.console.contexts import Review
from casework.console.identity import Visit
from casework.console.ports import Console
from casework.console.showing import veil_of
from casework.qa.reviews import GateKind
from casework.qa_answering import open_qa_gate
from casework.store.engine import reading
from casework.store.qa.answers import decisions_about
from casework.store.tables import Case


def review_of(console: Console, visit: Visit, gate: str) -> Review:
    """A decision's evidence for somebody who may look at it again; the look is in the history.

    Raises:
        NotFound: there is no such gate.
        Denied: they may not answer there, and so may not look.
    """
    engine = console.engine
    shown, terms, classes = open_qa_gate(engine, gate, visit.viewer.id, now=console.clock())
    bundle = bundle_of(engine, shown.item.policy_digest)
    with reading(engine) as session:
        case = session.get_one(Case, shown.item.case_id)
        veil = veil_of(session, console, visit, marked=bundle.marked(case.rule_id) is not None)
    decisions: list[dict[str, Any]] = []
    if shown.gate.kind == GateKind.ADJUDICATION:
        with reading(engine) as session:
            decisions = decisions_about(session, shown.item)
    return Review(
        gate=shown.gate,
        evidence=shown.item.evidence_digest,
        content=shown.content,
        veil=veil,
        readings=shown.readings,
        actions=[(name, bundle.actions[name].title) for name in sorted(terms.actions)],
        escalations=[(name, bundle.queues[name].title) for name in sorted(terms.escalations)],
        clauses=list(bundle.clauses(None).items()),
        errors=classes,
        decisions=decisions,
    )
