"""What a reviewer is shown before they send is what goes out."""

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.effects import Effect
from casework.policy.bundle import bundle_from_files
from casework.store.carrying import carry_out
from casework.store.engine import reading, transaction
from casework.store.gates import gate_by_id
from casework.store.outbox import list_effects
from casework.store.texts import preview, text_of
from tests.factories.effects import LEAVING, leaving_bundle
from tests.factories.gates import BY, NOW, add_people, answer, waiting_case


def looked_ahead(
    engine: Engine, gate: str, action: str, clause: str | None
) -> list[tuple[str, str, str]]:
    with reading(engine) as session:
        shown = preview(session, gate_by_id(session, gate), action, clause, BY, NOW)
    return sorted((each.kind, each.destination, each.text) for each in shown.going)


def gone_out(engine: Engine, gate: str) -> list[tuple[str, str, str]]:
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)
    with reading(engine) as session:
        rows = list_effects(session)
        effects = [Effect(r.key, r.kind, r.destination, r.case_id, dict(r.data)) for r in rows]
        return sorted(
            (e.kind, e.destination, text_of(session, e, leaving_bundle())) for e in effects
        )


@pytest.mark.parametrize(("action", "clause"), [("warn", "C1"), ("warn", None), ("suspend", None)])
def test_the_preview_is_word_for_word_what_goes_out(
    engine: Engine, action: str, clause: str | None
) -> None:
    add_people(engine)
    gate = waiting_case(engine, bundle=leaving_bundle())
    before = looked_ahead(engine, gate, action, clause)
    assert ("Be civil" in str(before)) == (clause is not None)
    answer_gate(engine, gate, "ana", answer(action=action, clause=clause), now=NOW)
    assert gone_out(engine, gate) == before != []


def test_the_clause_of_the_first_approval_stands_where_the_second_names_none(
    engine: Engine,
) -> None:
    add_people(engine)
    files = {**LEAVING, "macros/banned.md": "Closed for {{ clause }}."}
    gate = waiting_case(engine, bundle=bundle_from_files(files))
    with reading(engine) as session:
        first = preview(session, gate_by_id(session, gate), "ban", None, BY, NOW)
    assert [each.fault for each in first.going if each.kind == "reply"] == [
        "macro `banned` says clause, which this case does not have"
    ]
    answer_gate(engine, gate, "ana", answer(action="ban", clause="C1"), now=NOW)
    before = looked_ahead(engine, gate, "ban", None)
    assert ("reply", "desk", "Closed for C1.") in before
    answer_gate(engine, gate, "ben", answer(action="ban"), now=NOW)
    assert gone_out(engine, gate) == before
