"""What every task needs from its surroundings: settings, store, provenance and the time."""

from dataclasses import dataclass
from datetime import UTC, datetime

from prefect.context import FlowRunContext, TaskRunContext
from sqlalchemy import Engine

from casework.ledger.entries import Provenance
from casework.settings import Settings, load_settings
from casework.store.engine import open_engine
from casework.version import code_version


@dataclass(frozen=True, slots=True)
class Context:
    """Surroundings of one run of one task."""

    settings: Settings
    engine: Engine
    by: Provenance
    now: datetime


def surroundings(stage: str) -> Context:
    """Read the settings and name who acts: the machine, at a stage, in the current run."""
    settings = load_settings()
    return Context(
        settings=settings,
        engine=open_engine(settings.store_url),
        by=provenance(f"casework:{stage}"),
        now=datetime.now(UTC),
    )


def provenance(actor: str) -> Provenance:
    """The machine under this name, with the ids of the current flow and task run."""
    flow_run, task_run = FlowRunContext.get(), TaskRunContext.get()
    flow_run_id = flow_run.flow_run.id if flow_run and flow_run.flow_run else None
    if flow_run_id is None and task_run is not None:
        flow_run_id = task_run.task_run.flow_run_id
    return Provenance(
        actor=actor,
        actor_kind="machine",
        code_version=code_version(),
        flow_run_id=str(flow_run_id) if flow_run_id else None,
        task_run_id=str(task_run.task_run.id) if task_run else None,
    )
