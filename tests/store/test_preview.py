"""What an answer would do outside, as it is shown before, is what the answer then does.

Each way in which the effects of an earlier decision can stand, for earlier actions,
each later one about the same content.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Engine, text

from casework.answering import answer_gate
from casework.effects import Effect, EffectKind, EffectStatus, Receipt
from casework.errors import CaseworkError, ProviderTimeout, RateLimited
from casework.ledger.entries import Action
from casework.policy.bundle import bundle_from_files
from casework.store.carrying import carry_out
from casework.store.effects import discard_effect
from casework.store.engine import reading, transaction
from casework.store.gates import gate_by_id
from casework.store.ledger import entries_of
from casework.store.outbox import list_effects
from casework.store.sending import Claimed, claim, note_failure, note_sent
from casework.store.tables import QueuedEffect
from casework.store.texts import Foreseen, preview, text_of
from tests.factories.effects import LEAVING, queue
from tests.factories.gates import BY, NOW, add_people, answer, next_gate, waiting_case

DAY = timedelta(days=1)
OVER = NOW + 8 * DAY  # a suspension ends after seven

BUNDLE = bundle_from_files(
    {
        **LEAVING,
        "destinations.yaml": LEAVING["destinations.yaml"]
        + "on_call: {type: log, takes: [page, resolve]}\n",
        "actions.yaml": LEAVING["actions.yaml"].replace(
            "inverse: suspend, to: [platform]",
            "inverse: suspend, macro: warned, to: [platform, desk]",
        ),
        "queues.yaml": LEAVING["queues.yaml"].replace("warn, ban]", "warn, ban, lift_ban]"),
    }
)

#: Earlier and later decisions: undone, replaced, done anew, not to be undone, left as it is.
PAIRS = (
    ("suspend", "unsuspend"),
    ("suspend", "ban"),
    ("suspend", "warn"),
    ("suspend", "suspend"),
    ("suspend", None),
    ("ban", "lift_ban"),
    ("ban", "suspend"),
    ("ban", "no_action"),
    ("warn", "ban"),
    ("warn", "no_action"),
)

#: Key, and what of an effect an answer can change.
_Outbox: TypeAlias = dict[str, tuple[str, datetime, datetime | None]]


@dataclass(frozen=True, slots=True)
class At:
    """A case about which something was decided, and the store that it is in."""

    engine: Engine
    case: str

    def rows(self) -> list[QueuedEffect]:
        with reading(self.engine) as session:
            return list_effects(session, case_id=self.case)

    def taken(self, now: datetime, *destinations: str) -> Iterator[Claimed]:
        """What a sender takes in hand, one after another."""
        for destination in destinations or ("platform", "desk"):
            with transaction(self.engine) as session:
                # What fails at one case must not rest the destination of the next.
                session.execute(text("DELETE FROM breakers"))
                yield from claim(session, destination, 10, "sender", now, self.case)

    def send(self, now: datetime, *destinations: str) -> None:
        for claimed in list(self.taken(now, *destinations)):
            with transaction(self.engine) as session:
                assert note_sent(session, claimed, Receipt(), BY, now)

    def fail(self, error: CaseworkError, now: datetime, retry_at: datetime | None) -> None:
        for claimed in list(self.taken(now)):
            with transaction(self.engine) as session:
                note_failure(session, claimed, error, retry_at, BY, now)

    def discard(self) -> None:
        for row in self.rows():
            if row.kind != EffectKind.REVERSE:
                with transaction(self.engine) as session:
                    discard_effect(session, row.key, "by hand", BY, NOW)


def ended(at: At, *, how: Callable[[At], None]) -> None:
    """Send what was done, and when its time is over do something about its end."""
    at.send(NOW)
    how(at)


#: How the effects of the earlier decision stand, and when the later one is taken.
SITUATIONS: dict[str, tuple[Callable[[At], object], datetime]] = {
    "unsent": (lambda at: None, NOW + DAY),
    "in hand": (lambda at: list(at.taken(NOW)), NOW),
    "refused for now": (lambda at: at.fail(RateLimited("busy"), NOW, NOW + DAY), NOW),
    "perhaps taken": (lambda at: at.fail(ProviderTimeout("late"), NOW, NOW + DAY), NOW),
    "dead, refused": (lambda at: at.fail(RateLimited("busy"), NOW, None), NOW),
    "dead, perhaps taken": (lambda at: at.fail(ProviderTimeout("late"), NOW, None), NOW),
    "discarded": (lambda at: at.discard(), NOW),
    "sent to one of two": (lambda at: at.send(NOW, "platform"), NOW),
    "sent": (lambda at: at.send(NOW), NOW + DAY),
    "over, its end is due": (lambda at: at.send(NOW), OVER),
    "over, its end is sent": (lambda at: ended(at, how=lambda at: at.send(OVER)), OVER),
    "over, its end is dead": (
        lambda at: ended(at, how=lambda at: at.fail(ProviderTimeout("late"), OVER, None)),
        OVER,
    ),
}


def decide(engine: Engine, gate: str, external: str, action: str | None, now: datetime) -> None:
    """Have as many people answer as it takes, and carry it out."""
    verdict = "refuse" if action is None else "approve"
    given = answer(external, verdict=verdict, action=action)
    for person in ("ana", "ben"):
        if answer_gate(engine, gate, person, given, now=now).decided:
            break
    with transaction(engine) as session:
        carry_out(session, gate, BY, now)


def paged_gate(engine: Engine, at: At, first: str) -> str:
    """The next gate of the same content, about which on call was paged."""
    gate = next_gate(engine, first)
    queue(engine, Effect(f"page:{gate}", EffectKind.PAGE, "on_call", at.case, {"gate": gate}))
    return gate


def foreseen(engine: Engine, gate: str, action: str | None, now: datetime) -> Foreseen:
    with reading(engine) as session:
        return preview(session, gate_by_id(session, gate), action, None, BY, now)


def outbox(at: At) -> _Outbox:
    return {row.key: (row.status, row.due_at, row.not_before) for row in at.rows()}


def gone(at: At, before: _Outbox, now: datetime) -> list[tuple[Any, ...]]:
    """What waits to be sent that did not before, or not yet."""
    told = []
    for row in at.rows():
        was = before.get(row.key)
        if row.status == EffectStatus.WAITING and was != (row.status, row.due_at, row.not_before):
            effect = Effect(row.key, EffectKind(row.kind), row.destination, row.case_id, row.data)
            when = row.not_before if row.not_before and row.not_before > now else None
            with reading(at.engine) as session:
                told.append((row.kind, row.destination, text_of(session, effect, BUNDLE), when))
    return sorted(told, key=str)


def cancelled(at: At, before: _Outbox) -> list[tuple[Any, ...]]:
    return sorted(
        (row.kind, row.destination)
        for row in at.rows()
        if row.status == EffectStatus.CANCELLED and before[row.key][0] != EffectStatus.CANCELLED
    )


def stays(at: At, gate: str) -> list[str]:
    """The titles of what the history says that the decision could not undo."""
    with reading(at.engine) as session:
        entries = [e for e in entries_of(session, at.case) if e.action == Action.ACTION_REPLACED]
    told = [json.loads(entry.body)["data"] for entry in entries]
    return [
        BUNDLE.actions[each].title
        for entry in told
        if entry["gate"] == gate
        for each in entry["stays"]
    ]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_shown_before_an_answer_is_what_the_answer_causes(
    engine: Engine, situation: str
) -> None:
    add_people(engine)
    happens, now = SITUATIONS[situation]
    for earlier, later in PAIRS:
        external = f"{earlier}-{later}"
        first = waiting_case(engine, external, bundle=BUNDLE)
        decide(engine, first, external, earlier, NOW)
        with reading(engine) as session:
            at = At(engine, gate_by_id(session, first).case_id)
        happens(at)
        gate = paged_gate(engine, at, first)
        before, ahead = outbox(at), foreseen(engine, gate, later, now)
        assert outbox(at) == before, "looking changes nothing"
        decide(engine, gate, external, later, now)
        going = sorted(((e.kind, e.destination, e.text, e.when) for e in ahead.going), key=str)
        assert going == gone(at, before, now), external
        assert sorted((e.kind, e.destination) for e in ahead.cancelled) == cancelled(at, before)
        assert list(ahead.stays) == stays(at, gate), external


def suspended(engine: Engine) -> tuple[At, str]:
    """A case about which a suspension was decided, and its next gate."""
    add_people(engine)
    first = waiting_case(engine, bundle=BUNDLE)
    decide(engine, first, "T-1", "suspend", NOW)
    with reading(engine) as session:
        at = At(engine, gate_by_id(session, first).case_id)
    return at, paged_gate(engine, at, first)


def test_what_has_not_left_is_shown_as_cancelled_and_not_as_undone(engine: Engine) -> None:
    _, gate = suspended(engine)
    ahead = foreseen(engine, gate, "no_action", NOW)
    assert [each.kind for each in ahead.going] == ["resolve"]
    end = NOW + 7 * DAY
    assert [(each.kind, each.title, each.when) for each in ahead.cancelled] == [
        ("act", "Suspend", None),
        ("reverse", "Suspend", end),
    ]


def test_an_end_that_is_due_anyway_is_shown_as_under_way(engine: Engine) -> None:
    at, gate = suspended(engine)
    at.send(NOW)
    ahead = foreseen(engine, gate, "unsuspend", OVER)
    assert [(each.kind, each.destination) for each in ahead.under_way] == [("reverse", "platform")]
