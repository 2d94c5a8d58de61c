"""Composition: which connectors the settings ask for, and what they refuse."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from casework.errors import ConfigurationError
from casework.settings import Settings
from integrations.coop import CoopClient, CoopTwin
from integrations.jira import JiraClient
from integrations.jira_twin import JiraTwin
from integrations.slack import SlackClient, SlackTwin
from integrations.zendesk import ZendeskClient, ZendeskTwin
from tasks.connectors import FIRST_PULL, coop_of, feed_of, jira_of, slack_of, zendesk_of
from tests.factories.coop import key_file, rsa_key

NOW = datetime(2026, 3, 2, tzinfo=UTC)
MAKERS = {"zendesk": zendesk_of, "slack": slack_of, "jira": jira_of, "coop": coop_of}
SECRETS = {
    "zendesk": "zendesk_api_token",
    "slack": "slack_token",
    "jira": "jira_token",
    "coop": "coop_api_key",
}


def settings(**given: Any) -> Settings:
    return Settings(**given)


@pytest.mark.parametrize("system", MAKERS)
def test_what_is_not_configured_is_not_made(system: str) -> None:
    assert MAKERS[system](settings()) is None


@pytest.mark.parametrize(
    ("system", "twin"),
    [("zendesk", ZendeskTwin), ("slack", SlackTwin), ("jira", JiraTwin), ("coop", CoopTwin)],
)
def test_a_url_that_asks_for_the_twin_has_it(system: str, twin: type) -> None:
    assert isinstance(MAKERS[system](settings(**{f"{system}_url": "twin:"})), twin)


@pytest.mark.parametrize(
    ("system", "client"),
    [
        ("zendesk", ZendeskClient),
        ("slack", SlackClient),
        ("jira", JiraClient),
        ("coop", CoopClient),
    ],
)
def test_a_url_and_a_secret_make_a_client(system: str, client: type, tmp_path: Path) -> None:
    given = {f"{system}_url": "https://service.example", SECRETS[system]: "secret"}
    if system == "coop":
        given["coop_signing_key_file"] = str(key_file(tmp_path / "coop.pem", rsa_key()))
    assert isinstance(MAKERS[system](settings(**given)), client)


@pytest.mark.parametrize("system", ["zendesk", "slack", "jira"])
def test_a_secret_is_not_sent_in_clear(system: str) -> None:
    given = {f"{system}_url": "http://service.example", SECRETS[system]: "secret"}
    with pytest.raises(ConfigurationError, match="unencrypted"):
        MAKERS[system](settings(**given))


def test_callbacks_without_a_signing_key_are_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        coop_of(settings(coop_url="https://platform.example"))
    assert "CASEWORK_COOP_SIGNING_KEY_FILE" in caught.value.hint


async def test_the_first_pull_begins_where_the_settings_say_or_a_day_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[datetime] = []

    class Asked(ZendeskTwin):
        async def export(self, cursor: str | None, since: datetime) -> Any:
            asked.append(since)
            return await super().export(cursor, since)

    monkeypatch.setattr("tasks.connectors.ZendeskTwin", Asked)
    for given in ({}, {"zendesk_since": "2026-01-01T00:00:00+00:00"}):
        found = feed_of(settings(zendesk_url="twin:", **given), "zendesk", NOW)
        assert found is not None
        await found[0].page(None)
    assert asked == [NOW - FIRST_PULL, datetime(2026, 1, 1, tzinfo=UTC)]
    assert timedelta(hours=23) < FIRST_PULL
