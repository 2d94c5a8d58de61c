"""What was decided is kept from those who may have to look at it again, wherever it is shown."""

from typing import Any

import orjson
import pytest
from sqlalchemy import Engine
from sqlmodel import select
from typer.testing import CliRunner

from casework.effects import Effect, EffectKind
from casework.errors import Conflict, Denied
from casework.incidents.report import report
from casework.ledger.entries import Provenance
from casework.qa_answering import answer_qa_gate
from casework.store.engine import reading, transaction
from casework.store.incidents.cases import attach_cases
from casework.store.incidents.story import story_of
from casework.store.outbox import enqueue
from casework.store.people import add_person
from casework.store.qa.blinding import check_sighted, hidden_from, hidden_in_story, recuse
from casework.store.qa.gates import qa_gate_by_id
from casework.store.tables import Gate, QaGate, QaItem
from deployments.cli.main import app
from tests.factories.incidents import done, opened
from tests.factories.intake import actions_in
from tests.factories.qa import BY, LATER, NOW, decided, drawn, qa_payload, staffed


@pytest.fixture
def case(engine: Engine) -> str:
    """A case that ana suspended, under a re-review that mia, max and moe may answer."""
    staffed(engine)
    [found] = decided(engine, people=["ana"])
    drawn(engine, "all")
    return found


def hidden(engine: Engine, case: str) -> set[str | None]:
    """From whom the case is hidden."""
    with reading(engine) as session:
        everybody = ("ana", "ben", "mia", "max", "sam", "nobody", None)
        return {who for who in everybody if hidden_from(session, who, [case])}


def test_a_decision_is_hidden_from_its_reviewers_until_one_has_answered(
    engine: Engine, case: str
) -> None:
    assert hidden(engine, case) == {"mia", "max", "nobody", None}
    with reading(engine) as session:
        gate = session.scalars(select(QaGate.id)).one()
        evidence = session.get_one(QaItem, qa_gate_by_id(session, gate).item_id).evidence_digest
        with pytest.raises(Denied, match="blind") as refusal:
            check_sighted(session, "mia", case)
    assert (refusal.value.reason, "qa recuse" in refusal.value.hint) == ("blind", True)
    answer_qa_gate(engine, gate, "mia", qa_payload(evidence), now=LATER)
    assert hidden(engine, case) == set()


def test_who_gives_a_re_review_up_sees_the_case_and_may_not_answer(
    engine: Engine, case: str
) -> None:
    by = Provenance("mia", "person", "test")
    with transaction(engine) as session:
        recuse(session, case, by, LATER)
    assert hidden(engine, case) == {"max", "nobody", None}
    assert actions_in(engine, case)[-1] == "qa.recused"
    with reading(engine) as session:
        gate = session.scalars(select(QaGate.id)).one()
    with pytest.raises(Denied, match="took part"):
        answer_qa_gate(engine, gate, "mia", qa_payload("0" * 64), now=LATER)
    with pytest.raises(Conflict, match="no open re-review"), transaction(engine) as session:
        recuse(session, case, by, LATER)


def shown(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == code, done.output
    return orjson.loads(done.stdout)


def test_no_command_shows_a_reviewer_what_was_decided(
    engine: Engine, case: str, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    with reading(engine) as session:
        ordinary = session.scalars(select(Gate.id)).one()
    for words in (
        ("cases", "show", case),
        ("approvals", "show", ordinary),
        ("audit", "show", case),
        ("policy", "explain", case),
    ):
        assert shown(*words, "--as", "mia", code=5)["error"]["reason"] == "blind"
        assert "say who you are" in shown(*words, code=5)["error"]["hint"]
        shown(*words, "--as", "sam")
    effect = Effect("act:g1:log", EffectKind.ACT, "log", case, {"action": "suspend"})
    with transaction(engine) as session:
        enqueue(session, [effect], BY, LATER)
        again = session.get_one(Gate, ordinary).model_dump() | {"id": "g2", "status": "open"}
        session.add(Gate(**again))
    assert shown("effects", "show", effect.key, "--as", "mia", code=5)["error"]["reason"] == "blind"
    assert shown("effects", "show", effect.key, "--as", "sam")["effect"]["kind"] == "act"
    for words, name in ((("effects", "list"), "key"), (("approvals", "list"), "proposed_action")):
        for who, is_hidden in (("mia", True), ("sam", False)):
            [rows] = shown(*words, "--as", who).values()
            assert [row[name] == "hidden" for row in rows if row["case_id"] == case] == [is_hidden]
            assert ("suspend" in str(rows)) is (not is_hidden and words[0] == "effects")
    actions = {
        who: [row["action"] for row in shown("cases", "list", "--as", who)["cases"]]
        for who in ("mia", "sam")
    }
    assert actions == {"mia": ["hidden"], "sam": ["suspend"]}
    shown("qa", "recuse", case, "--as", "mia")
    assert shown("cases", "show", case, "--as", "mia")["decisions"][-1]["actor"] == "ana"


def test_an_incidents_story_leaves_out_what_a_reviewer_must_not_know(
    engine: Engine, case: str
) -> None:
    with transaction(engine) as session:
        add_person(session, "lou", name="lou", roles=["lead"], queues=["*"], by=BY, now=NOW)
    incident = opened(engine)
    done(engine, incident, "lou", lambda s, by, at: attach_cases(s, incident, [case], by, at))
    with reading(engine) as session:
        whole = story_of(session, incident)
        hidden = hidden_in_story(session, "mia", whole)
        assert hidden_in_story(session, "sam", whole) == frozenset()
    assert hidden == {case}
    assert "suspend" in report(whole, LATER, words=True)
    seen = whole.without(hidden)
    assert "suspend" not in report(seen, LATER, words=True)
    assert {each.chain for each in whole.moments} - {each.chain for each in seen.moments} == {case}
    assert seen.cases == whole.cases
