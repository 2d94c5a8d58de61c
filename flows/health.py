"""Health, every hour: days that are over are recorded, and today is looked at again."""

from collections.abc import Mapping
from typing import Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from flows.runs import counted, ended, run_name
from tasks.health import watch_health


@flow(name="health", flow_run_name=run_name, persist_result=False)
async def health() -> dict[str, Any]:
    """Record the days that are over and see how today stands; the report becomes an artifact.

    Returns:
        The days ``recorded`` and ``revised``, the number of ``alerts`` in them, and how many
        clocks are expected to be missed.
    """
    found = await watch_health()
    await acreate_markdown_artifact(
        markdown=found["report"], key="health", description="How the work goes"
    )
    result = {name: value for name, value in found.items() if name != "report"}
    return ended(result, told(result))


def told(result: Mapping[str, Any]) -> str:
    """Which days were recorded and revised, what is odd in them, and how today stands."""
    days = [f"{did}: {', '.join(result[did])}" for did in ("recorded", "revised") if result[did]]
    misses = f"{result['expected_misses']:.0f} clocks expected to be missed"
    return "; ".join([*days, counted({"alerts": result["alerts"]}) or "no alerts", misses])
