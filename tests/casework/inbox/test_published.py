"""Posts as the vendors publish them, through signature, receiver's record and reading."""

import gzip
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, select

from casework.cases import case_id
from casework.gates import Verdict
from casework.inbox.buttons import Button
from casework.inbox.meaning import understand
from casework.inbox.posts import Post, Vendor
from casework.inbox.slack import Click
from casework.inbox.telling import News, Nothing
from casework.resources import resource
from casework.store.engine import reading
from casework.store.tables import Case, CaseRevision
from integrations.signatures import Genuine, check
from tasks.inbox import drain
from tests.conftest import SHARED_DATA
from tests.factories.gates import NOW
from tests.factories.inbox import arrive, messages, outcomes, reader
from tests.factories.posts import signed

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not SHARED_DATA.is_dir(), reason=f"{SHARED_DATA} is not there"),
]

PAYLOADS = SHARED_DATA / "webhook-payloads"
SPECS = SHARED_DATA / "api-specs"

#: From the tests of PagerDuty's own client for Go, for the body it publishes.
PAGERDUTY_SECRET = "lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK"
PAGERDUTY_SIGNATURE = "v1=0c0b9495b893a39e70d1fea2fe11fbe0a825f88b9f67846f6cc07dd2bc5476cd"


def archived(name: str) -> Iterator[tuple[str, bytes]]:
    """Every file of an archive with its name."""
    with tarfile.open(SHARED_DATA / name) as archive:
        for member in archive:
            if (file := archive.extractfile(member)) is not None:
                yield member.name, file.read()


def slack_bodies() -> dict[str, Any]:
    """Bodies from the tests of Slack's own framework."""
    found: dict[str, Any] = json.loads(
        gzip.decompress((PAYLOADS / "slack-bolt-bodies.json.gz").read_bytes())
    )
    return found


def form(payload: Any) -> bytes:
    """An interaction as Slack sends one."""
    return b"payload=" + quote(json.dumps(payload)).encode()


def json_blocks(page: str) -> list[Any]:
    """The JSON examples of a page of Coop's documentation."""
    pages = dict(archived("api-specs/roost-coop-api-docs.tar.gz"))
    [text] = [body.decode() for name, body in pages.items() if name.endswith(page)]
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


def mapped(name: str) -> dict[str, Any]:
    """An entry with a mapping that is shipped."""
    return {"mapping": str(resource("samples/mappings") / f"{name}.yaml")}


def test_none_of_slacks_own_bodies_is_an_answer_or_fails() -> None:
    bodies = slack_bodies()
    assert len(bodies) > 50
    for name, body in bodies.items():
        for raw in (form(body), json.dumps(body).encode()):
            if not isinstance(body, dict):
                continue
            assert isinstance(understand(Vendor.SLACK, raw), Nothing), name
    for name, raw in archived("webhook-payloads/slack-payload-samples.tar.gz"):
        assert isinstance(understand(Vendor.SLACK, raw), Nothing), name


def test_a_button_of_ours_in_slacks_own_body_is_an_answer() -> None:
    payload = slack_bodies()["block_actions.body"]
    button = Button("g1-1-1", Verdict.APPROVE, "warn", "a" * 64)
    payload["actions"][0] |= {"action_id": button.action_id, "value": button.value()}
    found = understand(Vendor.SLACK, form(payload))
    assert isinstance(found, Click)
    assert (found.account, found.team, found.gate_id) == ("W111", "T111", "g1-1-1")
    assert found.answer["action"] == "warn"


def test_pagerdutys_own_body_and_signature_are_genuine_and_read() -> None:
    body = (PAYLOADS / "pagerduty_v3_incident.priority_updated.json").read_bytes()
    post = Post({"x-pagerduty-signature": PAGERDUTY_SIGNATURE}, body)
    assert isinstance(check(Vendor.PAGERDUTY, post, [PAGERDUTY_SECRET], NOW), Genuine)
    found = understand(Vendor.PAGERDUTY, body)
    assert found == News("incident.priority_updated", "triggered", "PGR0VU2", (), "PLH1HKV")


