"""``casework cases``: look at cases."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from casework.answering import reverse_action
from casework.cases import Severity, Status
from casework.ledger.entries import Provenance
from casework.settings import Settings
from casework.store.cases import CaseFile, case_file, list_cases
from casework.store.engine import transaction
from casework.store.incidents.reading import incidents_of_case
from casework.store.playbooks import answers_about
from casework.store.qa.blinding import check_sighted, hidden_from
from casework.store.restrictions import let_in, restrict, unrestrict
from casework.store.tables import Case
from deployments.cli.output import HIDDEN, Json, emit, out, reported, table_of
from deployments.cli.setting import acting, actor, now, opened, operator, settled, sighted

app = typer.Typer(no_args_is_help=True)

COLUMNS = ("id", "source", "external_id", "status", "route", "severity", "queue", "action")

#: What a list does not tell somebody who may have to review a case blind.
DECIDED = ("route", "action", "rule_id")

As = Annotated[str, typer.Option("--as", help="Your id; the default is CASEWORK_ACTOR.")]


@app.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only in this status.")] = None,
    queue: Annotated[str | None, typer.Option(help="Only in this queue.")] = None,
    source: Annotated[str | None, typer.Option(help="Only from this source.")] = None,
    severity: Annotated[Severity | None, typer.Option(help="Only of this severity.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out the first so many.")] = 0,
    person: As = "",
    as_json: Json = False,
) -> None:
    """List cases, the most severe first; what was decided is hidden from who may review it."""
    with reported(as_json), sighted(person) as (session, viewer):
        found = list_cases(
            session,
            status=status,
            queue=queue,
            source=source,
            severity=severity,
            limit=limit,
            offset=offset,
        )
        hidden = hidden_from(session, viewer, [case.id for case in found])
        rows = [_listed(case, case.id in hidden) for case in found]
        emit({"cases": rows}, as_json, table_of(rows, COLUMNS))


@app.command()
def show(
    case: Annotated[str, typer.Argument(help="The case's id, or source:external id.")],
    content: Annotated[bool, typer.Option("--content", help="Show the ticket's text.")] = False,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Show one case: where it stands, its signals, decisions, gates and incidents.

    Not to somebody who may have to review it blind.
    """
    with reported(as_json), sighted(person) as (session, viewer):
        file = case_file(session, case)
        check_sighted(session, viewer, file.case.id)
        document = {
            **_document(file, content),
            "let_in": let_in(session, file.case.id),
            "playbook": [
                each.model_dump(mode="json") for each in answers_about(session, file.case.id)
            ],
            "incidents": [
                each.model_dump(mode="json") for each in incidents_of_case(session, file.case.id)
            ],
        }
        emit(document, as_json)
        if not as_json:
            _print(document)


@app.command()
def reverse(
    case: Annotated[str, typer.Argument(help="The case's id, or source:external id.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the decision.")],
    action: Annotated[
        str | None, typer.Option(help="What to undo; the default is what was done last.")
    ] = None,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Undo what was done about a closed case; where that needs more people, a gate is opened."""
    with reported(as_json):
        settings = settled()
        engine = opened(settings)
        who = actor(person, settings)
        done = reverse_action(engine, case, who, reason, now=now(), action=action)
        told = f"{done.reverses} is undone by {done.action}; it leaves within a minute"
        if done.missing:
            told = f"{done.missing} others must approve {done.action} at gate {done.gate_id}"
        emit(asdict(done), as_json, told)


@app.command("restrict")
def restrict_(
    case: Annotated[str, typer.Argument(help="The case's id, or source:external id.")],
    to: Annotated[list[str], typer.Option(help="Who may know of it; may be given again.")],
    reason: Annotated[str, typer.Option(help="Why; its digest is in the history.")],
    person: As = "",
    as_json: Json = False,
) -> None:
    """Let named people alone know of a case; given again, the list is another."""
    with reported(as_json):
        settings = settled()
        with transaction(opened(settings)) as session:
            by, operating = _acting(person, settings)
            named = restrict(session, case, to, reason, by, now(), operating=operating)
        emit({"case": case, "let_in": named}, as_json, f"kept to {', '.join(named)}")


@app.command("unrestrict")
def unrestrict_(
    case: Annotated[str, typer.Argument(help="The case's id, or source:external id.")],
    person: As = "",
    as_json: Json = False,
) -> None:
    """Let everybody know of a case again who may otherwise."""
    with reported(as_json):
        settings = settled()
        with transaction(opened(settings)) as session:
            by, operating = _acting(person, settings)
            lifted = unrestrict(session, case, by, now(), operating=operating)
        emit({"case": case, "lifted": lifted}, as_json, "lifted" if lifted else "not restricted")


def _acting(person: str, settings: Settings) -> tuple[Provenance, bool]:
    """A person where one is named; otherwise whoever operates the store, and that they do."""
    operating = not (person or settings.actor)
    return (operator() if operating else acting(person, settings)), operating


def _listed(case: Case, hidden: bool) -> dict[str, Any]:
    row = case.model_dump(mode="json")
    return row | dict.fromkeys(DECIDED, HIDDEN) if hidden else row


def _document(file: CaseFile, content: bool) -> dict[str, Any]:
    return {
        "case": file.case.model_dump(mode="json"),
        "signals": [reading.model_dump(mode="json") for reading in file.readings],
        "decisions": [decision.model_dump(mode="json") for decision in file.decisions],
        "gates": [gate.model_dump(mode="json") for gate in file.gates],
        **({"content": dict(file.content)} if content else {}),
    }


def _print(document: dict[str, Any]) -> None:
    facts = [{"field": name, "value": value} for name, value in document["case"].items()]
    out.print(table_of(facts, ("field", "value"), "Case"))
    signals = [
        {
            "provider": reading["provider"],
            "signal": name,
            "value": reading["known"].get(name, f"unknown: {reading['unknown'].get(name)}"),
        }
        for reading in document["signals"]
        for name in sorted({*reading["known"], *reading["unknown"]})
    ]
    out.print(table_of(signals, ("provider", "signal", "value"), "Signals"))
    decided = ("decided_at", "actor", "actor_kind", "verdict", "action", "queue", "rule_id")
    out.print(table_of(document["decisions"], decided, "Decisions"))
    gates = ("id", "queue", "severity", "status", "verdict", "action", "flow_run_id")
    out.print(table_of(document["gates"], gates, "Gates"))
    times = ("incident_id", "attached_at", "attached_by", "detached_at")
    out.print(table_of(document["incidents"], times, "Incidents"))
    answered = ("gate_id", "playbook", "step", "answer", "person")
    out.print(table_of(document["playbook"], answered, "Playbook"))
    if "content" in document:
        facts = [{"field": name, "value": value} for name, value in document["content"].items()]
        out.print(table_of(facts, ("field", "value"), "Content"))
