"""The environment that the embedded stack gives to its children."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from casework.errors import EngineError
from casework.settings import Settings
from deployments.stack import PARTS, part_environment, prepare_environment, server

#: What a run of the batch pool needs of the ``python`` that it is started with.
_ASKED = "import importlib.util as u; print(all(map(u.find_spec, ('prefect', 'casework'))))"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """An environment of our own, where another ``python`` comes first and ours not at all."""
    other = tmp_path / "bin" / "python"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    given = {"PATH": f"{other.parent}{os.pathsep}/usr/bin"}
    monkeypatch.setattr(os, "environ", given)
    return given


def test_a_run_of_the_batch_pool_starts_without_an_activated_environment(
    environment: dict[str, str], tmp_path: Path
) -> None:
    prepare_environment(Settings(home=tmp_path))
    command = ["python", "-c", _ASKED]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "True"


def test_the_path_is_lengthened_once(environment: dict[str, str], tmp_path: Path) -> None:
    prepare_environment(Settings(home=tmp_path))
    once = environment["PATH"]
    prepare_environment(Settings(home=tmp_path))
    assert environment["PATH"] == once
    assert once.split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_workers_log_what_prefect_shows_of_their_runs_unless_somebody_chose_otherwise(
    environment: dict[str, str], tmp_path: Path
) -> None:
    prepare_environment(Settings(home=tmp_path))
    levels = {name: part_environment(name)["PREFECT_LOGGING_LEVEL"] for name in PARTS}
    assert {name for name, level in levels.items() if level == "INFO"} == {
        "review-worker",
        "batch-worker",
    }
    environment["PREFECT_LOGGING_LEVEL"] = "ERROR"
    assert part_environment("review-worker")["PREFECT_LOGGING_LEVEL"] == "ERROR"


def test_a_named_server_that_does_not_answer_is_told_before_anything_is_run(
    environment: dict[str, str], tmp_path: Path
) -> None:
    nobody = "http://127.0.0.1:9/api"
    environment["PREFECT_API_URL"] = nobody
    with (
        temporary_settings({PREFECT_API_URL: nobody}),
        pytest.raises(EngineError, match="PREFECT_API_URL"),
        server(Settings(home=tmp_path)),
    ):
        pytest.fail("it went on without a server")
