"""``casework approvals playbook``: what a gate's playbook asks, and answers to it."""

from typing import Annotated, Any, Final

import typer
from sqlmodel import Session

from casework.errors import InputError, NotFound
from casework.store.engine import transaction
from casework.store.gates import gate_by_id
from casework.store.playbooks import Followed, answer_step, followed
from casework.store.tables import Case
from deployments.cli.approvals import As
from deployments.cli.output import Json, emit, reported, table_of
from deployments.cli.setting import acting, now, opened, settled

app = typer.Typer()

COLUMNS: Final = ("step", "ask", "required", "answers", "answer", "person")


@app.command()
def playbook(
    gate: Annotated[str, typer.Argument(help="The gate's id.")],
    answer: Annotated[
        list[str] | None, typer.Option(help="STEP=ANSWER; may be given again.")
    ] = None,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Show what a gate's playbook asks, and answer its steps."""
    with reported(as_json):
        settings = settled()
        with transaction(opened(settings)) as session:
            for given in answer or []:
                step, separator, choice = given.partition("=")
                if not separator:
                    raise InputError(f"{given!r} is no answer", hint="for example danger=no")
                answer_step(session, gate, step, choice, acting(person, settings), now())
            found = _followed(session, gate)
        document = playbook_document(found)
        emit({"gate": gate, **document}, as_json, table_of(document["steps"], COLUMNS))


def playbook_document(found: Followed) -> dict[str, Any]:
    """A gate's playbook as plain values: the steps that come up, and what is still required."""
    suggestion = found.walk.suggestion
    return {
        "playbook": found.playbook.id,
        "steps": [_row(found, index) for index in range(len(found.walk.asked))],
        "missing": [step.id for step in found.walk.missing] if found.binding else [],
        "suggestion": suggestion and (suggestion.action or suggestion.escalate_to),
    }


def _row(found: Followed, index: int) -> dict[str, Any]:
    step, chosen = found.walk.asked[index].step, found.walk.asked[index].chosen
    return {
        "step": step.id,
        "ask": step.ask,
        "required": step.required,
        "answers": [each.id for each in step.choices],
        "answer": chosen and chosen.id,
        "person": found.answers[step.id].person if chosen else None,
    }


def _followed(session: Session, gate_id: str) -> Followed:
    gate = gate_by_id(session, gate_id)
    found = followed(session, session.get_one(Case, gate.case_id), gate)
    if found is None:
        raise NotFound(f"gate {gate_id} has no playbook that asks anything")
    return found
