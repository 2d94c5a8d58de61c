"""``casework pull``: what a ticket system has that is new."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from casework.errors import ConfigurationError
from casework.policy.bundle import load_bundle
from casework.settings import Settings
from deployments.cli.intake import COUNTS
from deployments.cli.output import Json, emit, err, reported, table_of
from deployments.cli.setting import set_up, settled
from deployments.stack import server


def pull_source(
    source: Annotated[str, typer.Option(help="The system to pull from.")] = "zendesk",
    as_json: Json = False,
) -> None:
    """Pull what is new, open cases, gather signals and put them before the policy."""
    with reported(as_json):
        counts = run_pull(settled(), source)
        emit(counts, as_json, table_of([counts], ("pages", *COUNTS), f"Pull of {source}"))
        if not as_json and counts["quarantined"]:
            err.print("look at the bad rows with: casework quarantine list")


def run_pull(settings: Settings, source: str) -> dict[str, int]:
    """Run the pull flow here and now, on the server that runs or one started for it.

    Raises:
        ConfigurationError: there is nothing to pull from.
    """
    load_bundle(settings.bundle_dir)
    set_up(settings)
    # Only now: what imports Prefect wants the home folder to be there.
    from tasks.connectors import feed_of

    if feed_of(settings, source, datetime.now(UTC)) is None:
        raise ConfigurationError(
            f"there is no {source} to pull from",
            hint="set CASEWORK_ZENDESK_URL for zendesk, the one system that is pulled",
        )
    with server(settings):
        from flows.pull import pull

        counts = asyncio.run(pull(source))
    return {name: int(counts.get(name, 0)) for name in ("pages", *COUNTS)}
