"""Previews and rounds as plain data for people and programs: counts alone, nothing of any case."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from casework.qa.plans import Plan
from casework.qa.sampling import Preview


def preview_document(found: Preview, plan: Plan, wanted: float) -> dict[str, Any]:
    """A preview as plain JSON; a margin that cannot be told is None."""
    return {
        "plan": found.plan,
        "method": plan.allocation.method,
        "population": found.population,
        "sampled": found.sampled,
        "reviews": found.reviews,
        "hours": round(found.hours, 2),
        "confidence": found.confidence,
        "expected_margin": found.margin if isfinite(found.margin) else None,
        "wanted_margin": wanted,
        "size_for_wanted_margin": found.needed,
        "strata": [stratum.as_dict(plan.strata) for stratum in found.strata],
    }


def strata_table(strata: Sequence[Mapping[str, Any]]) -> list[str]:
    """The strata of a round as lines of a Markdown table."""
    lines = ["| stratum | decisions | drawn | probability |", "|---|---:|---:|---:|"]
    for row in strata:
        name = ", ".join(row["stratum"].values()) or "all"
        lines.append(
            f"| {name} | {row['population']} | {row['sampled']} | {row['probability']:.3f} |"
        )
    return lines
