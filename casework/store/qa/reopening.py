"""A decision that was found wrong: its case waits again, at an ordinary gate for what to do."""

from datetime import datetime

from sqlmodel import Session

from casework.cases import Status
from casework.ledger.entries import Action, Provenance
from casework.qa.reviews import Outcome
from casework.store.gates import record
from casework.store.policy import stored_bundle
from casework.store.reopening import Reopening, reopen_case
from casework.store.tables import Case, QaItem


def reopen(
    session: Session, item: QaItem, first: Outcome, final: Outcome, by: Provenance, now: datetime
) -> str | None:
    """Open a gate for the corrected action; return its id, or None where there is none to open.

    There is none where the case has newer content, is not closed, or was handed over by the first
    decision: somebody else has decided it since. Who adjudicated may not answer, so that two
    people stand behind a correction. The reconciler makes the gate's run.
    """
    case = session.get_one(Case, item.case_id, with_for_update=True, populate_existing=True)
    in_force = case.status == Status.CLOSED and case.revision == item.revision
    if not in_force or first.escalated:
        return None
    wanted = Reopening(
        queue=final.escalate_to or item.origin,
        severity=item.severity or str(case.severity),
        proposed_action=_proposed(session, item, first, final),
        reason=_reason(session, item, first),
        requested_by=by.actor,
        evidence_digest=item.evidence_digest,
        policy_digest=item.policy_digest,
    )
    gate = reopen_case(session, case, wanted, now)
    record(session, gate, Action.CASE_REOPENED, {"item": item.id, "before": first.action}, by, now)
    data = {"queue": gate.queue, "requested_by": by.actor, "step": gate.step}
    record(session, gate, Action.GATE_OPENED, data, by, now)
    return gate.id


def _reason(session: Session, item: QaItem, first: Outcome) -> str:
    """Why it waits again, and what becomes of what was done when it is decided otherwise."""
    why = "a second look found another decision to be right"
    done = stored_bundle(session, item.policy_digest).actions.get(first.action or "")
    if done is None or not done.to:
        return why
    return f"{why}; {done.id} {'is then undone' if done.inverse else 'cannot be undone'}"


def _proposed(session: Session, item: QaItem, first: Outcome, final: Outcome) -> str | None:
    """The corrected action; where nothing should have been done, that which undoes the first."""
    if final.action or final.escalated or first.action is None:
        return final.action
    done = stored_bundle(session, item.policy_digest).actions.get(first.action)
    return done.inverse if done else None
