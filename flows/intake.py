"""A file of tickets, from its rows to cases that a machine has closed or a person must see."""

from collections.abc import Mapping

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.runtime import flow_run

from casework.errors import MappingError
from casework.mapping import load_mapping
from casework.store.intake_run import source_of
from flows.enrichment import enrichment
from flows.risk_review import risk_review
from flows.runs import counted, ended
from tasks.intake import (
    drop_spool,
    read_file,
    reasons_for_quarantine,
    routes_of_intake,
    spool_input,
)


def run_name() -> str:
    """The source and the intake, so that the run can be found by either."""
    given = flow_run.parameters
    source = given.get("source") or _source_in(given.get("mapping")) or source_of(given["path"])
    return f"intake-{source}-{given.get('intake_id') or intake_of_run()}"


def intake_of_run() -> str:
    """The intake's id where none is given: the run's own, so that a retry goes on with it."""
    return "i" + str(flow_run.id).replace("-", "")[:16]


@flow(name="intake", flow_run_name=run_name, persist_result=False)
async def intake(
    path: str,
    mapping: str | None = None,
    source: str | None = None,
    intake_id: str | None = None,
) -> dict[str, int]:
    """Read a file (``-``: standard input), then enrich and decide the cases it opened or revised.

    Returns:
        The counts ``received``, ``opened``, ``duplicates``, ``revised``, ``quarantined``,
        ``closed``, ``review`` and ``escalated``.
    """
    identity = intake_id or intake_of_run()
    file = await spool_input(identity) if path == "-" else path
    source = source or ("stdin" if path == "-" and _source_in(mapping) is None else None)
    counts = await read_file(file, identity, mapping, source)
    if path == "-":
        await drop_spool(file)
    await enrichment(identity)
    await risk_review(identity)
    counts |= await routes_of_intake(identity)
    reasons = await reasons_for_quarantine(identity)
    await acreate_markdown_artifact(
        markdown=summary(identity, counts, reasons), key="intake", description="Counts of an intake"
    )
    return ended(counts, counted(counts))


def summary(intake_id: str, counts: Mapping[str, int], reasons: Mapping[str, int]) -> str:
    """What became of the rows, and why some were quarantined; nothing of what they say."""
    lines = [f"Intake `{intake_id}`", "", "| rows | number |", "|---|---:|"]
    lines += [f"| {name} | {number} |" for name, number in counts.items()]
    if reasons:
        lines += ["", "| quarantined because | rows |", "|---|---:|"]
        lines += [f"| {reason} | {number} |" for reason, number in reasons.items()]
    return "\n".join(lines)


def _source_in(mapping: str | None) -> str | None:
    """The source a mapping names; a faulty one is reported when it is used."""
    try:
        return load_mapping(mapping).source if mapping else None
    except MappingError:
        return None
