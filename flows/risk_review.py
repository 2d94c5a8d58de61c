"""Risk review: the policy decides which cases a machine closes and which a person must see."""

from collections import Counter
from collections.abc import Mapping

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from casework.store.decisions import counts_by_route
from casework.store.facts import Place
from flows.runs import counted, ended, run_name
from tasks.escalation import act_at_once
from tasks.review_runs import make_missing_runs
from tasks.risk_review import adopt_policy, decide_batch


@flow(name="risk_review", flow_run_name=run_name, persist_result=False)
async def risk_review(intake_id: str | None = None) -> dict[str, int]:
    """Decide every case whose signals are gathered, of one intake or of all.

    Every gate that opens gets its review run, suspended; at P0 its ladder begins at once.

    Returns:
        How many cases were ``closed``, sent to ``review`` and ``escalated``.
    """
    policy = await adopt_policy()
    ways: Counter[tuple[str, str | None, str | None]] = Counter()
    after: Place | None = None
    while True:
        batch = await decide_batch(policy, intake_id, after)
        if batch["after"] is None:
            break
        for route, rule, queue, number in batch["ways"]:
            ways[route, rule, queue] += number
        intake, case = batch["after"]
        after = (intake, case)
    if ways:
        await acreate_markdown_artifact(
            markdown=summary(policy, ways), key="risk-review", description="Cases by rule and queue"
        )
    await act_at_once()
    await make_missing_runs()
    counts = counts_by_route(ways)
    return ended(counts, counted(counts))


def summary(policy: str, ways: Mapping[tuple[str, str | None, str | None], int]) -> str:
    """A table of how many cases each rule decided; counts alone, nothing of any case."""
    lines = [
        f"Policy `{policy[:12]}`, {sum(ways.values())} cases",
        "",
        "| route | rule | queue | cases |",
        "|---|---|---|---:|",
    ]
    for (route, rule, queue), number in sorted(ways.items(), key=lambda item: -item[1]):
        lines.append(f"| {route} | {rule or 'none (default)'} | {queue or ''} | {number} |")
    return "\n".join(lines)
