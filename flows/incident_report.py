"""Incident reports: what is closed is shown as an artifact, and again when something is added."""

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from flows.runs import ended, run_name
from tasks.incident_report import note_published, reports_due, write_report


@flow(name="incident_report", flow_run_name=run_name, persist_result=False)
async def incident_report(incident_id: str | None = None) -> list[str]:
    """Publish the report of one incident, or of every closed one that is due.

    Safe to repeat: a report published twice is two versions of one artifact.

    Returns:
        The incidents whose reports were published.
    """
    due = [incident_id] if incident_id else await reports_due()
    for incident in due:
        markdown = await write_report(incident)
        await acreate_markdown_artifact(
            markdown=markdown, key=f"incident-{incident}", description="Post-incident report"
        )
        await note_published(incident, markdown)
    return ended(due, f"published: {', '.join(due)}" if due else "")
