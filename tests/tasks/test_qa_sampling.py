"""Drawing a sample every night, whatever the policy bundle says about QA."""

import asyncio
import logging
from pathlib import Path

import pytest

from casework.policy.bundle import load_bundle
from casework.resources import resource
from tasks.qa_sampling import draw_sample
from tests.factories.effects import written
from tests.factories.policy import FILES
from tests.source import ROOT


def test_a_bundle_without_the_plan_draws_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path))
    monkeypatch.setenv("CASEWORK_POLICY_DIR", str(written(tmp_path / "policy", FILES)))
    monkeypatch.delenv("CASEWORK_DATABASE_URL", raising=False)
    with caplog.at_level(logging.WARNING, "tasks.qa_sampling"):
        assert asyncio.run(draw_sample.fn("daily")) is None
    assert caplog.messages == ["nothing is drawn: the policy bundle has no QA plan daily"]


def test_the_default_bundle_has_the_plan_of_the_nightly_deployment() -> None:
    assert "parameters: {plan: daily" in (ROOT / "prefect.yaml").read_text()
    assert "daily" in load_bundle(resource("policies/default")).qa
