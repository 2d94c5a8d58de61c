"""Incident reports: write those that are due, without anything that people wrote."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from casework.canonical import digest
from casework.incidents.report import report
from casework.store.engine import reading, transaction
from casework.store.incidents.reports import note_publication, unpublished
from casework.store.incidents.story import story_of
from tasks.context import surroundings
from tasks.retrying import can_help


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=can_help,
)
async def reports_due() -> list[str]:
    """Find the closed incidents whose report has not been published as it stands now."""
    with reading(surroundings("incident_report").engine) as session:
        return unpublished(session)


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=can_help,
)
async def write_report(incident_id: str) -> str:
    """Write an incident's report with ids alone, and none of restricted cases: all may read it.

    Raises:
        NotFound: there is no such incident.
    """
    with reading(surroundings("incident_report").engine) as session:
        story = story_of(session, incident_id, viewer="")  # as somebody of whom nothing is known
        return report(story, datetime.now(UTC), words=False)


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=can_help,
)
async def note_published(incident_id: str, markdown: str) -> None:
    """Record that this report has become an artifact."""
    here = surroundings("incident_report")
    with transaction(here.engine) as session:
        note_publication(session, incident_id, digest(markdown), here.by, here.now)
