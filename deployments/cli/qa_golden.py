"""``casework qa golden``: decisions whose right answer is known."""

from typing import Annotated

import typer

from casework.errors import InputError
from casework.gates import Answer, Verdict
from casework.ledger.entries import Provenance
from casework.policy.bundle import load_bundle
from casework.store.engine import reading, transaction
from casework.store.policy import adopt_bundle
from casework.store.qa.golden import active_golden, add_golden, retire_golden
from casework.version import code_version
from deployments.cli.output import Json, emit, reported, table_of
from deployments.cli.setting import actor, now, opened, settled

app = typer.Typer(no_args_is_help=True)

As = Annotated[str, typer.Option("--as", help="Your id; the default is CASEWORK_ACTOR.")]
COLUMNS = ("id", "case_id", "queue", "verdict", "action", "escalate_to", "clause", "added_by")

#: Known answers rest on no evidence of their own: the item's is looked up.
_ANY_EVIDENCE = "0" * 64


@app.command()
def add(
    case: Annotated[str, typer.Argument(help="A case's id, or source:external id.")],
    verdict: Annotated[Verdict, typer.Option(help="The right answer.")],
    rationale: Annotated[str, typer.Option(help="Why it is right.")],
    action: Annotated[str | None, typer.Option(help="The right action.")] = None,
    escalate_to: Annotated[str | None, typer.Option(help="The right queue.")] = None,
    clause: Annotated[str | None, typer.Option(help="The clause it rests on.")] = None,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Keep a case's right answer, to be mixed into rounds unmarked."""
    with reported(as_json):
        settings = settled()
        bundle = load_bundle(settings.bundle_dir)
        by = Provenance(actor(person, settings), "person", code_version())
        if len(rationale.strip()) < 3:
            raise InputError("say why it is right", hint="--rationale takes a sentence")
        answer = Answer(
            verdict=verdict,
            action=action,
            escalate_to=escalate_to,
            clause=clause,
            rationale=rationale,
            evidence_digest=_ANY_EVIDENCE,
        )
        with transaction(opened(settings)) as session:
            adopt_bundle(session, bundle, by, now())
            row = add_golden(session, case, bundle, answer, by, now()).model_dump(mode="json")
        emit(row, as_json, table_of([row], COLUMNS))


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the golden items that are mixed in."""
    with reported(as_json), reading(opened(settled())) as session:
        rows = [each.model_dump(mode="json") for each in active_golden(session)]
        emit({"golden": rows}, as_json, table_of(rows, COLUMNS))


@app.command()
def retire(
    golden: Annotated[str, typer.Argument(help="The golden item's id.")],
    person: As = "",
    as_json: Json = False,
) -> None:
    """Mix an item in no more; rounds that have it keep it."""
    with reported(as_json):
        settings = settled()
        by = Provenance(actor(person, settings), "person", code_version())
        with transaction(opened(settings)) as session:
            row = retire_golden(session, golden, by, now()).model_dump(mode="json")
        emit(row, as_json, table_of([row], COLUMNS))
