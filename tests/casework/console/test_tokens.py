"""One's tokens in the console: shown once, one's own, and dead when revoked."""

import re
from typing import Any

from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.store.engine import reading, transaction
from casework.store.people import add_person
from casework.store.tokens import tokens
from tests.casework.console.asking import post
from tests.casework.console.conftest import SignIn
from tests.factories.gates import BY, NOW


def made(client: TestClient) -> str:
    """The secret of a token that somebody makes on the page."""
    page = post(client, "/tokens", name="bot", scope="read", days="7").text
    return re.findall(r'<code id="secret">(cwt_[^<]+)</code>', page)[0]


def test_a_token_made_on_the_page_works_and_is_never_shown_again(
    app: Any, signed_in: SignIn
) -> None:
    client = signed_in("ana")
    secret = made(client)
    assert secret not in client.get("/tokens").text
    program = TestClient(app, headers={"Authorization": f"Bearer {secret}"})
    assert program.get("/api/v1/me").json()["person"] == "ana"
    assert program.get("/").url.path == "/sign-in", "a token opens no page"


def test_people_see_and_revoke_their_own_and_administrators_anybodys(
    app: Any, signed_in: SignIn, engine: Engine
) -> None:
    with transaction(engine) as session:
        add_person(session, "adm", name="adm", roles=["admin"], queues=["*"], by=BY, now=NOW)
    secret = made(signed_in("ana"))
    with reading(engine) as session:
        [token] = tokens(session)
    path = f"/tokens/{token.id}/revoke"
    assert path not in signed_in("ben").get("/tokens").text
    assert post(signed_in("ben"), path).status_code == 404
    program = TestClient(app, headers={"Authorization": f"Bearer {secret}"})
    assert program.get("/api/v1/me").status_code == 200
    assert path in signed_in("adm").get("/tokens").text
    post(signed_in("adm"), path)
    assert program.get("/api/v1/me").status_code == 401


def test_a_token_without_a_scope_is_refused_with_a_reason(signed_in: SignIn) -> None:
    done = post(signed_in("ana"), "/tokens", name="bot")
    assert done.status_code == 422
    assert "a token needs a scope" in done.text
