"""``casework pull`` where it must not begin; what it does is tested with the flow."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.main import app


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The commands point Prefect at their home folder: give the environment back afterwards.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        ((), {}, "there is no zendesk to pull from"),
        (("--source", "fax"), {"CASEWORK_ZENDESK_URL": "twin:"}, "there is no fax to pull from"),
        ((), {"CASEWORK_ZENDESK_URL": "zendesk.example"}, "not an HTTP URL"),
        (
            (),
            {"CASEWORK_ZENDESK_URL": "http://zendesk.example", "CASEWORK_ZENDESK_API_TOKEN": "x"},
            "unencrypted",
        ),
        ((), {"CASEWORK_ZENDESK_SINCE": "yesterday"}, "CASEWORK_ZENDESK_SINCE"),
        ((), {"CASEWORK_ZENDESK_SINCE": "2026-01-01T00:00:00"}, "CASEWORK_ZENDESK_SINCE"),
    ],
)
def test_a_pull_without_anything_to_pull_from_says_what_to_set(
    words: tuple[str, ...],
    variables: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["pull", *words, "--json"])
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["code"]) == (3, "configuration")
    assert said in error["message"]
    assert error["hint"]
