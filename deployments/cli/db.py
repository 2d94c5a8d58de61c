"""``casework db``: the store's schema."""

import typer

from casework.store.engine import open_engine
from casework.store.schema import HEAD, upgrade
from deployments.cli.output import Json, emit, reported
from deployments.cli.setting import opened, settled

app = typer.Typer(no_args_is_help=True)


@app.command("upgrade")
def upgrade_store(as_json: Json = False) -> None:
    """Bring the store to the newest schema."""
    with reported(as_json):
        changed = upgrade(open_engine(settled().store_url))
        said = f"upgraded to {HEAD}" if changed else f"already at {HEAD}"
        emit({"schema": HEAD, "changed": changed}, as_json, said)


@app.command("check")
def check_store(as_json: Json = False) -> None:
    """Say whether the store has the newest schema; exit code 6 if not."""
    with reported(as_json):
        opened(settled())
        emit({"schema": HEAD, "current": True}, as_json, f"current: {HEAD}")
