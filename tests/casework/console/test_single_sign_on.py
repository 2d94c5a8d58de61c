"""Signing in at an identity provider: a real one, on the loopback, that can be made to lie."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.console.app import create_app
from casework.console.identity import COOKIE
from casework.console.ports import SingleSignOn
from casework.gates import Role
from casework.oidc import Client
from casework.store.engine import reading, transaction
from casework.store.identities import link
from casework.store.ledger import entries_of
from casework.store.people import change_person, people
from casework.store.tables import Person
from integrations.oidc import OidcProvider
from tests.casework.console.asking import post
from tests.factories.consoles import console_of
from tests.factories.gates import BY, NOW
from tests.factories.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Provider,
    running,
    with_public_key,
    without_signature,
)

BACK = "/single-sign-on/back"


@pytest.fixture
def provider(now: datetime) -> Iterator[Provider]:
    """A provider that signs u-1 in."""
    with running(Provider(clock=lambda: now)) as provider:
        yield provider


@pytest.fixture
def client(provider: Provider) -> Client:
    """The console, as that provider knows it."""
    return Client(provider.url, CLIENT_ID, "http://testserver")


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """A store in which u-1 at the provider is ana."""
    with transaction(engine) as session:
        link(session, "ana", "oidc", "u-1", BY, NOW)
    return engine


def console(engine: Engine, client: Client, now: datetime, url: str = "") -> TestClient:
    """A browser at a console that lets people sign in at the provider."""
    there = OidcProvider(
        issuer=url or client.issuer,
        client_id=CLIENT_ID,
        client_secret=SecretStr(CLIENT_SECRET),
        timeout=5.0,
        attempts=1,
    )
    app = create_app(console_of(engine, lambda: now, single=SingleSignOn(client, there)))
    return TestClient(app, follow_redirects=False)


@pytest.fixture
def browser(engine: Engine, client: Client, now: datetime) -> TestClient:
    """A browser in which nobody has signed in."""
    return console(engine, client, now)


def away(browser: TestClient) -> str:
    """Go to the provider and let it send the browser back; return where to."""
    there = browser.get("/single-sign-on/begin")
    assert there.status_code == 303
    return (
        httpx.get(there.headers["location"]).headers["location"].removeprefix("http://testserver")
    )


def refused(browser: TestClient, path: str) -> str:
    """What the page says that does not let somebody in."""
    done = browser.get(path)
    assert done.status_code == 401
    assert COOKIE not in browser.cookies
    return done.text


def actions(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        return [(entry.action, entry.actor) for entry in entries_of(session, "system")]


def test_whom_the_provider_knows_is_signed_in_and_out_again(
    browser: TestClient, engine: Engine, provider: Provider
) -> None:
    assert "Sign in with single sign-on" in browser.get("/sign-in").text
    done = browser.get(away(browser))
    assert done.headers["location"] == "/"
    assert browser.get("/").status_code == 200
    assert [action for action, _ in actions(engine)][-2:] == [
        "account.provider_used",
        "session.opened",
    ]
    out = post(browser, "/sign-out").headers["location"]
    assert browser.get("/").headers["location"] == "/sign-in"
    assert "/single-sign-on/out" in browser.get(out).text
    there = browser.get("/single-sign-on/out").headers["location"]
    assert there.startswith(f"{provider.url}/out?client_id=")
    assert "post_logout_redirect_uri=http%3A%2F%2Ftestserver%2Fsign-in" in there


def test_an_answer_to_another_browser_or_none_lets_nobody_in(
    browser: TestClient, engine: Engine, client: Client, now: datetime, provider: Provider
) -> None:
    back = away(browser)
    stranger = console(engine, client, now)
    assert "not to a sign-in begun in this browser" in refused(stranger, back)
    stranger.get("/single-sign-on/begin")
    assert "not to a sign-in begun in this browser" in refused(stranger, back), "another state"
    assert provider.codes, "the code was not even shown to the provider"


def test_a_code_is_taken_once(
    browser: TestClient, engine: Engine, client: Client, now: datetime
) -> None:
    back = away(browser)
    kept = browser.cookies["casework-sign-on"]
    assert browser.get(back).headers["location"] == "/"
    assert "begun in this browser" in browser.get(back).text, "the browser has forgotten"
    thief = console(engine, client, now)
    thief.cookies.set("casework-sign-on", kept)
    assert "did not take this sign-in" in refused(thief, back), "and the provider remembers"


def test_a_provider_that_refuses_or_is_not_the_one_is_told_of(browser: TestClient) -> None:
    state = away(browser).split("state=")[1].split("&")[0]
    assert "did not sign you in" in refused(browser, f"{BACK}?state={state}&error=access_denied")
    other = refused(browser, f"{BACK}?state={state}&code=c&iss=https://other.example")
    assert "from another identity provider" in other


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"nonce": "other"}, "an answer to another sign-in"),
        ({"exp": int(NOW.timestamp()) - 61}, "has expired"),
        ({"aud": "another"}, "meant for another application"),
    ],
)
def test_a_token_that_does_not_hold_lets_nobody_in(
    browser: TestClient, provider: Provider, wrong: dict[str, Any], says: str
) -> None:
    provider.wrong = wrong
    assert says in refused(browser, away(browser))


@pytest.mark.parametrize("how", ["none", "public"])
def test_a_token_that_the_provider_has_not_signed_lets_nobody_in(
    browser: TestClient, provider: Provider, how: str
) -> None:
    genuine = provider.key
    provider.sign = (
        without_signature if how == "none" else lambda claims: with_public_key(claims, genuine)
    )
    assert "not signed with a key of its own" in refused(browser, away(browser))


def test_a_key_that_was_rotated_is_known_at_once(browser: TestClient, provider: Provider) -> None:
    assert browser.get(away(browser)).headers["location"] == "/"
    provider.rotate()
    assert browser.get(away(browser)).headers["location"] == "/"


def test_who_is_nobody_here_is_told_so_and_made_nobody(
    browser: TestClient, provider: Provider, engine: Engine
) -> None:
    with reading(engine) as session:
        before = [person.id for person in people(session)]
    provider.user = {"sub": "u-<2>"}
    page = refused(browser, away(browser))
    assert "u-&lt;2&gt;, but that is nobody here" in page
    assert "an administrator can say who" in page
    assert "casework people" not in page
    with reading(engine) as session:
        assert [person.id for person in people(session)] == before
    assert actions(engine)[-1] == ("account.sign_in_refused", "identity provider")


def test_who_is_not_active_any_more_is_not_let_in(browser: TestClient, engine: Engine) -> None:
    with transaction(engine) as session:
        change_person(session, "ana", active=False, by=BY, now=NOW)
    assert "nobody here" in refused(browser, away(browser))


def test_a_provider_that_is_down_is_an_error_and_passwords_go_on(
    engine: Engine, client: Client, now: datetime
) -> None:
    down = replace(client, issuer="http://127.0.0.1:9")
    browser = console(engine, down, now)
    done = browser.get("/single-sign-on/begin")
    assert done.status_code == 502
    assert "identity provider cannot be reached" in done.text.lower()
    assert "Password" in browser.get("/sign-in").text


def test_an_issuer_that_calls_itself_otherwise_is_not_believed(
    engine: Engine, client: Client, now: datetime
) -> None:
    done = console(engine, client, now, url=client.issuer + "/").get("/single-sign-on/begin")
    assert done.status_code == 502
    assert "calls itself otherwise" in done.text


def test_an_address_counts_where_the_provider_has_confirmed_it(
    engine: Engine, client: Client, now: datetime, provider: Provider
) -> None:
    with transaction(engine) as session:
        link(session, "ben", "oidc", "ben@example.org", BY, NOW)
    browser = console(engine, replace(client, claim="email"), now)
    provider.user = {"sub": "u-9", "email": "Ben@Example.org", "email_verified": False}
    assert "has not confirmed your e-mail" in refused(browser, away(browser))
    provider.user["email_verified"] = True
    assert browser.get(away(browser)).headers["location"] == "/"
    assert "ben" in browser.get("/").text


def test_groups_decide_about_roles_only_where_that_was_asked_for(
    browser: TestClient, engine: Engine, client: Client, now: datetime, provider: Provider
) -> None:
    def roles() -> list[str]:
        with reading(engine) as session:
            return session.get_one(Person, "ana").roles

    provider.user |= {"groups": ["ts-leads", "everybody"]}
    browser.get(away(browser))
    assert roles() == ["analyst"], "off unless somebody turns it on"
    mapped = replace(client, groups_claim="groups", roles={"ts-leads": Role.LEAD})
    console_of_groups = console(engine, mapped, now)
    console_of_groups.get(away(console_of_groups))
    assert roles() == ["lead"]
    assert ("person.changed", "identity provider") in actions(engine)
    provider.user["groups"] = ["everybody"]
    stranger = console(engine, mapped, now)
    assert "none of your groups has a role" in refused(stranger, away(stranger))


def test_without_a_provider_there_is_no_such_page(engine: Engine, now: datetime) -> None:
    browser = TestClient(create_app(console_of(engine, lambda: now)))
    assert browser.get("/single-sign-on/begin").status_code == 404
    assert "single sign-on" not in browser.get("/sign-in").text
