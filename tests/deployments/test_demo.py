"""What the demo shows after people have decided: a ladder, and an incident with its report."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.settings import Settings
from casework.store.audit import verify
from casework.store.engine import transaction
from casework.store.tables import Case
from deployments.cli.demo import go_on, introduce
from tests.factories.escalation import gate_of, timed_case
from tests.factories.ledger import signer


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_ladder_is_climbed_and_an_incident_run_and_both_only_once(
    engine: Engine, tmp_path: Path
) -> None:
    introduce(engine)
    introduce(engine)
    gate = timed_case(engine)
    with transaction(engine) as session:
        case = session.get_one(Case, gate_of(engine, gate).case_id)
        case.rule_id = "fraud"
        session.add(case)
    settings = Settings(home=tmp_path)
    told = go_on(settings, engine)
    assert [row["step"] for row in told["ladder"] if row["step"]][-1] == "locked"
    assert gate_of(engine, gate).queue == "mixed"
    report = Path(told["incident"]["report"]).read_text(encoding="utf8")
    assert report == told["incident"]["markdown"]
    assert "| to opened | 4 min |" in report
    assert go_on(settings, engine) == told
    assert verify(engine, signer().verifier).fault is None
