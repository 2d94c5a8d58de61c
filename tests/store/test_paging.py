"""Those whom a ladder has told about a gate are told, once each, that it is taken and over."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.effects import Effect, EffectKind, EffectStatus
from casework.store.assignment import claim, release
from casework.store.carrying import carry_out
from casework.store.engine import reading, transaction
from casework.store.escalation import take_due_steps
from casework.store.gates import gate_by_id
from casework.store.outbox import enqueue, list_effects
from casework.store.paging import earlier_references
from casework.store.tables import QueuedEffect
from tests.factories.escalation import (
    HOUR,
    LEASE,
    MINUTE,
    actions,
    add_everybody,
    outbox,
    person,
    timed_case,
)
from tests.factories.gates import BY, NOW, answer
from tests.factories.intake import row, rows_file, taken_in


@pytest.fixture
def gate(engine: Engine) -> str:
    """A gate at P0 that on call was paged for, and the chat reminded of."""
    add_everybody(engine)
    gate = timed_case(engine)
    for minutes in (0, 16):
        with transaction(engine) as session:
            take_due_steps(session, BY, NOW + minutes * MINUTE)
    return gate


def claimed(engine: Engine, gate: str, name: str = "ana", minutes: int = 17) -> None:
    with transaction(engine) as session:
        claim(session, gate, LEASE, person(name), NOW + minutes * MINUTE)


def ends(engine: Engine) -> list[QueuedEffect]:
    """The acknowledgements and resolutions that are to be sent, by key."""
    return [each for each in outbox(engine) if each.kind in ("acknowledge", "resolve")]


def test_the_first_claim_acknowledges_at_each_destination_that_was_told(
    engine: Engine, gate: str
) -> None:
    claimed(engine, gate)
    claimed(engine, gate, minutes=20)
    with transaction(engine) as session:
        release(session, gate, person("ana"), NOW + 21 * MINUTE)
    claimed(engine, gate, "ben", minutes=22)
    assert [each.key for each in ends(engine)] == [
        f"acknowledge:{gate}:chat",
        f"acknowledge:{gate}:on_call",
    ]
    assert {each.data["by"] for each in ends(engine)} == {"ana"}


def test_an_end_is_sent_after_the_last_that_was_sent_before(engine: Engine, gate: str) -> None:
    claimed(engine, gate)
    answer_gate(engine, gate, "ana", answer(), now=NOW + 18 * MINUTE)
    after = {each.key: each.after for each in ends(engine)}
    page = f"{gate}:decision:2026-03-02T09:30:00.000000Z:page"
    assert after[f"acknowledge:{gate}:on_call"] == page
    assert after[f"resolve:{gate}:on_call"] == f"acknowledge:{gate}:on_call"


def test_a_decision_resolves_with_what_was_decided_in_its_own_transaction(
    engine: Engine, gate: str
) -> None:
    answer_gate(engine, gate, "ana", answer(), now=NOW + 18 * MINUTE)
    found = ends(engine)
    assert [each.key for each in found] == [f"resolve:{gate}:chat", f"resolve:{gate}:on_call"]
    assert found[0].data == {
        "gate": gate,
        "queue": "general",
        "severity": "P0",
        "verdict": "approve",
        "action": "no_action",
        "by": "ana",
    }
    assert actions(engine, gate)[-3:] == ["gate.decided", "effect.queued", "effect.queued"]
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW + HOUR)
    assert len(ends(engine)) == 2


def test_the_first_of_two_answers_acknowledges_and_the_second_resolves(engine: Engine) -> None:
    add_everybody(engine)
    gate = timed_case(engine, queue="legal")
    told = Effect("k", EffectKind.PAGE, "on_call", case_of(engine, gate), {"gate": gate})
    with transaction(engine) as session:
        enqueue(session, [told], BY, NOW)
    answer_gate(engine, gate, "lea", answer(action="ban"), now=NOW + MINUTE)
    assert [each.kind for each in ends(engine)] == ["acknowledge"]
    answer_gate(engine, gate, "leo", answer(action="ban"), now=NOW + MINUTE)
    assert [each.kind for each in ends(engine)] == ["acknowledge", "resolve"]


def case_of(engine: Engine, gate: str) -> str:
    with reading(engine) as session:
        return gate_by_id(session, gate).case_id


def test_newer_content_resolves_what_the_gate_it_supersedes_was_paged_for(
    engine: Engine, gate: str, tmp_path: Path
) -> None:
    taken_in(engine, rows_file(tmp_path / "a.jsonl", row("T-1", body="other words")), source="test")
    assert [each.kind for each in ends(engine)] == ["resolve", "resolve"]
    assert "by" not in ends(engine)[0].data, "nobody decided it"
    assert actions(engine, gate)[-3] == "gate.superseded"


def test_where_nobody_was_told_nobody_is_told_that_it_is_over(engine: Engine, gate: str) -> None:
    other = timed_case(engine, "T-2", severity="P3")
    claimed(engine, other)
    answer_gate(engine, other, "ana", answer("T-2"), now=NOW + 18 * MINUTE)
    assert ends(engine) == []


def test_a_destination_that_takes_no_ends_is_sent_none(engine: Engine) -> None:
    add_everybody(engine)
    gate = timed_case(engine)
    told = Effect("k", EffectKind.NOTIFY, "gone", case_of(engine, gate), {"gate": gate})
    with transaction(engine) as session:
        enqueue(session, [told], BY, NOW)
    claimed(engine, gate)
    assert ends(engine) == []


def test_an_end_knows_what_was_sent_about_its_own_gate(engine: Engine, gate: str) -> None:
    case = case_of(engine, gate)
    others = [
        Effect("other", EffectKind.PAGE, "on_call", case, {"gate": "another"}),
        Effect("unsent", EffectKind.PAGE, "on_call", case, {"gate": gate}),
    ]
    with transaction(engine) as session:
        enqueue(session, others, BY, NOW)
        for each in list_effects(session):
            if each.key == "unsent":
                continue
            each.reference, each.status = f"ref-{each.key[-4:]}", EffectStatus.SENT
            session.add(each)
    over = Effect("x", EffectKind.RESOLVE, "on_call", case, {"gate": gate})
    with reading(engine) as session:
        assert earlier_references(session, over) == ("ref-page",)
        whole = Effect("x", EffectKind.RESOLVE, "on_call", case, {})
        assert set(earlier_references(session, whole)) == {"ref-page", "ref-ther"}
        assert earlier_references(session, others[0]) == ()
