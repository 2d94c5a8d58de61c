"""What carrying out a decision queues, in the same transaction, and what is undone by it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlmodel import Session

from casework.answering import answer_gate
from casework.cases import Route
from casework.consequences import Stands
from casework.effects import Receipt
from casework.errors import Conflict
from casework.mapping import Mapping
from casework.policy.bundle import bundle_from_files
from casework.policy.evaluate import decide, frame
from casework.policy.model import Bundle
from casework.store.carrying import carry_out
from casework.store.consequences import standing_at
from casework.store.decisions import record_outcomes
from casework.store.effects import retry_effect
from casework.store.engine import reading, transaction
from casework.store.facts import rows_for_policy
from casework.store.gates import gate_by_id
from casework.store.intake_run import run_intake
from casework.store.ledger import entries_of
from casework.store.outbox import effect_by_key, list_effects
from casework.store.policy import adopt_bundle
from casework.store.sending import note_sent
from casework.store.straight import StraightThrough
from casework.store.tables import Case
from integrations.patterns import PatternProvider
from tests.factories.effects import LEAVING, leaving_bundle, take
from tests.factories.enriched import enriched_case
from tests.factories.gates import BY, NOW, add_people, answer, next_gate, waiting_case
from tests.factories.intake import row, rows_file

DAY, END = timedelta(days=1), NOW + timedelta(days=7)


def decided(engine: Engine, action: str | None = "suspend", verdict: str = "approve") -> str:
    """A case decided so by one person and carried out; its gate."""
    add_people(engine)
    gate = waiting_case(engine, bundle=leaving_bundle())
    answer_gate(engine, gate, "ana", answer(action=action, verdict=verdict), now=NOW)
    carry(engine, gate)
    return gate


def carry(engine: Engine, gate: str, now: datetime = NOW) -> str | None:
    with transaction(engine) as session:
        return carry_out(session, gate, BY, now).following


def decided_next(engine: Engine, first: str, action: str, now: datetime) -> str:
    """The next gate of the same revision, decided so and carried out."""
    gate = next_gate(engine, first)
    answer_gate(engine, gate, "ana", answer(action=action), now=now)
    carry(engine, gate, now)
    return gate


def queued(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return [row.key for row in list_effects(session)]


def stands(session: Session, gate: str) -> list[Stands]:
    return standing_at(session, leaving_bundle(), gate_by_id(session, gate).case_id)


def send(engine: Engine, keys: Iterable[str], now: datetime) -> None:
    wanted = set(keys)
    for claimed in take(engine, destination="platform", now=now):
        assert claimed.effect.key in wanted
        with transaction(engine) as session:
            note_sent(session, claimed, Receipt(), BY, now)


def test_what_is_carried_out_leaves_once_however_often_it_is_carried_out(engine: Engine) -> None:
    gate = decided(engine)
    carry(engine, gate)
    assert queued(engine) == [f"act:{gate}:platform", f"reverse:{gate}:platform"]
    with reading(engine) as session:
        actions = [e.action for e in entries_of(session, gate_by_id(session, gate).case_id)]
    assert actions[-4:] == ["gate.carried_out", "effect.queued", "effect.queued", "case.closed"]


def test_a_refusal_causes_nothing(engine: Engine) -> None:
    decided(engine, action=None, verdict="refuse")
    assert queued(engine) == []


def test_a_suspension_ends_by_itself_after_its_time(engine: Engine) -> None:
    gate = decided(engine)
    send(engine, [f"act:{gate}:platform"], NOW)
    assert take(engine, destination="platform", now=END - DAY) == []
    with reading(engine) as session:
        assert stands(session, gate) == [Stands("suspend", gate)]
    send(engine, [f"reverse:{gate}:platform"], END)
    with reading(engine) as session:
        assert stands(session, gate) == []
        entries = entries_of(session, gate_by_id(session, gate).case_id)
    assert entries[-1].action == "effect.reversed"


def test_an_end_is_not_sent_before_what_it_ends(engine: Engine) -> None:
    gate = decided(engine)
    [act] = take(engine, destination="platform", now=END + DAY)
    assert act.effect.key == f"act:{gate}:platform"
    assert take(engine, destination="platform", now=END + DAY) == []


def test_lifting_a_suspension_brings_its_end_forward_and_ends_it_once(engine: Engine) -> None:
    gate = decided(engine)
    send(engine, [f"act:{gate}:platform"], NOW)
    decided_next(engine, gate, "unsuspend", NOW + DAY)
    assert queued(engine) == [f"act:{gate}:platform", f"reverse:{gate}:platform"]
    send(engine, [f"reverse:{gate}:platform"], NOW + DAY)
    assert take(engine, destination="platform", now=END + DAY) == []


@pytest.mark.parametrize(("sent", "told"), [(True, True), (False, False)])
def test_nobody_is_told_of_the_undoing_of_what_never_left(
    engine: Engine, sent: bool, told: bool
) -> None:
    line = "inverse: suspend, to: [platform]"
    actions = LEAVING["actions.yaml"].replace(
        line, "inverse: suspend, macro: warned, to: [platform, desk]"
    )
    add_people(engine)
    bundle = bundle_from_files({**LEAVING, "actions.yaml": actions})
    gate = waiting_case(engine, bundle=bundle)
    answer_gate(engine, gate, "ana", answer(action="suspend"), now=NOW)
    carry(engine, gate)
    if sent:
        send(engine, [f"act:{gate}:platform"], NOW)
    again = decided_next(engine, gate, "unsuspend", NOW + DAY)
    assert (f"reply:{again}:desk" in queued(engine)) is told


def test_suspending_again_after_the_end_is_another_action(engine: Engine) -> None:
    gate = decided(engine)
    lifted = decided_next(engine, gate, "unsuspend", NOW + DAY)
    again = decided_next(engine, lifted, "suspend", NOW + 2 * DAY)
    assert f"act:{again}:platform" in queued(engine)
    assert f"reverse:{again}:platform" in queued(engine)
    with reading(engine) as session:
        assert stands(session, gate) == [Stands("suspend", again)]


def test_what_has_been_undone_is_not_done_again_by_a_retry(engine: Engine) -> None:
    gate = decided(engine)
    act = f"act:{gate}:platform"
    with transaction(engine) as session:
        effect_by_key(session, act).status = "dead"
    send(engine, [f"reverse:{gate}:platform"], END)
    with pytest.raises(Conflict, match="undone since"), transaction(engine) as session:
        retry_effect(session, act, BY, END)


def test_an_action_that_reopens_sends_the_case_back_to_people(engine: Engine) -> None:
    add_people(engine)
    actions = LEAVING["actions.yaml"].replace("macro: warned,", "reopens: true,")
    bundle = bundle_from_files({**LEAVING, "actions.yaml": actions})
    gate = waiting_case(engine, bundle=bundle)
    answer_gate(engine, gate, "ana", answer(action="warn"), now=NOW)
    following = carry(engine, gate)
    assert following is not None
    with reading(engine) as session:
        found = gate_by_id(session, following)
        case = session.get_one(Case, found.case_id)
    assert (found.status, found.queue, found.requested_by) == ("open", "general", "ana")
    assert found.reason == "reopened in general"
    assert case.status == "waiting"


def warning_bundle() -> Bundle:
    """A bundle whose machine closes spam with a warning, which leaves."""
    rules = LEAVING["rules.yaml"].replace("action: no_action, reason: S", "action: warn, reason: S")
    return bundle_from_files({**LEAVING, "rules.yaml": rules})


@pytest.mark.parametrize(("bundle", "expected"), [(warning_bundle(), 4), (leaving_bundle(), 0)])
def test_what_is_closed_as_it_is_read_in_causes_the_same(
    engine: Engine, tmp_path: Path, bundle: Bundle, expected: int
) -> None:
    mapping = Mapping.model_validate(
        {
            "fields": {name: name for name in ("external_id", "body")},
            "signals": {"threat": {"from": "threat", "type": "boolean"}},
        }
    )
    rows = [row(f"T-{number}", body="casino", threat=False) for number in range(2)]
    rows.append(row("T-2", body="hello", threat=False))
    path = rows_file(tmp_path / "a.jsonl", *rows)
    chosen = StraightThrough(bundle, [PatternProvider(bundle.patterns)])
    run_intake(engine, path, "i1", BY, lambda: NOW, mapping=mapping, source="test", through=chosen)
    with reading(engine) as session:
        effects = list_effects(session)
        closed = list(session.scalars(select(Case.id).where(Case.status == "closed")))  # type: ignore[call-overload]
    assert len(effects) == expected
    assert {row.case_id for row in effects} == (set(closed) if expected else set())
    assert len(closed) == 2


def test_closing_by_machine_queues_what_its_action_causes(engine: Engine) -> None:
    bundle = warning_bundle()
    signals = {"patterns": {"spam": True}, "source": {"threat": False}}
    cases = [enriched_case(engine, f"T-{number}", signals) for number in range(3)]
    with transaction(engine) as session:
        adopt_bundle(session, bundle, BY, NOW)
    with reading(engine) as session:
        facts = rows_for_policy(session, cases)
    outcomes = decide(bundle, frame(bundle, [each.row for each in facts]))
    assert {outcome["route"] for outcome in outcomes} == {Route.CLOSE}
    for _ in range(2):
        with transaction(engine) as session:
            record_outcomes(session, bundle, facts, outcomes, BY, NOW)
    with reading(engine) as session:
        effects = list_effects(session)
    assert sorted(f"{row.kind} {row.case_id}" for row in effects) == sorted(
        f"{kind} {case}" for case in cases for kind in ("reply", "set_status")
    )


def test_a_bundle_without_destinations_lets_a_decision_go_nowhere(engine: Engine) -> None:
    add_people(engine)
    gate = waiting_case(engine)
    answer_gate(engine, gate, "ana", answer(action="suspend"), now=NOW)
    carry(engine, gate)
    assert queued(engine) == []
    with reading(engine) as session:
        assert session.get_one(Case, gate_by_id(session, gate).case_id).status == "closed"
