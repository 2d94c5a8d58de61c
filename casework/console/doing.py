"""What people do in the console, as its pages and its API both do it."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from sqlmodel import Session

from casework.answering import WAKE_SECONDS, Taken, answer_gate, reverse_action
from casework.assigning import at_gate
from casework.console.identity import Visit
from casework.console.ports import Console
from casework.console.readable import check_shown, is_readable, readable_gate
from casework.errors import EngineError, NotFound
from casework.evidence import seen_in_full
from casework.gates import ActorKind
from casework.qa.reviews import GateKind
from casework.qa_answering import look_at_qa_gate
from casework.store.cases import find_case
from casework.store.effects import retry_effect
from casework.store.engine import reading, transaction
from casework.store.gates import gate_by_id
from casework.store.next_gates import claim_next
from casework.store.outbox import effect_by_key
from casework.store.people import answering
from casework.store.qa.blinding import check_sighted
from casework.store.restrictions import is_hidden
from casework.store.retrying import Correction, Retried, retry_row
from casework.store.reversal import Reversal
from casework.store.tables import Gate, QueuedEffect

Change: TypeAlias = Callable[[Session, datetime], object]


def take_next(console: Console, visit: Visit, *, sparing: bool = False) -> Gate | None:
    """Claim the most urgent gate one may answer; None where nothing waits.

    Sparing them leaves out what is of a marked category.
    """
    with transaction(console.engine) as session:
        person = answering(session, visit.viewer.id, ActorKind.PERSON)
        if person is None:
            return None
        now, lease = console.clock(), console.lease
        return claim_next(session, person, lease, visit.by, now, sparing=sparing)


def named_case(console: Console, visit: Visit, reference: str) -> str:
    """The id of the case that a gate, an id or ``source:external id`` names.

    Raises:
        NotFound: there is none, or the viewer may not read it.
    """
    wanted = reference.strip()
    with reading(console.engine) as session:
        case_id = _named(session, wanted)
        if case_id is None or not is_readable(session, visit, case_id):
            raise NotFound(f"there is no case {wanted} among yours")
        return case_id


def case_of_gate(console: Console, visit: Visit, gate: str) -> str:
    """The case of a gate, which the viewer must be able to read.

    Raises:
        NotFound: there is no such gate, or the viewer may not read its case.
    """
    with reading(console.engine) as session:
        return readable_gate(session, visit, gate).case_id


def change_at_gate(console: Console, visit: Visit, gate: str, change: Change) -> None:
    """Change who has a gate; a refusal is in the history.

    Raises:
        Denied: this person may not.
        Conflict: somebody else has it, or it has been decided.
    """
    now = console.clock()
    at_gate(console.engine, gate, lambda session: change(session, now), visit.by, now)


def take_answer_at(console: Console, visit: Visit, gate: str, given: Mapping[str, str]) -> Taken:
    """Put an answer before the guard.

    Raises:
        Denied: the guard refused it.
        Conflict: somebody was faster, or the evidence is another.
    """
    with reading(console.engine) as session:
        digest = gate_by_id(session, gate).evidence_digest
    payload = _plain(given) | {"evidence_digest": seen_in_full(digest, given["evidence"])}
    return answer_gate(console.engine, gate, visit.viewer.id, payload, now=console.clock())


async def wake(console: Console, taken: Taken) -> bool:
    """Wake the run of a decided gate; False where that has to wait."""
    if not taken.decided or taken.flow_run_id is None:
        return False
    try:
        return await asyncio.wait_for(console.wake(taken.flow_run_id), WAKE_SECONDS)
    except (EngineError, TimeoutError):
        # The decision is taken; the reconciler wakes the run when Prefect is back.
        return False


def undo(
    console: Console, visit: Visit, case_id: str, reason: str, action: str | None = None
) -> Reversal:
    """Have undone what was done about a closed case: the newest, or the newest called ``action``.

    Raises:
        NotFound: there is no such case, or not for the viewer.
        Denied: the guard does not let them, or they may have to review the case blind.
        Conflict: nothing stands that could be undone, or the case is not closed.
        InputError: the reason is too short to be one.
    """
    with reading(console.engine) as session:
        check_shown(session, visit, case_id)
    return reverse_action(
        console.engine, case_id, visit.viewer.id, reason, now=console.clock(), action=action
    )


def review_payload(console: Console, gate: str, given: Mapping[str, str]) -> dict[str, Any]:
    """An answer of a re-review as the guard takes it; an adjudicator's names an error, or none."""
    shown, _, _ = look_at_qa_gate(console.engine, gate)
    digest = seen_in_full(shown.item.evidence_digest, given["evidence"])
    payload = _plain(given) | {"evidence_digest": digest}
    if shown.gate.kind == GateKind.ADJUDICATION and given["error"]:
        payload["error"] = None if given["error"] == "none" else given["error"]
    return payload


def retry_dead(console: Console, visit: Visit, key: str) -> QueuedEffect:
    """Have a dead effect tried again, under its own key.

    Raises:
        NotFound: there is none, or its case is not one that the viewer may open.
        Denied: they may have to review that case, without knowing what was decided.
        Conflict: it is not dead.
    """
    with transaction(console.engine) as session:
        case = effect_by_key(session, key).case_id
        listed = is_readable(session, visit, case) if case else visit.viewer.reads is None
        if not listed:
            raise NotFound(f"there is no effect {key}", hint="casework effects list --status all")
        if case:
            check_sighted(session, visit.viewer.id, case)
        return retry_effect(session, key, visit.by, console.clock())


def retry_quarantined(console: Console, visit: Visit, row: str, correction: Correction) -> Retried:
    """Read a quarantined row again; a row of a case that the viewer may not know of is left alone.

    Raises:
        NotFound: there is no such row, or it is of such a case.
        Conflict: it waits no more.
        InputError: it still cannot become a case.
    """
    with transaction(console.engine) as session:
        done = retry_row(session, row, correction, visit.by, console.clock())
        if is_hidden(session, done.case_id, visit.viewer.id):
            raise NotFound(f"there is no quarantined row {row} among yours")
        return done


def queues_seen(console: Console, visit: Visit) -> list[str]:
    """The queues that somebody is shown: where they answer, or lead who does."""
    return [queue.id for queue in console.bundle.queues.values() if visit.viewer.sees(queue)]


def _plain(given: Mapping[str, str]) -> dict[str, Any]:
    """The fields of an answer that mean the same at every gate; what is empty is not given."""
    named = {name: given[name] or None for name in ("verdict", "action", "escalate_to", "clause")}
    return {**named, "rationale": given["rationale"]}


def _named(session: Session, reference: str) -> str | None:
    """The id of the case that a gate or a reference names; None for none."""
    gate = session.get(Gate, reference)
    if gate is not None:
        return gate.case_id
    try:
        return find_case(session, reference).id
    except NotFound:
        return None
