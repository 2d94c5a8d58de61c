"""``casework incident``: open an incident, look at it, move it on, close it."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer
from sqlmodel import Session

from casework.cases import Severity
from casework.errors import InputError
from casework.incidents.durations import spoken
from casework.incidents.report import report as written
from casework.incidents.states import IncidentStatus
from casework.incidents.story import Story
from casework.incidents.telling import tell
from casework.ledger.entries import Provenance
from casework.policy.bundle import load_bundle
from casework.policy.faults import nearest
from casework.store.engine import reading
from casework.store.incidents.lifecycle import (
    Opening,
    list_incidents,
    move_incident,
    open_incident,
    rate_incident,
)
from casework.store.incidents.reports import report_at_closing, sign_off
from casework.store.incidents.story import story_of
from casework.store.qa.blinding import check_sighted, hidden_in_story
from deployments.cli import incident_work
from deployments.cli.incident_work import As, Incident, acted
from deployments.cli.output import Json, emit, err, out, reported, table_of
from deployments.cli.setting import now, opened, settled, sighted
from deployments.cli.times import moment

app = typer.Typer(no_args_is_help=True)

_COLUMNS: Final = ("id", "severity", "status", "title", "cases", "opened_by", "opened_at")


@app.command("open")
def open_(
    title: Annotated[str, typer.Argument(help="What it is, in a line; it stays in the store.")],
    severity: Annotated[Severity, typer.Option(help="How bad it is.")],
    category: Annotated[str | None, typer.Option(help="A category of the policy.")] = None,
    detected: Annotated[
        str, typer.Option(help="Noticed when, or how long ago; else its first case's arrival.")
    ] = "",
    key: Annotated[
        str, typer.Option(help="The same key opens it once, for example a page's id.")
    ] = "",
    person: As = "",
    as_json: Json = False,
) -> None:
    """Open an incident and print its id."""
    with reported(as_json):
        if category:
            _check_category(category)
        opening = Opening(
            key=key or uuid4().hex,
            title=title,
            severity=severity,
            category=category,
            detected_at=moment(detected, now(), ago=True) if detected else None,
        )

        def do(session: Session, by: Provenance, at: datetime) -> dict[str, Any]:
            return open_incident(session, opening, by, at).model_dump(mode="json")

        made = acted(None, person, do)
        emit({"incident": made}, as_json, f"{made['id']} is open, {made['severity']}")


@app.command("list")
def list_(
    status: Annotated[IncidentStatus | None, typer.Option(help="Only in this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out the first so many.")] = 0,
    as_json: Json = False,
) -> None:
    """List incidents, the most severe first."""
    with reported(as_json), reading(opened(settled())) as session:
        rows = list_incidents(session, status=status, limit=limit, offset=offset)
        emit({"incidents": rows}, as_json, table_of(rows, _COLUMNS))


@app.command()
def show(incident: Incident, person: As = "", as_json: Json = False) -> None:
    """Show an incident: its cases, roles, tasks, holds, follow-ups and timeline."""
    with reported(as_json):
        with sighted(person) as (session, viewer):
            story = _seen(session, incident, viewer)
        emit({"incident": _document(story)}, as_json)
        if not as_json:
            _print(story)


@app.command()
def status(
    incident: Incident,
    to: Annotated[IncidentStatus | None, typer.Argument(help="Where it stands now.")] = None,
    severity: Annotated[Severity | None, typer.Option(help="How bad it is now.")] = None,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Say that an incident is contained, resolved or open again, or how severe it is."""
    with reported(as_json):
        if to is None and severity is None:
            raise InputError("say where it stands", hint="contained, resolved, open, or --severity")
        changed: dict[str, bool] = {}
        if severity is not None:
            changed["severity"] = acted(
                incident, person, lambda s, by, at: rate_incident(s, incident, severity, by, at)
            )
        if to is not None:
            changed["status"] = acted(
                incident, person, lambda s, by, at: move_incident(s, incident, to, by, at)
            )
        told = "; ".join(
            f"{name} {'changed' if done else 'is that already'}" for name, done in changed.items()
        )
        emit({"incident": incident, "changed": changed}, as_json, f"{incident}: {told}")