def test_an_incident_carries_the_key_it_was_made_under_as_pagerduty_specifies() -> None:
    spec = json.loads(gzip.decompress((SPECS / "pagerduty-rest-openapiv3.json.gz").read_bytes()))
    incident = json.dumps(spec["components"]["schemas"]["Incident"])
    assert '"incident_key"' in incident
    body = json.loads((PAYLOADS / "pagerduty_v3_incident.priority_updated.json").read_bytes())
    body["event"]["data"]["incident_key"] = "c1"
    found = understand(Vendor.PAGERDUTY, json.dumps(body).encode())
    assert isinstance(found, News)
    assert found.about == ("c1",)


def test_an_issue_of_jira_has_what_is_read_of_it() -> None:
    spec = json.loads(gzip.decompress((SPECS / "jira-cloud-platform-v3.json.gz").read_bytes()))
    issue = spec["components"]["schemas"]["IssueBean"]["properties"]
    assert {"key", "fields"} <= issue.keys()


def test_githubs_issues_become_cases_and_nothing_else_does(engine: Engine, tmp_path: Path) -> None:
    entry = {**mapped("github-issues"), "only": {"action": ["opened", "edited", "reopened"]}}
    inbox = reader(engine, tmp_path, github=entry)
    for name, body in archived("webhook-payloads/github-issue-payloads.tar.gz"):
        event = Path(name).parent.name
        arrive(engine, Vendor.GITHUB, body, headers={"x-github-event": event})
    drain(inbox)
    taken = [message for message in messages(engine) if message.outcome == "taken_in"]
    ignored = [message for message in messages(engine) if message.outcome == "ignored"]
    assert len(taken) >= 2
    assert len(taken) + len(ignored) == len(messages(engine))
    with reading(engine) as session:
        case = session.scalars(select(Case)).first()
    assert case is not None
    assert (case.kind, case.channel) == ("issue", "github")
    assert "#" in case.external_id


def test_zendesks_trigger_becomes_a_case_and_its_event_about_a_user_does_not(
    engine: Engine, tmp_path: Path
) -> None:
    inbox = reader(engine, tmp_path, zendesk=mapped("zendesk-trigger"))
    arrive(engine, Vendor.ZENDESK, (PAYLOADS / "zendesk_trigger_ticket_update.json").read_bytes())
    drain(inbox)
    assert outcomes(engine) == [("done", "taken_in")]
    assert messages(engine)[0].case_id == case_id("zendesk", "12345")
    events = {**mapped("zendesk-events"), "only": {"type": ["zen:event-type:ticket.created"]}}
    path = PAYLOADS / "zendesk_user.group_membership_created.json"
    arrive(engine, Vendor.ZENDESK, path.read_bytes())
    drain(reader(engine, tmp_path, zendesk=events))
    assert outcomes(engine)[1] == ("done", "ignored")


def test_a_report_as_coop_documents_it_becomes_a_case(engine: Engine, tmp_path: Path) -> None:
    report, answered = json_blocks("report.md")
    assert answered.keys() == {"reportId"}
    report["reportedItem"]["data"] = {"text": "what was reported"}
    inbox = reader(engine, tmp_path, coop_reports=mapped("coop-reports"))
    arrive(engine, Vendor.COOP_REPORTS, report)
    drain(inbox)
    assert outcomes(engine) == [("done", "taken_in")]
    with reading(engine) as session:
        [case] = session.scalars(select(Case))
        [revision] = session.scalars(select(CaseRevision))
    assert (case.subject_id, case.reporter_id) == ("reported-item-id", "reporter-user-id")
    assert revision.content["body"] == "what was reported"
    assert revision.content["title"] == "Free-text reason from reporter"
    assert revision.content["signals"] == {"source_csam": False}


def test_callbacks_as_coop_documents_them_are_read() -> None:
    action, appeal = json_blocks("actions.md")[:2]
    for document, event, status in ((action, "action", "action-id"), (appeal, "appeal", "ACCEPT")):
        body = json.dumps(document).encode()
        found = understand(Vendor.COOP, body)
        assert isinstance(found, News)
        assert (found.event, found.status) == (event, status)
        assert "item-id" in found.about
        assert signed(Vendor.COOP, body).headers["coop-signature"]
