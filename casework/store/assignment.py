"""Who has a gate: claims, assignments, holds and hand-overs, each ruled on and in the history."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from casework.assignment import STOPPING, HoldReason, Request, Verb, permitted, reach
from casework.denials import Denial, Refused, refusal_of
from casework.errors import Conflict
from casework.gates import ActorKind
from casework.ledger.entries import Action, Provenance, timestamp
from casework.store.clocks import (
    end_partner_clock,
    restart_clocks,
    start_partner_clock,
    stop_clocks,
    touch,
)
from casework.store.gates import held, let_go, live_holder, record, situation
from casework.store.need_to_know import restrict_in_queue
from casework.store.paging import acknowledge
from casework.store.people import answering
from casework.store.policy import stored_bundle
from casework.store.restrictions import check_known, is_hidden
from casework.store.tables import Assignment, Case, Gate


def claim(
    session: Session,
    gate: str,
    lease: timedelta,
    by: Provenance,
    now: datetime,
    *,
    take_over: bool = False,
) -> Assignment:
    """Take a gate for as long as a lease lasts; the same person again renews it.

    Raises:
        NotFound: there is no such gate.
        Conflict: somebody else has it, or it has been decided.
        Denied: the person may not answer there.
    """
    _, found, kept, request = _asked(session, Verb.CLAIM, gate, by, now)
    _permit(replace(request, take_over=take_over))
    data = {
        "before": request.situation.holder,
        "until": timestamp(now + lease),
        "late": touch(session, gate, now),
    }
    if not request.holds:
        _free(session, kept, now)
        kept.lease_until = now + lease
    elif kept.lease_until is not None:
        kept.lease_until = max(kept.lease_until, now + lease)
    kept.holder = by.actor
    kept.first_claimed_at = kept.first_claimed_at or now
    kept.last_claimed_at = now
    _keep(session, kept)
    record(session, found, Action.GATE_CLAIMED, data, by, now)
    acknowledge(session, found, by, now)
    return kept


def release(session: Session, gate: str, by: Provenance, now: datetime) -> Assignment:
    """Give a gate back to everybody; a lead may do it for its holder.

    Raises:
        NotFound: there is no such gate.
        Denied: nobody has it, or somebody else.
    """
    _, found, kept, request = _asked(session, Verb.RELEASE, gate, by, now)
    _permit(request)
    data = {"person": request.situation.holder, "because": "released"}
    _free(session, kept, now)
    record(session, found, Action.GATE_RELEASED, data, by, now)
    return kept


def assign(session: Session, gate: str, person: str, by: Provenance, now: datetime) -> Assignment:
    """Give a gate to a named person, who has it until somebody says otherwise.

    Raises:
        NotFound: there is no such gate.
        Denied: only a lead or the holder may, or the named person may not answer there.
    """
    _, found, kept, request = _asked(session, Verb.ASSIGN, gate, by, now)
    _permit(replace(request, to=answering(session, person, ActorKind.PERSON)))
    if is_hidden(session, found.case_id, person):
        message = f"{person} may not know of this case; let them in first"
        raise refusal_of(Refused(Denial.NEED_TO_KNOW, message))
    data = {"person": person, "before": request.situation.holder}
    kept.holder, kept.lease_until, kept.assigned_at = person, None, now
    _keep(session, kept)
    record(session, found, Action.GATE_ASSIGNED, data, by, now)
    return kept


def hold(
    session: Session,
    gate: str,
    reason: HoldReason,
    follow_up_at: datetime,
    lease: timedelta,
    by: Provenance,
    now: datetime,
) -> Assignment:
    """Put a gate on hold until a follow-up date. Its clocks stop if somebody outside has to move.

    Whoever has it keeps it until a lease after that date.

    Raises:
        NotFound: there is no such gate.
        Denied: somebody else has it, or the date is not to come, or too far away.
    """
    _, found, kept, request = _asked(session, Verb.HOLD, gate, by, now)
    _permit(replace(request, follow_up_at=follow_up_at))
    if request.on_hold:
        restart_clocks(session, gate, now)
    kept.hold_reason, kept.held_at, kept.follow_up_at = reason.value, now, follow_up_at
    if kept.lease_until is not None:
        kept.lease_until = follow_up_at + lease
    stops = STOPPING.get(reason)
    if stops is not None:
        stop_clocks(session, gate, stops, now)
    _keep(session, kept)
    data = {
        "reason": reason.value,
        "follow_up": timestamp(follow_up_at),
        "stops": stops is not None,
    }
    record(session, found, Action.GATE_HELD, data, by, now)
    return kept


def resume(session: Session, gate: str, by: Provenance, now: datetime) -> Assignment:
    """End a hold; the clocks run on.

    Raises:
        NotFound: there is no such gate.
        Denied: it is not on hold, or somebody else has it.
    """
    _, found, kept, request = _asked(session, Verb.RESUME, gate, by, now)
    _permit(request)
    _resume(session, found, kept, "resumed", by, now)
    return kept


def hand_over(session: Session, gate: str, queue: str, by: Provenance, now: datetime) -> Assignment:
    """Give a gate to a partner's queue, or back to its owner's; its owner and clocks stay.

    Raises:
        NotFound: there is no such gate.
        Denied: it may not go there, or somebody else has it.
    """
    case, found, kept, request = _asked(session, Verb.HAND_OVER, gate, by, now)
    bundle = stored_bundle(session, found.policy_digest)
    reached = reach(bundle, found.queue, kept.owner_queue)
    _permit(replace(request, queue=queue, partners=reached.partners, weaker=reached.weaker))
    back = queue == kept.owner_queue
    if kept.owner is None:
        kept.owner, kept.owner_queue = request.situation.holder or by.actor, found.queue
    data: dict[str, Any] = {"from": found.queue, "to": queue, "owner": kept.owner}
    data["late"] = end_partner_clock(session, gate, now)
    found.queue = case.queue = queue
    case.updated_at = now
    session.add(found)
    session.add(case)
    _free(session, kept, now)
    if back:
        kept.holder, kept.owner, kept.owner_queue = kept.owner, None, None
        kept.assigned_at = now
    else:
        start_partner_clock(session, found, now)
    _keep(session, kept)
    record(session, found, Action.GATE_HANDED_OVER, data, by, now)
    restrict_in_queue(session, bundle, case, queue, by, now)
    return kept


def renew(
    session: Session, gate: str, lease: timedelta, by: Provenance, now: datetime
) -> Assignment:
    """Make a claim last longer; what somebody has lost is not taken back.

    Raises:
        NotFound: there is no such gate.
        Conflict: the person does not have it any more.
    """
    kept = assignment_of(session, held(session, gate)[1])
    if live_holder(kept, now) != by.actor:
        raise Conflict(f"{by.actor} does not have this gate any more", hint="claim it again")
    return claim(session, gate, lease, by, now)


def run_out(session: Session, by: Provenance, now: datetime, limit: int = 500) -> dict[str, int]:
    """Take back gates whose claim has run out, and resume those whose follow-up date has come.

    Returns:
        How many were ``released`` and ``resumed``; both 0 where none is left.
    """
    counts = {"released": 0, "resumed": 0}
    due = select(col(Assignment.gate_id)).where(col(Assignment.next_at) <= now)
    for gate in session.scalars(due.order_by(col(Assignment.case_id)).limit(limit)).all():
        _, found = held(session, gate)
        kept = session.get_one(Assignment, gate, populate_existing=True)
        if kept.follow_up_at is not None and kept.follow_up_at <= now:
            _resume(session, found, kept, "follow_up", by, now)
            counts["resumed"] += 1
        if kept.holder is not None and live_holder(kept, now) is None:
            data = {"person": kept.holder, "because": "lease"}
            _free(session, kept, now)
            record(session, found, Action.GATE_RELEASED, data, by, now)
            counts["released"] += 1
    return counts


def assignment_of(session: Session, gate: Gate) -> Assignment:
    """Who has a gate; an empty row, not yet kept, where nobody has touched it."""
    known = session.get(Assignment, gate.id, populate_existing=True)
    return known or Assignment(gate_id=gate.id, case_id=gate.case_id)


def _asked(
    session: Session, verb: Verb, gate: str, by: Provenance, now: datetime
) -> tuple[Case, Gate, Assignment, Request]:
    """The gate, held, who has it, and what is asked for about it."""
    case, found = held(session, gate)
    check_known(session, case.id, gate, by.actor)
    kept = assignment_of(session, found)
    person = answering(session, by.actor, ActorKind.PERSON)
    if person is None:
        raise refusal_of(Refused(Denial.UNKNOWN_PERSON, f"nobody is known as {by.actor}"))
    request = Request(
        verb=verb,
        person=person,
        situation=situation(session, case, found, now),
        terms=stored_bundle(session, found.policy_digest).terms(found.queue, None),
        now=now,
        on_hold=kept.hold_reason is not None,
    )
    return case, found, kept, request


def _permit(request: Request) -> None:
    if refused := permitted(request):
        raise refusal_of(refused)


def _resume(
    session: Session,
    gate: Gate,
    kept: Assignment,
    because: str,
    by: Provenance,
    now: datetime,
) -> None:
    data = {"reason": kept.hold_reason, "because": because}
    restart_clocks(session, gate.id, now)
    kept.hold_reason = kept.held_at = kept.follow_up_at = None
    _keep(session, kept)
    record(session, gate, Action.GATE_RESUMED, data, by, now)


def _free(session: Session, kept: Assignment, now: datetime) -> None:
    """Take a gate from its holder; what was on hold for them is so no longer."""
    if let_go(session, kept.gate_id):
        restart_clocks(session, kept.gate_id, now)


def _keep(session: Session, kept: Assignment) -> None:
    """Work out when a claim or a hold runs out, and keep the row."""
    times = (kept.lease_until, kept.follow_up_at)
    kept.next_at = min((each for each in times if each is not None), default=None)
    session.add(kept)
    session.flush()
