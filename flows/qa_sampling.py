"""QA sampling, every day: a seeded sample of what was decided goes to blind re-review.

Nothing waits in Prefect for the answers: the cases are closed, and a correction re-opens its case
at an ordinary gate, whose run the reconciler makes.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from casework.qa.summaries import strata_table
from flows.runs import counted, ended, run_name
from tasks.qa_sampling import draw_sample, propose_pausing


@flow(name="qa_sampling", flow_run_name=run_name, persist_result=False)
async def qa_sampling(
    plan: str, seed: str | None = None, until: datetime | None = None
) -> dict[str, Any]:
    """Draw a plan's sample and open its gates; running again draws nothing new.

    Whoever the rounds before have found below a threshold is proposed to leads first.

    Returns:
        ``round``, its id, and how many decisions it has in ``population`` and ``sampled``; no
        round and none where nothing was decided or the bundle has no such plan. ``proposals`` to
        pause rights are those that are new.
    """
    proposals = await propose_pausing()
    drawn = await draw_sample(plan, seed, until)
    if drawn is None:
        nothing = {"round": None, "population": 0, "sampled": 0, "proposals": proposals}
        return ended(nothing, counted({"proposals to pause": proposals}))
    await acreate_markdown_artifact(
        markdown=summary(drawn), key="qa-sampling", description="A sample of decisions, by stratum"
    )
    counts = {name: drawn[name] for name in ("population", "sampled")}
    return ended(
        {"round": drawn["id"], **counts, "proposals": proposals},
        f"round {drawn['id']}: {drawn['sampled']} of {drawn['population']} decisions sampled, "
        f"{proposals} proposals to pause",
    )


def summary(drawn: Mapping[str, Any]) -> str:
    """What was drawn, and what repeats it; counts alone, nothing of any case."""
    facts = [
        f"Plan `{drawn['plan']}`, round `{drawn['id']}`, seed `{drawn['seed']}`: "
        f"{drawn['sampled']} of {drawn['population']} decisions.",
        "",
        *strata_table(drawn["strata"]),
        "",
        *(f"{name}: `{drawn[f'{name}_digest']}`  " for name in ("plan", "population", "sample")),
    ]
    return "\n".join(facts)
