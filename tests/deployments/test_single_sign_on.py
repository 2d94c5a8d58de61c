"""The identity provider from the settings: all of it, or a clear error."""

from typing import Any

import pytest

from casework.errors import ConfigurationError
from casework.gates import Role
from casework.settings import Settings
from deployments.single_sign_on import single_sign_on

SET: dict[str, Any] = {
    "oidc_issuer": "https://login.example",
    "oidc_client_id": "casework",
    "console_url": "https://casework.example",
}


def test_without_an_issuer_there_is_none() -> None:
    assert single_sign_on(Settings()) is None


def test_groups_give_the_roles_that_the_settings_say() -> None:
    groups = {"oidc_groups_claim": "groups", "oidc_roles": {"ts-leads": "lead"}}
    found = single_sign_on(Settings(**SET, **groups))
    assert found is not None
    assert found.client.roles == {"ts-leads": Role.LEAD}
    assert found.client.there("/x") == "https://casework.example/x"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"oidc_client_id": ""}, "CASEWORK_OIDC_CLIENT_ID is not"),
        ({"console_url": ""}, "CASEWORK_CONSOLE_URL is not"),
        ({"oidc_issuer": "http://login.example"}, "unencrypted"),
        ({"oidc_roles": {"a": "lead"}}, "go together"),
        ({"oidc_groups_claim": "groups"}, "go together"),
        ({"oidc_groups_claim": "groups", "oidc_roles": {"a": "boss"}}, "roles that there are not"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        single_sign_on(Settings(**(SET | wrong)))
