"""Health, every hour: days that are over are recorded, and today is looked at again."""

from typing import Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from tasks.health import watch_health


@flow(name="health", persist_result=False)
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
    return {name: value for name, value in found.items() if name != "report"}
