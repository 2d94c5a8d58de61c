"""Other code is installed while a case waits: the gate stays shut, and then opens as it should."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL
from sqlalchemy import Engine

from casework.store.engine import reading
from casework.store.gates import gate_by_id
from casework.store.ledger import entries_of
from tests.flows.review import (
    case_status,
    decide,
    gate_status,
    history,
    resume,
    state_of,
    suspended_case,
)
from tests.source import PACKAGES, ROOT

pytestmark = pytest.mark.slow

#: Every task of a review run reads otherwise, and the history shows which code has acted.
BEFORE, AFTER = 'surroundings("case_review")', 'surroundings("case_review_changed")'


@pytest.fixture
def other_code(tmp_path: Path) -> Path:
    """A copy of the project in which the tasks of a review run read differently."""
    folder = tmp_path / "other"
    for package in (*PACKAGES, "policies"):
        shutil.copytree(ROOT / package, folder / package)
    changed = folder / "tasks" / "case_review.py"
    source = changed.read_text()
    assert BEFORE in source
    changed.write_text(source.replace(BEFORE, AFTER))
    return folder


def execute(run: str, code: Path) -> None:
    """Run a flow run that is due in a process of its own, with the code of a folder."""
    surroundings = {**os.environ, "PREFECT_API_URL": str(PREFECT_API_URL.value())}
    surroundings |= {"PYTHONPATH": str(code), "PREFECT__FLOW_RUN_ID": run}
    done = subprocess.run(
        [sys.executable, "-m", "prefect.engine"],
        env=surroundings,
        cwd=code,
        capture_output=True,
        timeout=120,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()


def actors(store: Engine, gate: str) -> set[str]:
    """Who has written into the history of the gate's case."""
    with reading(store) as session:
        case_id = gate_by_id(session, gate).case_id
        return {entry.actor for entry in entries_of(session, case_id)}


async def test_a_redeploy_with_changed_code_approves_nothing_and_loses_nothing(
    store: Engine, deployed: None, other_code: Path
) -> None:
    gate, run = await suspended_case(store)
    await resume(run, None)
    execute(run, other_code)
    assert await state_of(run) == "Suspended"
    assert (case_status(store, gate), gate_status(store, gate)) == ("waiting", "open")
    assert decide(store, gate, "ana")
    await resume(run, None)
    execute(run, other_code)
    assert await state_of(run) == "Completed"
    assert case_status(store, gate) == "closed"
    assert history(store, gate).count("case.closed") == 1
    assert "casework:case_review_changed" in actors(store, gate)
