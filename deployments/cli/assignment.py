"""``casework approvals``: who has a gate, and what waits for whom."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer
from sqlmodel import Session

from casework.assigning import at_gate
from casework.assignment import HoldReason
from casework.errors import InputError, NotFound
from casework.gates import ActorKind
from casework.ledger.entries import Provenance
from casework.policy.clock_entries import duration
from casework.store.assignment import assign as give
from casework.store.assignment import assignment_of
from casework.store.assignment import claim as take
from casework.store.assignment import hand_over as pass_on
from casework.store.assignment import hold as put_on_hold
from casework.store.assignment import release as give_back
from casework.store.assignment import resume as go_on
from casework.store.clocks import clocks_at
from casework.store.engine import transaction
from casework.store.gates import gate_by_id
from casework.store.next_gates import next_gate
from casework.store.people import answering
from casework.store.tables import Assignment, Gate
from deployments.cli.approvals import As
from deployments.cli.output import Json, emit, reported, table_of
from deployments.cli.setting import acting, now, opened, settled

app = typer.Typer()

COLUMNS: Final = ("id", "severity", "queue", "due_at", "holder", "lease_until", "follow_up_at")

GateId = Annotated[str, typer.Argument(help="The gate's id.")]


@app.command("next")
def next_(
    claim: Annotated[bool, typer.Option("--claim", help="Take it as well.")] = False,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Show the most urgent gate that you may answer: the most severe, then what is due first."""
    with reported(as_json):
        settings = settled()
        by, at = acting(person, settings), now()
        with transaction(opened(settings)) as session:
            who = answering(session, by.actor, ActorKind.PERSON)
            if who is None:
                raise NotFound(f"there is no person {by.actor}", hint="casework people list")
            gate = next_gate(session, who, at)
            if gate is not None and claim:
                take(session, gate.id, timedelta(minutes=settings.claim_minutes), by, at)
            row = None if gate is None else _row(session, gate, assignment_of(session, gate))
        shown = "nothing waits for you" if row is None else table_of([row], COLUMNS)
        emit({"gate": row}, as_json, shown)


@app.command()
def claim(
    gate: GateId,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Even if another has it; for leads.")
    ] = False,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Take a gate for CASEWORK_CLAIM_MINUTES; again, it renews the claim."""
    lease = timedelta(minutes=settled().claim_minutes)
    _do(
        gate,
        person,
        as_json,
        lambda session, by, at: take(session, gate, lease, by, at, take_over=take_over),
    )


@app.command()
def release(gate: GateId, person: As = "", as_json: Json = False) -> None:
    """Give a gate back to everybody."""
    _do(gate, person, as_json, lambda session, by, at: give_back(session, gate, by, at))


@app.command()
def assign(
    gate: GateId,
    to: Annotated[str, typer.Argument(help="Who is to have it.")],
    person: As = "",
    as_json: Json = False,
) -> None:
    """Give a gate to a named person; its holder or a lead may."""
    _do(gate, person, as_json, lambda session, by, at: give(session, gate, to, by, at))


@app.command()
def hold(
    gate: GateId,
    reason: Annotated[HoldReason, typer.Option(help="For whom, or for what, it waits.")],
    follow_up: Annotated[
        str, typer.Option(help="When to look again: 24h, or 2026-03-05T09:00+00:00.")
    ],
    person: As = "",
    as_json: Json = False,
) -> None:
    """Put a gate on hold; waiting for reporter, partner or vendor stops its clocks."""
    lease = timedelta(minutes=settled().claim_minutes)
    _do(
        gate,
        person,
        as_json,
        lambda session, by, at: put_on_hold(
            session, gate, reason, _moment(follow_up, at), lease, by, at
        ),
    )


@app.command()
def resume(gate: GateId, person: As = "", as_json: Json = False) -> None:
    """End the hold of a gate; its clocks run on."""
    _do(gate, person, as_json, lambda session, by, at: go_on(session, gate, by, at))


@app.command("hand-over")
def hand_over(
    gate: GateId,
    queue: Annotated[str, typer.Argument(help="A partner's queue, or the one it came from.")],
    person: As = "",
    as_json: Json = False,
) -> None:
    """Give a gate to a partner's queue, or back; its owner and its clocks stay."""
    _do(gate, person, as_json, lambda session, by, at: pass_on(session, gate, queue, by, at))


def _do(
    gate: str,
    person: str,
    as_json: bool,
    change: Callable[[Session, Provenance, datetime], Assignment],
) -> None:
    """Make one change in a transaction, and show who has the gate after it."""
    with reported(as_json):
        settings = settled()
        by, at = acting(person, settings), now()

        def changed(session: Session) -> dict[str, Any]:
            kept = change(session, by, at)
            return _row(session, gate_by_id(session, gate), kept)

        row = at_gate(opened(settings), gate, changed, by, at)
        emit({"gate": row}, as_json, table_of([row], COLUMNS))


def _row(session: Session, gate: Gate, kept: Assignment) -> dict[str, Any]:
    due = [clock.due_at for clock in clocks_at(session, gate.id).values() if not clock.ended_at]
    return {
        "id": gate.id,
        "case": gate.case_id,
        "severity": gate.severity,
        "queue": gate.queue,
        "due_at": min((each for each in due if each is not None), default=None),
        "holder": kept.holder,
        "owner": kept.owner,
        "lease_until": kept.lease_until,
        "hold_reason": kept.hold_reason,
        "follow_up_at": kept.follow_up_at,
        "locked": kept.locked_at is not None,
    }


def _moment(given: str, at: datetime) -> datetime:
    """A length from now, or a moment with its offset from UTC.

    Raises:
        InputError: it is neither.
    """
    try:
        if given.isalnum():
            return at + duration(given)
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise InputError(
            f"{given!r} is no time", hint="for example 24h, or 2026-03-05T09:00+00:00"
        ) from error
    if moment.tzinfo is None:
        raise InputError(f"{given!r} has no time zone", hint=f"for example {given}+00:00")
    return moment.astimezone(UTC)