@app.command()
def close(
    incident: Incident,
    output: Annotated[
        Path | None, typer.Option("--out", help="Write the report to this file.")
    ] = None,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Close an incident that is resolved and leaves nothing open; its report is kept."""
    with reported(as_json):

        def do(session: Session, by: Provenance, at: datetime) -> tuple[str, str]:
            kept = sign_off(session, incident, by, at)
            return kept.markdown, kept.digest

        markdown, digest = acted(incident, person, do)
        if output:
            _write(output, markdown)
        document = {"incident": incident, "status": "closed", "report_digest": digest}
        told = f"{incident} is closed; its report: casework incident report {incident}"
        emit(document, as_json, told)


@app.command()
def report(
    incident: Incident,
    output: Annotated[Path | None, typer.Option("--out", help="Write it to this file.")] = None,
    at_closing: Annotated[
        bool, typer.Option("--at-closing", help="As it stood when the incident was closed.")
    ] = False,
    ids: Annotated[
        bool, typer.Option("--ids", help="Without what people wrote, as the artifact has it.")
    ] = False,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Print the post-incident report as Markdown."""
    with reported(as_json):
        with sighted(person) as (session, viewer):
            if at_closing:
                for case in story_of(session, incident).cases:
                    check_sighted(session, viewer, case)
                markdown = report_at_closing(session, incident).markdown
            else:
                markdown = written(_seen(session, incident, viewer), now(), words=not ids)
        if output:
            _write(output, markdown)
        emit({"incident": incident, "markdown": markdown}, as_json)
        if not as_json and output is None:
            out.print(markdown, markup=False, highlight=False, soft_wrap=True, end="")


def _seen(session: Session, incident: str, viewer: str | None) -> Story:
    """An incident's story as somebody may see it, who may have to review cases of it blind."""
    story = story_of(session, incident)
    hidden = hidden_in_story(session, viewer, story)
    if hidden:
        told = f"{len(hidden)} cases are under blind re-review: what was decided is left out"
        err.print(told, markup=False, highlight=False)
    return story.without(hidden)


for _name, _command in incident_work.COMMANDS.items():
    app.command(_name)(_command)


def _check_category(category: str) -> None:
    known = load_bundle(settled().bundle_dir).categories
    if category not in known:
        hint = nearest(category, known, "category")
        raise InputError(f"the policy has no category {category}", hint=hint)


def _write(path: Path, markdown: str) -> None:
    try:
        path.write_text(markdown, encoding="utf8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _document(story: Story) -> dict[str, Any]:
    seconds = {
        span.name: None if span.lasted is None else span.lasted.total_seconds()
        for span in story.spans()
    }
    tasks = [
        {**asdict(task), "status": task.status(now()), "late": task.late(now()).total_seconds()}
        for task in story.tasks
    ]
    return {**asdict(story), "tasks": tasks, "seconds_from_detection": seconds}


def _print(story: Story) -> None:
    facts = {
        "title": story.title,
        "severity": story.severity,
        "status": story.status,
        "detected": story.detected_at,
        "opened": story.opened_at,
        "opened_by": story.opened_by,
        **{f"to {span.name}": spoken(span.lasted) for span in story.spans()},
    }
    rows = [{"fact": name, "value": value} for name, value in facts.items()]
    out.print(table_of(rows, ("fact", "value"), f"Incident {story.id}"))
    cases = [{"case": case, "status": state} for case, state in story.cases.items()]
    out.print(table_of(cases, ("case", "status"), "\nCases"))
    roles = ("role", "person", "assumed_at", "renounced_at")
    out.print(table_of([asdict(each) for each in story.tenures], roles, "\nRoles"))
    tasks = [{**asdict(each), "status": each.status(now())} for each in story.tasks]
    shown = ("number", "partner", "what", "due", "status")
    out.print(table_of(tasks, shown, "\nPartner tasks"))
    holds = ("id", "scope", "value", "reason", "placed_at", "lifted_at", "held")
    out.print(table_of([asdict(each) for each in story.holds], holds, "\nHolds"))
    after = ("number", "what", "owner", "due", "done_at")
    out.print(table_of([asdict(each) for each in story.follow_ups], after, "\nFollow-ups"))
    told = [
        {
            "at": each.at,
            "who": each.actor,
            "case": "" if each.chain == story.id else each.chain,
            "what": tell(story, each, True),
        }
        for each in story.moments
    ]
    out.print(table_of(told, ("at", "who", "case", "what"), "\nTimeline"))
