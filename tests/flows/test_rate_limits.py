"""The rate limits that Prefect holds for all processes together."""

import logging

import pytest
from prefect import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from casework.errors import RateLimited
from tasks.limits import limit_name, rate_limited


@pytest.mark.anyio
async def test_a_request_without_a_turn_in_time_is_rate_limited(prefect_server: None) -> None:
    async with get_client() as client:
        await client.upsert_global_concurrency_limit_by_name(limit_name("tight"), 1)
        limit = await client.read_global_concurrency_limit_by_name(limit_name("tight"))
        response = await client.request(
            "PATCH",
            "/v2/concurrency_limits/{id_or_name}",
            path_params={"id_or_name": limit.id},
            json={"slot_decay_per_second": 0.001},
        )
        response.raise_for_status()
    turn = rate_limited("tight", patience=1.0)
    await turn()
    with pytest.raises(RateLimited):
        await turn()


@pytest.mark.anyio
async def test_without_a_limit_every_request_goes(prefect_server: None) -> None:
    turn = rate_limited("nobody-made-it", patience=60.0)
    gone = 0
    for _ in range(3):
        await turn()  # raises where its patience is at an end
        gone += 1
    assert gone == 3


@pytest.mark.anyio
async def test_requests_go_on_where_prefect_cannot_be_asked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turn = rate_limited("asked-of-nobody", patience=5.0)  # no service of Prefect is there for it
    away = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(away), caplog.at_level(logging.WARNING, "tasks.limits"):
        for _ in range(3):
            await turn()
    assert [record.name for record in caplog.records].count("tasks.limits") == 1
