"""Reading the inbox: what each post leads to, once, whatever happens on the way."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlmodel import col

import tasks.inbox
from casework.cases import case_id
from casework.effects import Effect, EffectKind, veiled
from casework.errors import StoreError
from casework.inbox.posts import Vendor
from casework.ledger.entries import SYSTEM
from casework.store.engine import reading, transaction
from casework.store.gates import answers_at, gate_by_id
from casework.store.identities import link
from casework.store.inbox import retry_message
from casework.store.ledger import entries_of
from casework.store.restrictions import alias_of, restrict
from casework.store.tables import Case, Intake, Quarantined
from integrations.pagerduty import dedup_key
from tasks.inbox import Reader, drain
from tests.factories.escalation import clocks_of, gate_of, timed_case, told
from tests.factories.gates import BY, NOW, add_people, waiting_case
from tests.factories.inbox import arrive, click, messages, outcomes, reader
from tests.factories.intake import actions_in, entry_bodies, number_of

#: External ids of Slack accounts, by person.
ACCOUNTS = {"ana": "U1", "ben": "U2", "lea": "U3", "leo": "U4"}


@pytest.fixture
def inbox(engine: Engine, tmp_path: Path) -> Reader:
    """A reader with a source for every vendor."""
    return reader(engine, tmp_path)


@pytest.fixture
def linked(engine: Engine) -> None:
    """People, and the accounts some of them have in Slack."""
    add_people(engine)
    with transaction(engine) as session:
        for person, account in ACCOUNTS.items():
            link(session, person, "slack", account, BY, NOW)


def report(number: int, text: str = "it happened") -> dict[str, Any]:
    return {"id": f"T-{number}", "text": text}


def test_reports_become_cases_and_go_the_ordinary_way(engine: Engine, inbox: Reader) -> None:
    arrive(engine, Vendor.ZENDESK, report(1))
    arrive(engine, Vendor.ZENDESK, report(2))
    arrive(engine, Vendor.ZENDESK, report(1, "more of it"))
    arrive(engine, Vendor.ZENDESK, report(2), delivery=b"the same content, sent anew")
    arrive(engine, Vendor.ZENDESK, b"not json")
    arrive(engine, Vendor.ZENDESK, {"text": "no id"})
    drained = drain(inbox)
    assert drained.counts == {"taken_in": 4, "quarantined": 2}
    with reading(engine) as session:
        [intake] = session.scalars(select(Intake))
        assert (intake.opened, intake.revised, intake.duplicates) == (2, 1, 1)
        assert (intake.quarantined, intake.status) == (2, "finished")
        case = session.get_one(Case, case_id("zendesk", "T-1"))
        assert case.revision == 2
        raws = set(session.scalars(select(col(Quarantined.raw))))
    assert raws == {b"not json", b'{"text":"no id"}'}
    assert [message.case_id for message in messages(engine)][:2] == [
        case_id("zendesk", "T-1"),
        case_id("zendesk", "T-2"),
    ]
    assert actions_in(engine, "inbox:zendesk") == ["inbox.handled"] * 6


def test_draining_again_changes_nothing(engine: Engine, inbox: Reader) -> None:
    arrive(engine, Vendor.ZENDESK, report(1))
    drain(inbox)
    before = entry_bodies(engine)
    assert drain(inbox).counts == {}
    assert entry_bodies(engine) == before


def test_a_delivery_that_comes_again_is_counted_and_no_more(engine: Engine, inbox: Reader) -> None:
    for _ in range(3):
        arrive(engine, Vendor.JIRA, b'{"webhookEvent": "user_created"}')
    drain(inbox)
    arrive(engine, Vendor.JIRA, b'{"webhookEvent": "user_created"}')
    [message] = messages(engine)
    assert (message.repeats, message.status) == (3, "done")


def test_one_report_that_breaks_the_intake_holds_up_no_other(
    engine: Engine, inbox: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in = tasks.inbox.take_in

    def breaking(session: Any, source: Any, held: Any, *more: Any) -> Any:
        if any(b"T-2" in message.body for message in held):
            raise ValueError("something that quotes geheim")
        return take_in(session, source, held, *more)

    monkeypatch.setattr(tasks.inbox, "take_in", breaking)
    for number in range(1, 4):
        arrive(engine, Vendor.ZENDESK, report(number, "geheim"))
    assert drain(inbox).counts == {"taken_in": 2, "failed": 1}
    [failed] = [message for message in messages(engine) if message.status == "failed"]
    assert (failed.outcome, failed.detail) == ("unforeseen", "ValueError")
    assert "geheim" not in entry_bodies(engine)


def test_a_store_that_is_gone_leaves_what_was_not_read_waiting(
    engine: Engine, inbox: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> None:
        raise StoreError("gone")

    arrive(engine, Vendor.ZENDESK, report(1))
    with monkeypatch.context() as patched:
        patched.setattr(tasks.inbox, "take_in", gone)
        with pytest.raises(StoreError):
            drain(inbox)
    assert outcomes(engine) == [("waiting", None)]
    assert drain(inbox).counts == {"taken_in": 1}


def test_a_source_that_is_no_longer_declared_keeps_its_posts_until_it_is(
    engine: Engine, inbox: Reader
) -> None:
    message = arrive(engine, Vendor.ZENDESK, report(1))
    without = Reader(engine, {}, inbox.by, inbox.clock)
    assert drain(without).counts == {"failed": 1}
    assert outcomes(engine) == [("failed", "not_found")]
    with transaction(engine) as session:
        retry_message(session, message, BY, NOW)
    assert drain(inbox).counts == {"taken_in": 1}


def test_a_source_that_changed_its_vendor_reads_nothing_of_the_old_one(
    engine: Engine, inbox: Reader
) -> None:
    arrive(engine, Vendor.ZENDESK, report(1))
    changed = Reader(engine, {"zendesk": inbox.sources["jira"]}, inbox.by, inbox.clock)
    assert drain(changed).counts == {"failed": 1}


def test_what_comes_while_messages_are_read_is_for_the_next_round(
    engine: Engine, inbox: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest_number = tasks.inbox.newest_number

    def and_then_another(session: Any) -> int:
        number = newest_number(session)
        arrive(engine, Vendor.ZENDESK, report(number + 1))
        return number

    arrive(engine, Vendor.ZENDESK, report(1))
    monkeypatch.setattr(tasks.inbox, "PAGE", 1)
    monkeypatch.setattr(tasks.inbox, "newest_number", and_then_another)
    assert drain(inbox).counts == {"taken_in": 1}
    assert outcomes(engine) == [("done", "taken_in"), ("waiting", None)]


def test_only_what_a_source_asks_for_becomes_a_case(engine: Engine, tmp_path: Path) -> None:
    chosen = reader(engine, tmp_path, github={"only": {"action": ["opened"]}})
    issue = {"x-github-event": "issues"}
    arrive(engine, Vendor.GITHUB, {**report(1), "action": "opened"}, headers=issue)
    arrive(engine, Vendor.GITHUB, {**report(1), "action": "labeled"}, headers=issue)
    arrive(engine, Vendor.GITHUB, {"zen": "hi"}, headers={"x-github-event": "ping"})
    assert drain(chosen).counts == {"taken_in": 1, "ignored": 2}


@pytest.mark.usefixtures("linked")
def test_a_button_decides_in_the_name_of_whoever_the_account_belongs_to(
    engine: Engine, inbox: Reader
) -> None:
    gate = waiting_case(engine)
    arrive(engine, Vendor.SLACK, click(gate, "U1", rationale="spam, no doubt"))
    drained = drain(inbox)
    assert drained.counts == {"answered": 1}
    assert drained.gates == [gate]
    with reading(engine) as session:
        [answer] = answers_at(session, gate)
        assert (answer.actor, answer.actor_kind) == ("ana", "person")
        assert answer.rationale == "spam, no doubt"
        assert gate_by_id(session, gate).status == "decided"
    assert outcomes(engine) == [("done", "answered")]
    assert messages(engine)[0].case_id == case_id("test", "T-1")


@pytest.mark.usefixtures("linked")
def test_an_account_that_is_nobodys_is_denied_and_the_attempt_recorded(
    engine: Engine, inbox: Reader
) -> None:
    gate = waiting_case(engine)
    arrive(engine, Vendor.SLACK, click(gate, "U999"))
    assert drain(inbox).counts == {"denied": 1}
    with reading(engine) as session:
        assert answers_at(session, gate) == []
        assert gate_by_id(session, gate).status == "open"
        [denied] = [
            entry
            for entry in entries_of(session, gate_by_id(session, gate).case_id)
            if entry.action == "gate.denied"
        ]
    assert denied.actor == "slack:U999"
    assert '"reason":"unknown_person"' in denied.body
    assert messages(engine)[0].detail == "unknown_person"


@pytest.mark.usefixtures("linked")
def test_a_gate_that_needs_two_people_takes_two_accounts_of_two_people(
    engine: Engine, inbox: Reader
) -> None:
    gate = waiting_case(engine, queue="legal")
    ban = {"action": "ban"}
    with transaction(engine) as session:
        link(session, "lea", "slack", "U33", BY, NOW)
    for account in ("U3", "U33"):
        arrive(engine, Vendor.SLACK, click(gate, account, **ban))
    drained = drain(inbox)
    assert drained.counts == {"answered": 1, "denied": 1}, "two accounts of one person are one"
    assert drained.gates == []
    arrive(engine, Vendor.SLACK, click(gate, "U4", **ban))
    assert drain(inbox).gates == [gate]
    with reading(engine) as session:
        assert [answer.actor for answer in answers_at(session, gate)] == ["lea", "leo"]


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize(
    ("pressed", "reason"),
    [
        ({"evidence": "0" * 64}, "stale_evidence"),
        ({"rationale": "x"}, "malformed"),
        ({"action": "delete_everything"}, "action"),
        ({"verdict": "refuse"}, "action"),
    ],
)
def test_a_button_passes_the_same_guard_as_every_other_way(
    engine: Engine, inbox: Reader, pressed: dict[str, Any], reason: str
) -> None:
    gate = waiting_case(engine)
    arrive(engine, Vendor.SLACK, click(gate, "U1", **pressed))
    assert drain(inbox).counts == {"denied": 1}
    assert messages(engine)[0].detail == reason


@pytest.mark.usefixtures("linked")
def test_a_button_pressed_in_another_workspace_answers_nothing(
    engine: Engine, tmp_path: Path
) -> None:
    gate = waiting_case(engine)
    ours = reader(engine, tmp_path, slack={"team": "T111"})
    arrive(engine, Vendor.SLACK, click(gate, "U1", team="T222"))
    assert drain(ours).counts == {"failed": 1}
    arrive(engine, Vendor.SLACK, click(gate, "U1"))
    assert drain(ours).counts == {"answered": 1}


@pytest.mark.usefixtures("linked")
def test_a_reader_that_is_stopped_after_the_answer_leaves_neither_or_both(
    engine: Engine, inbox: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = waiting_case(engine)
    arrive(engine, Vendor.SLACK, click(gate, "U1"))

    def stopped(*_: Any) -> None:
        raise StoreError("stopped just here")

    with monkeypatch.context() as patched:
        patched.setattr(tasks.inbox, "note_handled", stopped)
        with pytest.raises(StoreError):
            drain(inbox)
    with reading(engine) as session:
        assert answers_at(session, gate) == []
    assert drain(inbox).counts == {"answered": 1}
    with reading(engine) as session:
        assert len(answers_at(session, gate)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"type": "event_callback", "event": {"type": "app_mention"}}',
        b'{"type": "url_verification", "challenge": "x"}',
        b"command=%2Fcasework&text=hello",
        b"payload=%7B%22type%22%3A%22view_submission%22%7D",
    ],
)
def test_what_else_slack_posts_is_nothing_to_us(engine: Engine, inbox: Reader, body: bytes) -> None:
    arrive(engine, Vendor.SLACK, body)
    assert drain(inbox).counts == {"ignored": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"payload=no",
        b'payload={"type":"block_actions","user":{"id":"U1"},'
        b'"actions":[{"action_id":"casework.answer.approve","value":"click_me"}]}',
    ],
)
def test_what_cannot_be_understood_is_kept_and_the_next_is_read(
    engine: Engine, inbox: Reader, body: bytes
) -> None:
    arrive(engine, Vendor.SLACK, body)
    arrive(engine, Vendor.SLACK, b"command=x")
    assert drain(inbox).counts == {"failed": 1, "ignored": 1}
    assert actions_in(engine, "inbox:slack") == ["inbox.failed", "inbox.handled"]


def paged(
    event: str, key: str, status: str = "acknowledged", incident: str = "PGR0VU2"
) -> dict[str, Any]:
    """A V3 webhook of PagerDuty."""
    data = {"id": incident, "type": "incident", "status": status, "incident_key": key}
    agent = {"id": "PLH1HKV", "type": "user_reference"}
    return {"event": {"id": event, "event_type": f"incident.{event}", "agent": agent, "data": data}}


def test_what_the_pager_says_is_in_the_history_of_the_case(engine: Engine, inbox: Reader) -> None:
    gate = waiting_case(engine)
    case = case_id("test", "T-1")
    arrive(engine, Vendor.PAGERDUTY, paged("acknowledged", gate))
    arrive(engine, Vendor.PAGERDUTY, paged("resolved", case, "resolved"))
    arrive(engine, Vendor.PAGERDUTY, paged("acknowledged", "theirs", incident="PXXXXX1"))
    arrive(engine, Vendor.PAGERDUTY, {"event": {"id": "1", "event_type": "pagey.ping"}})
    assert drain(inbox).counts == {"recorded": 2, "no_case": 1, "ignored": 1}
    assert actions_in(engine, case)[1:] == ["outside.reported"] * 2
    with reading(engine) as session:
        said = entries_of(session, case)[1].body
    for part in ('"system":"pagerduty"', '"reference":"PGR0VU2"', '"account":"PLH1HKV"'):
        assert part in said


def test_a_page_that_was_acknowledged_is_the_first_touch_of_the_gate_and_answers_nothing(
    engine: Engine, inbox: Reader
) -> None:
    gate = timed_case(engine, opened_at=NOW - timedelta(minutes=10))
    case = case_id("test", "T-1")
    key = dedup_key(Effect("k", EffectKind.PAGE, "on_call", case))
    arrive(engine, Vendor.PAGERDUTY, paged("acknowledged", key))
    arrive(engine, Vendor.PAGERDUTY, paged("acknowledged", key), delivery=b"the same, sent anew")
    arrive(engine, Vendor.PAGERDUTY, paged("annotated", key))
    late = replace(inbox, clock=lambda: NOW + timedelta(hours=1))
    assert drain(late).counts == {"recorded": 3}
    clocks = clocks_of(engine, gate)
    assert (clocks["first_touch"].state, clocks["first_touch"].ended_at) == ("met", NOW)
    assert clocks["decision"].ended_at is None
    assert gate_of(engine, gate).status == "open"
    said = [data for action, data in told(engine, gate) if action == "outside.reported"]
    assert [each.get("gate") for each in said] == [gate, gate, None]
    assert said[0]["late"] == []


def test_a_page_about_a_restricted_case_comes_back_to_it_by_what_stands_for_it(
    engine: Engine, inbox: Reader
) -> None:
    add_people(engine)
    gate = timed_case(engine, opened_at=NOW - timedelta(minutes=10))
    case = case_id("test", "T-1")
    with transaction(engine) as session:
        restrict(session, case, ["ana"], "because", BY, NOW, operating=True)
        alias = alias_of(session, case)
    assert alias
    key = dedup_key(veiled(Effect("k", EffectKind.PAGE, "on_call", case), alias))
    arrive(engine, Vendor.PAGERDUTY, paged("acknowledged", key))
    assert drain(inbox).counts == {"recorded": 1}
    assert clocks_of(engine, gate)["first_touch"].state == "met"


def test_an_old_acknowledgement_touches_no_gate_that_opened_afterwards(
    engine: Engine, inbox: Reader
) -> None:
    gate = timed_case(engine, opened_at=NOW + timedelta(minutes=1))
    arrive(engine, Vendor.PAGERDUTY, paged("acknowledged", case_id("test", "T-1")))
    assert drain(inbox).counts == {"recorded": 1}
    assert clocks_of(engine, gate)["first_touch"].ended_at is None


def issue(status: str, labels: list[str], field: str = "status") -> dict[str, Any]:
    """A webhook of Jira."""
    return {
        "webhookEvent": "jira:issue_updated",
        "timestamp": 1772443800000,
        "issue": {"key": "LEG-7", "fields": {"status": {"name": status}, "labels": labels}},
        "changelog": {"items": [{"field": field, "fromString": "x", "toString": status}]},
    }


def test_a_partners_issue_is_found_by_its_label_and_from_then_on_by_its_key(
    engine: Engine, inbox: Reader
) -> None:
    waiting_case(engine)
    case = case_id("test", "T-1")
    arrive(engine, Vendor.JIRA, issue("In Progress", ["legal", f"casework:{case}"]))
    arrive(engine, Vendor.JIRA, issue("In Progress", [], field="assignee"))
    arrive(engine, Vendor.JIRA, issue("Done", []))
    assert drain(inbox).counts == {"recorded": 2, "ignored": 1}
    assert actions_in(engine, case)[1:] == ["outside.reported"] * 2


def test_coops_callbacks_are_recorded_on_the_case_they_name(engine: Engine, inbox: Reader) -> None:
    waiting_case(engine)
    case = case_id("test", "T-1")
    callback = {"item": {"id": "post-9", "typeId": "post"}, "action": {"id": "remove"}}
    arrive(engine, Vendor.COOP, {**callback, "custom": {"case": case}})
    arrive(engine, Vendor.COOP, callback)
    arrive(
        engine, Vendor.COOP, {**callback, "appealId": case, "appealDecision": "REJECT", "action": 1}
    )
    arrive(engine, Vendor.COOP, {"action": {"id": "remove"}})
    assert drain(inbox).counts == {"recorded": 3, "failed": 1}
    assert number_of(engine, Case, col(Case.id) == case) == 1


def test_nothing_a_post_says_is_in_the_ledger(engine: Engine, inbox: Reader) -> None:
    waiting_case(engine)
    add_people(engine)
    case = case_id("test", "T-1")
    arrive(engine, Vendor.ZENDESK, report(5, "geheim"))
    arrive(
        engine, Vendor.COOP, {"item": {"id": case}, "action": {"id": "a"}, "actorNote": "geheim"}
    )
    arrive(engine, Vendor.PAGERDUTY, {**paged("acknowledged", case), "title": "geheim"})
    arrive(engine, Vendor.SLACK, b"payload=geheim")
    drain(inbox)
    assert "geheim" not in entry_bodies(engine)
    assert actions_in(engine, SYSTEM)


def test_messages_are_read_in_the_order_they_came_across_pages(
    engine: Engine, inbox: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.inbox, "PAGE", 3)
    for number in range(8):
        arrive(engine, Vendor.ZENDESK, report(1, f"state {number}"))
    assert drain(inbox).counts == {"taken_in": 8}
    with reading(engine) as session:
        case = session.get_one(Case, case_id("zendesk", "T-1"))
        assert case.revision == 8
        assert session.scalar(select(func.count()).select_from(Intake)) == 3


@pytest.mark.usefixtures("linked")
def test_two_readers_at_once_read_each_message_once(engine: Engine, inbox: Reader) -> None:
    gate = waiting_case(engine)
    arrive(engine, Vendor.SLACK, click(gate, "U1"))
    for number in range(30):
        vendor = Vendor.ZENDESK if number % 2 else Vendor.JIRA
        arrive(engine, vendor, {**report(number), "webhookEvent": "user_created"})
    with ThreadPoolExecutor(3) as pool:
        drained = list(pool.map(drain, [inbox] * 3))
    total = sum((each.counts for each in drained), Counter[str]())
    assert total == {"answered": 1, "taken_in": 15, "ignored": 15}
    assert actions_in(engine, "inbox:jira") == ["inbox.handled"] * 15
    with reading(engine) as session:
        assert len(answers_at(session, gate)) == 1


@pytest.mark.usefixtures("linked")
def test_a_button_for_a_gate_that_is_not_there_is_kept(engine: Engine, inbox: Reader) -> None:
    arrive(engine, Vendor.SLACK, click("g-geheim", "U1"))
    assert drain(inbox).counts == {"failed": 1}
    assert "geheim" not in messages(engine)[0].detail
