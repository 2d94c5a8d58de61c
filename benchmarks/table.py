"""One line of the table of benchmarks."""

from typing import Any


def row(
    figure: str, value: float | str, unit: str, limit: str = "", peer: str = ""
) -> dict[str, Any]:
    """A figure with its unit, the limit it must keep and the peer it stands beside."""
    return {"figure": figure, "value": value, "unit": unit, "limit": limit, "peer": peer}
