"""Destinations are made as the bundle names them and the settings reach them."""

import asyncio

import pytest
from pydantic import SecretStr

from casework.errors import ConfigurationError
from casework.policy.bundle import load_bundle
from casework.policy.model import DestinationSpec, DestinationType
from casework.resources import resource
from casework.settings import Settings
from integrations.pagerduty import PagerDutyDestination, PagerDutyTwin
from integrations.record import RecordDestination
from integrations.webhook import WebhookDestination, WebhookTwin
from tasks.destinations import SYSTEMS, destination_of, url_of

SECRET = SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


def spec(type_: DestinationType) -> DestinationSpec:
    return DestinationSpec("somewhere", type_, frozenset())


def made(type_: DestinationType, **settings: object) -> type | None:
    """The class of a destination that these settings make."""
    found = destination_of(Settings(**settings), spec(type_))  # type: ignore[arg-type]
    if found is not None:
        assert found.name == "somewhere"
        asyncio.run(found.close())
    return found and type(found)


def test_the_record_needs_no_setting() -> None:
    assert made("log") is RecordDestination


@pytest.mark.parametrize("type_", ["webhook", "pagerduty"])
def test_what_is_not_set_up_is_not_there(type_: DestinationType) -> None:
    assert made(type_) is None
    assert url_of(Settings(), spec(type_)) == ""


def test_a_url_makes_a_client() -> None:
    assert made("webhook", webhook_url="https://x.example", webhook_secret=SECRET) is (
        WebhookDestination
    )
    paging = {"pagerduty_url": "https://x.example/v2", "pagerduty_routing_key": SECRET}
    assert made("pagerduty", **paging) is PagerDutyDestination


def test_a_twin_is_asked_for_by_its_url() -> None:
    assert made("webhook", webhook_url="twin:") is WebhookTwin
    assert made("pagerduty", pagerduty_url="twin:") is PagerDutyTwin


def test_a_url_without_its_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="CASEWORK_WEBHOOK_SECRET"):
        made("webhook", webhook_url="https://x.example")
    with pytest.raises(ConfigurationError, match="CASEWORK_PAGERDUTY_ROUTING_KEY"):
        made("pagerduty", pagerduty_url="https://x.example")


def test_every_destination_of_the_default_bundle_can_be_made() -> None:
    bundle = load_bundle(resource("policies/default"))
    assert bundle.destinations
    assert {each.type for each in bundle.destinations.values()} <= SYSTEMS.keys()
    assert all(destination_of(Settings(), each) for each in bundle.destinations.values())
