"""The commands about tokens, as they are typed."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from casework.store.engine import reading
from casework.store.tokens import bearer
from deployments.cli import tokens
from deployments.cli.setting import now
from tests.factories.gates import add_people


@pytest.fixture
def store(
    engine: Engine, store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Engine:
    """A store with people, which the commands find by the environment."""
    # The commands point Prefect at their home folder: give the environment back afterwards.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    add_people(engine)
    return engine


def run(*arguments: str) -> Result:
    return CliRunner().invoke(tokens.app, list(arguments))


def document(result: Result) -> Any:
    return orjson.loads(result.stdout)


def test_a_token_is_made_listed_without_its_secret_and_revoked(store: Engine) -> None:
    made = run("create", "ana", "--name", "bot", "--scope", "read", "--days", "7", "--json")
    secret = document(made)["secret"]
    with reading(store) as session:
        found = bearer(session, secret, now())
    assert found is not None
    assert found.person.id == "ana"
    listed = run("list", "--person", "ana", "--json")
    [row] = document(listed)["tokens"]
    assert row["name"] == "bot"
    assert secret not in listed.stdout
    assert "fingerprint" not in row
    assert run("revoke", row["id"]).exit_code == 0
    with reading(store) as session:
        assert bearer(session, secret, now()) is None
    plain = run("create", "ana", "--name", "bot", "--scope", "decide")
    assert plain.stdout.startswith("cwt_"), "the secret alone, so that a script can take it"


def test_what_cannot_be_made_says_why(store: Engine) -> None:
    assert run("create", "nobody", "--name", "bot", "--scope", "read").exit_code == 4
    assert run("create", "ana", "--name", "bot", "--scope", "read", "--days", "999").exit_code == 3
    assert run("revoke", "t0").exit_code == 4
