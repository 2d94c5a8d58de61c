"""Bringing together what a re-review shows, and recording that its content was seen."""

from dataclasses import replace

from casework.answering import bundle_of
from casework.console.contexts import Review
from casework.console.identity import Visit
from casework.console.ports import Console
from casework.console.showing import veil_of
from casework.qa.reviews import GateKind
from casework.qa_answering import open_qa_gate
from casework.store.engine import reading
from casework.store.qa.answers import decisions_about


def review_of(console: Console, visit: Visit, gate: str, *, uncovered: bool) -> Review:
    """A decision's evidence for somebody who may look at it again; the look is in the history.

    What is covered comes without content, and without what may be answered or was decided.

    Raises:
        NotFound: there is no such gate.
        Denied: they may not answer there, and so may not look.
    """
    engine = console.engine
    shown, terms, classes = open_qa_gate(
        engine, gate, visit.viewer.id, now=console.clock(), uncovered=uncovered
    )
    bundle = bundle_of(engine, shown.item.policy_digest)
    with reading(engine) as session:
        veil = veil_of(session, console, visit, marked=shown.marked is not None)
        adjudicates = shown.gate.kind == GateKind.ADJUDICATION and not shown.covered
        decisions = decisions_about(session, shown.item) if adjudicates else []
    seen = Review(
        gate=shown.gate,
        evidence=shown.item.evidence_digest,
        covered=shown.covered,
        content=shown.content,
        veil=veil,
        readings=shown.readings,
        decisions=decisions,
    )
    if shown.covered:
        return seen
    return replace(
        seen,
        actions=[(name, bundle.actions[name].title) for name in sorted(terms.actions)],
        escalations=[(name, bundle.queues[name].title) for name in sorted(terms.escalations)],
        clauses=list(bundle.clauses(None).items()),
        errors=classes,
    )
