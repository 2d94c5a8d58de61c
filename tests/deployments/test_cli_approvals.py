"""``casework approvals``: what it does where Prefect does not."""

import asyncio

import pytest

from casework.answering import Taken
from casework.settings import Settings, load_settings
from deployments.cli import approvals


def test_who_decides_does_not_wait_for_a_prefect_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hang(settings: Settings, run_id: str) -> bool:
        await asyncio.sleep(60)
        return True

    monkeypatch.setattr(approvals, "wake", hang)
    monkeypatch.setattr(approvals, "WAKE_SECONDS", 0.01)
    assert approvals._wake(load_settings(), Taken("g1", "c1", 0, "run")) is False
