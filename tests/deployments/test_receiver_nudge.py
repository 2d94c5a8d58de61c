"""The nudge: the inbox is read soon after something came, and never waited for."""

import asyncio

import pytest

from deployments.receiver import nudge
from deployments.receiver.nudge import Nudge


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The runs that were asked for, by the loop's time; there is a server to ask."""
    runs: list[float] = []

    async def make() -> None:
        runs.append(asyncio.get_running_loop().time())

    monkeypatch.setattr(nudge, "_make_run", make)
    monkeypatch.setattr(nudge, "GAP_SECONDS", 0.05)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    return runs


async def test_many_posts_at_once_ask_for_one_run_and_later_ones_for_another(
    made: list[float],
) -> None:
    nudged = Nudge()
    running = asyncio.create_task(nudged.run())
    await asyncio.sleep(0)
    for _ in range(10):
        nudged.soon()
    await asyncio.sleep(0.01)
    assert len(made) == 1
    nudged.soon()
    await asyncio.sleep(0.3)
    running.cancel()
    assert len(made) == 2
    assert made[1] - made[0] >= 0.05


async def test_without_a_server_nothing_is_asked(
    made: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL")
    nudged = Nudge()
    await nudged.run()
    nudged.soon()
    assert made == []


async def test_a_server_that_does_not_answer_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import httpx
    from prefect.deployments import flow_runs

    async def refused(*_: object, **__: object) -> None:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(flow_runs, "arun_deployment", refused)
    await nudge._make_run()
    assert "ConnectError" in caplog.text
