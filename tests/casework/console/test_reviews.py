"""Re-review in the console: blind, refused to those who took part, and one way to answer."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from casework.console.app import create_app
from casework.console.rendering import on_a_page
from casework.effects import Effect, EffectKind, EffectStatus
from casework.exposure import Budget
from casework.store.engine import reading, transaction
from casework.store.ledger import entries_of
from casework.store.outbox import effect_by_key, enqueue
from casework.store.people import change_person
from casework.store.qa.gates import qa_gate_by_id
from casework.store.tables import Case, Gate, QaItem
from tests.casework.console.asking import post
from tests.casework.console.conftest import Prefect, SignIn
from tests.factories.consoles import console_of
from tests.factories.qa import BY, LATER, decided, drawn, mark_cases, qa_bundle, staffed


@pytest.fixture
def now() -> datetime:
    """After the round was drawn."""
    return LATER


@pytest.fixture
def engine(bare_engine: Engine) -> Engine:
    """Two decisions of people, each to be looked at by two reviewers."""
    staffed(bare_engine)
    decided(bare_engine, people=["ana", "ben"])
    drawn(bare_engine, "twice")
    return bare_engine


@pytest.fixture
def app(engine: Engine, prefect: Prefect, now: datetime) -> Any:
    """A console under the policy that has the plans."""
    return create_app(console_of(engine, lambda: now, prefect.wake, bundle=qa_bundle()))


def waiting(client: Any) -> list[str]:
    page = client.get("/qa").text.split("<main")[1]
    return [part.split('"')[0] for part in page.split('href="/qa/')[1:]]


def evidence_at(engine: Engine, gate: str) -> str:
    with reading(engine) as session:
        item = session.get_one(QaItem, qa_gate_by_id(session, gate).item_id)
        return item.evidence_digest


def answer(client: Any, engine: Engine, gate: str, **fields: str) -> Any:
    form = {"verdict": "refuse", "rationale": "it is civil", "evidence": evidence_at(engine, gate)}
    return post(client, f"/qa/{gate}/answer", **{**form, **fields})


def test_a_reviewer_sees_the_evidence_and_nothing_of_the_decision(
    signed_in: SignIn, engine: Engine
) -> None:
    client = signed_in("mia")
    gate = waiting(client)[0]
    page = client.get(f"/qa/{gate}").text
    assert "secret body of P-" in page
    for hidden in ("because of the test", "ana", "ben", "selected"):
        assert hidden not in page.split("<main")[1].split("</main>")[0]
    with reading(engine) as session:
        last = entries_of(session, qa_gate_by_id(session, gate).case_id)[-1]
    assert (last.action, last.actor) == ("case.viewed", "mia")


def test_who_decided_may_neither_see_nor_answer(signed_in: SignIn, engine: Engine) -> None:
    gate = waiting(signed_in("mia"))[0]
    for who in ("ana", "ben"):
        assert waiting(signed_in(who)) == []
        refused = signed_in(who).get(f"/qa/{gate}")
        assert (refused.status_code, "secret body" in refused.text) == (403, False)
        assert answer(signed_in(who), engine, gate).status_code == 403
    with reading(engine) as session:
        assert qa_gate_by_id(session, gate).status == "open"


def test_an_answer_is_taken_once_and_a_refused_one_keeps_what_was_written(
    signed_in: SignIn, engine: Engine
) -> None:
    client = signed_in("mia")
    gate = waiting(client)[0]
    stale = answer(client, engine, gate, evidence="0" * 64, rationale="a long reason")
    assert (stale.status_code, "a long reason" in stale.text) == (409, True)
    done = answer(client, engine, gate)
    assert "Taken." in client.get(done.headers["location"]).text
    assert gate not in waiting(client)
    assert answer(client, engine, gate).status_code in (403, 409)


def test_an_adjudicator_sees_the_decisions_without_names_and_must_name_the_error(
    signed_in: SignIn, engine: Engine
) -> None:
    for who in ("mia", "max"):
        for gate in waiting(signed_in(who)):
            answer(signed_in(who), engine, gate)
    client = signed_in("sam")
    gate = waiting(client)[0]
    page = client.get(f"/qa/{gate}").text
    body = page.split("<main")[1].split("</main>")[0]
    assert "reviewer 1" in body
    assert not any(name in body for name in (">mia<", ">max<", ">ana<", ">ben<"))
    assert answer(client, engine, gate).status_code == 403, "no class of error"
    taken = answer(client, engine, gate, error="false_positive")
    assert taken.headers["location"].startswith("/qa?answered=")


def test_the_case_of_an_open_re_review_is_closed_to_its_reviewers_until_they_give_it_up(
    signed_in: SignIn, engine: Engine
) -> None:
    browser, [gate, *_] = signed_in("mia"), waiting(signed_in("mia"))
    with reading(engine) as session:
        case = qa_gate_by_id(session, gate).case_id
    closed = browser.get(f"/cases/{case}")
    assert closed.status_code == 403
    assert "because of the test" not in closed.text
    assert signed_in("sam").get(f"/cases/{case}").status_code == 200
    assert post(browser, f"/cases/{case}/recuse").headers["location"] == f"/cases/{case}"
    assert browser.get(f"/cases/{case}").status_code == 200
    assert gate not in waiting(browser)


def test_lists_tell_a_reviewer_nothing_of_what_was_decided(
    signed_in: SignIn, engine: Engine
) -> None:
    with reading(engine) as session:
        case, _ = sorted(session.scalars(select(Case.id)))
    with transaction(engine) as session:
        change_person(session, "mia", roles=["qa", "lead", "analyst"], by=BY, now=LATER)
        change_person(session, "sam", roles=["lead", "analyst"], by=BY, now=LATER)
        made = Effect("reply:g1:log", EffectKind.REPLY, "log", case)
        enqueue(session, [made], BY, LATER)
        effect_by_key(session, made.key).status = EffectStatus.DEAD
        [gate] = session.scalars(select(Gate).where(col(Gate.case_id) == case))
        again = {"id": "g2", "status": "open", "reason": "suspended wrongly"}
        session.add(Gate(**(gate.model_dump() | again)))
    mia, sam = signed_in("mia"), signed_in("sam")
    assert "suspended wrongly" in sam.get("/queues/general").text
    assert "suspended wrongly" not in mia.get("/queues/general").text
    assert made.key in sam.get("/leads/effects").text
    page = mia.get("/leads/effects").text
    assert made.key not in page
    assert "kept for your re-review" in page
    assert post(mia, "/leads/effects/retry", key=made.key).status_code == 403
    assert post(sam, "/leads/effects/retry", key=made.key).status_code == 303


def test_who_goes_back_to_what_they_answered_is_told_so_and_led_on(
    signed_in: SignIn, engine: Engine
) -> None:
    client = signed_in("mia")
    gate, following = waiting(client)[:2]
    assert f'id="next" accesskey="n" href="/qa/{gate}"' in client.get("/qa").text
    answer(client, engine, gate)
    back = client.get(f"/qa/{gate}")
    assert (back.status_code, "secret body" in back.text) == (403, False)
    assert "You have answered this re-review" in back.text
    assert f'id="next" accesskey="n" href="/qa/{following}"' in back.text
    again = answer(client, engine, gate)
    assert "You have answered this re-review" in again.text
    with reading(engine) as session:
        case = qa_gate_by_id(session, following).case_id
    post(client, f"/cases/{case}/recuse")
    assert "This re-review is for others" in client.get(f"/qa/{following}").text


def test_no_page_tells_of_a_command(signed_in: SignIn) -> None:
    page = signed_in("mia").get("/qa/q0")
    assert page.status_code == 404
    assert "There is no QA gate q0" in page.text
    assert "casework qa" not in page.text


@pytest.mark.parametrize(
    ("hint", "left"),
    [
        ("did you mean `daily`?", "did you mean `daily`?"),
        ("an administrator does: casework people link-in ID", "an administrator does"),
        ("run: casework db upgrade", ""),
        ("casework approvals list", ""),
        ("put it into the bundle, then: casework effects retry KEY", ""),
        ("--since 30d, --until 2026-03-01", ""),
    ],
)
def test_of_a_hint_a_page_shows_what_needs_no_terminal(hint: str, left: str) -> None:
    assert on_a_page(hint) == left


@pytest.fixture
def marked(engine: Engine, app: Any) -> None:
    """The decisions are of a marked category, and a day should hold one of them."""
    bundle = replace(qa_bundle(), exposure=Budget(items=1))
    app.state.console = replace(app.state.console, bundle=bundle)
    mark_cases(engine)


@pytest.mark.usefixtures("marked")
def test_marked_content_of_a_re_review_is_not_sent_until_it_is_asked_for(
    signed_in: SignIn, engine: Engine
) -> None:
    client = signed_in("mia")
    gate, other = waiting(client)[:2]
    page = client.get(f"/qa/{gate}").text
    assert "secret body of P-" not in page
    assert "Show it" in page
    assert 'id="answer"' not in page
    assert looks(engine, gate) == []
    shown = post(client, f"/qa/{gate}/reveal").text
    assert "secret body of P-" in shown
    assert 'class="said greyscale"' in shown
    assert 'id="answer"' in shown
    assert looks(engine, gate) == ["conduct"]
    assert "1 of 1 marked cases" in client.get("/qa").text
    paused = post(client, f"/qa/{other}/reveal").text
    assert ("Time for a pause" in paused, "secret body" in paused) == (True, False)
    assert "secret body" in post(client, f"/qa/{other}/reveal", anyway="true").text


@pytest.mark.usefixtures("marked")
def test_who_may_not_answer_a_re_review_cannot_uncover_it(
    signed_in: SignIn, engine: Engine
) -> None:
    gate = waiting(signed_in("mia"))[0]
    refused = post(signed_in("ana"), f"/qa/{gate}/reveal")
    assert (refused.status_code, "secret body" in refused.text) == (403, False)
    assert looks(engine, gate) == []


def looks(engine: Engine, gate: str) -> list[str]:
    """The marked category of each look at a re-review's case."""
    with reading(engine) as session:
        entries = entries_of(session, qa_gate_by_id(session, gate).case_id)
    seen = [orjson.loads(each.body)["data"] for each in entries if each.action == "case.viewed"]
    return [each.get("marked", "") for each in seen]
