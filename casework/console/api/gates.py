"""Who has a gate, and what is answered there; every change is ruled on by the guards."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, Field
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from casework.assignment import HoldReason
from casework.console import doing
from casework.console.access import Capability
from casework.console.api.caller import Caller, TheCall, needs
from casework.console.api.documents import Body, Document, Id, Name, Rationale, Text, example
from casework.console.api.once import OnceRoute
from casework.console.api.problems import CHANGING, declared
from casework.console.doing import Change
from casework.console.identity import TheConsole, Visit
from casework.console.ports import Console
from casework.errors import Conflict, Denied, NotFound
from casework.gates import Verdict
from casework.store.assignment import assign, claim, hand_over, hold, release, renew, resume
from casework.store.assignment import assignment_of as kept_of
from casework.store.engine import reading
from casework.store.gates import gate_by_id, live_holder
from casework.tokens import Scope

router = APIRouter(
    route_class=OnceRoute,
    tags=["gates"],
    prefix="/gates/{gate}",
    dependencies=[Depends(needs(Scope.DECIDE, Capability.WORK))],
    responses=declared(CHANGING),
)

Digest = Annotated[
    str,
    Field(
        pattern="^[0-9a-f]{12,64}$",
        description="The evidence that was read: its digest, or 12 characters or more of it.",
    ),
]


class Claim(Body):
    """How a gate is claimed."""

    model_config = example(take_over=False)

    take_over: bool = Field(False, description="Even if another has it; wants the scope `lead`.")


class Assignee(Body):
    """Who is to have a gate."""

    model_config = example(person="ben")

    person: Name


class OnHold(Body):
    """For whom, or for what, a gate waits, and when it is looked at again."""

    model_config = example(reason="reporter", follow_up_at="2026-03-05T09:00:00Z")

    reason: HoldReason
    follow_up_at: AwareDatetime


class Partner(Body):
    """Where a gate goes."""

    model_config = example(queue="legal")

    queue: Name


class AnswerIn(Body):
    """A person's answer. What does not belong to the verdict is left out."""

    model_config = example(
        verdict="approve", action="no_action", rationale="Satire of a public figure.",
        evidence="9f86d081884c7d65",
    )  # fmt: skip

    verdict: Verdict
    action: Name | None = Field(None, description="What is approved.")
    escalate_to: Name | None = Field(None, description="The queue it is handed to.")
    clause: Text | None = Field(None, max_length=200, description="The clause it rests on.")
    rationale: Rationale
    evidence: Digest

    def fields(self) -> dict[str, str]:
        """The same as the console's forms send it."""
        return {name: str(value or "") for name, value in self.model_dump(mode="json").items()}


class Held(Document):
    """Who has a gate now."""

    model_config = example(
        gate="g4f1-1-1", case="c4f1", queue="general", holder="ana",
        lease_until="2026-03-02T10:00:00Z", hold_reason=None, follow_up_at=None,
    )  # fmt: skip

    gate: str
    case: str
    queue: str
    holder: str | None
    lease_until: datetime | None
    hold_reason: str | None
    follow_up_at: datetime | None


class Answered(Document):
    """What became of an answer."""

    model_config = example(gate="g4f1-1-1", case="c4f1", decided=True, missing=0, woken=True)

    gate: str
    case: str
    decided: bool
    missing: int = Field(description="People who still have to approve the same.")
    woken: bool = Field(description="Whether it is carried out at once, or when Prefect is back.")


@router.post("/claim")
def take(console: TheConsole, call: TheCall, gate: Id, body: Claim) -> Held:
    """Claim a gate, or renew one's claim; a lead may take it over from another."""
    if body.take_over:
        call.check(Scope.LEAD)

    def change(session: Session, now: datetime) -> None:
        lease, by = console.lease, call.visit.by
        claim(session, gate, lease, by, now, take_over=body.take_over)

    return _changed(console, call.visit, gate, change)


@router.post("/renew")
def keep(console: TheConsole, visit: Caller, gate: Id) -> Held:
    """Renew one's claim; what has been lost is not taken back."""
    return _changed(
        console,
        visit,
        gate,
        lambda session, now: renew(session, gate, console.lease, visit.by, now),
    )


@router.post("/release")
def give_back(console: TheConsole, visit: Caller, gate: Id) -> Held:
    """Give a gate back to everybody."""
    return _changed(
        console, visit, gate, lambda session, now: release(session, gate, visit.by, now)
    )


@router.post("/assign")
def give(console: TheConsole, visit: Caller, gate: Id, body: Assignee) -> Held:
    """Give a gate to a named person; its holder or a lead may."""
    return _changed(
        console, visit, gate, lambda session, now: assign(session, gate, body.person, visit.by, now)
    )


@router.post("/hold")
def put_on_hold(console: TheConsole, visit: Caller, gate: Id, body: OnHold) -> Held:
    """Put a gate on hold for a reason, until a date."""

    def change(session: Session, now: datetime) -> None:
        until, lease = body.follow_up_at, console.lease
        hold(session, gate, body.reason, until, lease, visit.by, now)

    return _changed(console, visit, gate, change)


@router.post("/resume")
def go_on(console: TheConsole, visit: Caller, gate: Id) -> Held:
    """End a hold."""
    return _changed(console, visit, gate, lambda session, now: resume(session, gate, visit.by, now))


@router.post("/hand-over")
def pass_on(console: TheConsole, visit: Caller, gate: Id, body: Partner) -> Held:
    """Hand a gate over to a partner, or back to where it came from."""
    return _changed(
        console,
        visit,
        gate,
        lambda session, now: hand_over(session, gate, body.queue, visit.by, now),
    )


@router.post("/answer")
async def answer(console: TheConsole, visit: Caller, gate: Id, body: AnswerIn) -> Answered:
    """Put an answer before the guard; it is committed first, and its run woken afterwards."""
    try:
        given = body.fields()
        taken = await run_in_threadpool(doing.take_answer_at, console, visit, gate, given)
    except (Denied, Conflict, NotFound):
        # What the guard ruled is in the history; a gate of others looks like none all the same.
        doing.case_of_gate(console, visit, gate)
        raise
    return Answered(
        gate=gate,
        case=taken.case_id,
        decided=taken.decided,
        missing=taken.missing,
        woken=await doing.wake(console, taken),
    )


def _changed(console: Console, visit: Visit, gate: str, change: Change) -> Held:
    """Make a change where the caller may read the case, and say who has the gate now."""
    doing.case_of_gate(console, visit, gate)
    doing.change_at_gate(console, visit, gate, change)
    with reading(console.engine) as session:
        found = gate_by_id(session, gate)
        kept = kept_of(session, found)
        return Held(
            gate=gate,
            case=found.case_id,
            queue=found.queue,
            holder=live_holder(kept, console.clock()),
            lease_until=kept.lease_until,
            hold_reason=kept.hold_reason,
            follow_up_at=kept.follow_up_at,
        )
