"""What a post asks for: whatever is posted is read, or refused as what cannot be understood."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import InputError
from casework.inbox.meaning import understand, why_ignored
from casework.inbox.posts import REPORTING, Vendor
from casework.inbox.slack import Click
from casework.inbox.telling import News, Nothing
from tests.factories.inbox import click

TELLING = [vendor for vendor in Vendor if vendor not in REPORTING]

#: Words that the readers look for, so that what is made up has a chance to be nearly right.
WORDS = [
    "actions",
    "action",
    "action_id",
    "value",
    "user",
    "id",
    "team",
    "type",
    "block_actions",
    "payload",
    "state",
    "values",
    "casework.answer.approve",
    "casework.rationale",
    "event",
    "event_type",
    "incident.resolved",
    "data",
    "incident",
    "incident_key",
    "agent",
    "issue",
    "key",
    "fields",
    "labels",
    "status",
    "name",
    "changelog",
    "items",
    "field",
    "webhookEvent",
    "jira:issue_updated",
    "item",
    "custom",
    "case",
    "appealId",
    "appealDecision",
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(WORDS) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(vendor=st.sampled_from(TELLING), document=JSON, form=st.booleans())
def test_any_json_is_read_or_refused_and_nothing_else(
    vendor: Vendor, document: Any, form: bool
) -> None:
    body = orjson.dumps(document)
    try:
        found = understand(vendor, b"payload=" + body if form else body)
    except InputError:
        return
    assert isinstance(found, Click | News | Nothing)


@given(vendor=st.sampled_from(TELLING), body=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_and_nothing_else(vendor: Vendor, body: bytes) -> None:
    try:
        found = understand(vendor, body)
    except InputError:
        return
    assert isinstance(found, Click | News | Nothing)


def test_a_reason_that_was_written_is_the_rationale_and_a_button_alone_says_so() -> None:
    written = understand(Vendor.SLACK, click("g1", "U1", rationale="  spam  "))
    alone = understand(Vendor.SLACK, click("g1", "U1"))
    assert isinstance(written, Click)
    assert isinstance(alone, Click)
    assert written.answer["rationale"] == "spam"
    assert alone.answer["rationale"] == "answered with a button in Slack"


@pytest.mark.parametrize("name", ["PagerDuty", "Jira", "Coop"])
def test_an_id_that_is_too_long_to_be_one_is_refused(name: str) -> None:
    long = "x" * 201
    bodies = {
        "PagerDuty": {
            "event": {"event_type": "incident.resolved", "data": {"type": "incident", "id": long}}
        },
        "Jira": {"webhookEvent": "jira:issue_created", "issue": {"key": long}},
        "Coop": {"item": {"id": long}, "action": {"id": "a"}},
    }
    with pytest.raises(InputError, match="too long"):
        understand(Vendor(name.lower()), orjson.dumps(bodies[name]))


def test_of_what_github_posts_only_issues_are_reports() -> None:
    assert why_ignored(Vendor.GITHUB, {"x-github-event": "ping"}, True) is not None
    assert why_ignored(Vendor.GITHUB, {"x-github-event": "issues"}, True) is None
    assert why_ignored(Vendor.ZENDESK, {"x-github-event": "ping"}, True) is None
    assert why_ignored(Vendor.ZENDESK, {}, False) is not None
