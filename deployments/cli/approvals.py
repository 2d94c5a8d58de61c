"""``casework approvals``: gates where people decide."""

import asyncio
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from casework.answering import WAKE_SECONDS, Taken, answer_gate, bundle_of
from casework.clocks.model import ClockKind
from casework.errors import EngineError, InputError, NotFound
from casework.evidence import seen_in_full
from casework.gates import Verdict
from casework.settings import Settings
from casework.store.cases import case_file
from casework.store.clocks import clocks_at
from casework.store.consequences import terms_at
from casework.store.desk import is_beyond
from casework.store.engine import reading, transaction
from casework.store.gates import answers_at, gate_by_id, live_holder, note_view, waiting_gates
from casework.store.playbooks import answers_about, unanswered
from casework.store.qa.blinding import check_sighted, hidden_from
from casework.store.restrictions import check_known
from casework.store.tables import Assignment
from deployments.cli.output import HIDDEN, Json, emit, err, out, reported, table_of
from deployments.cli.setting import acting, actor, now, opened, operator, settled, sighted
from deployments.waking import wake

app = typer.Typer(no_args_is_help=True)

COLUMNS = ("id", "severity", "queue", "proposed_action", "due_at", "holder", "reason")

#: What a list says instead of what a gate proposes, to whom that is hidden.
PROPOSED = {"proposed_action": HIDDEN, "reason": HIDDEN}

As = Annotated[str, typer.Option("--as", help="Your id; the default is CASEWORK_ACTOR.")]


@app.command("list")
def list_(
    queue: Annotated[list[str] | None, typer.Option(help="Only these queues.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out the first so many.")] = 0,
    person: As = "",
    as_json: Json = False,
) -> None:
    """List the gates that wait for people, the most severe first.

    What is proposed, and why, is hidden from who may have to review the case blind.
    """
    with reported(as_json), sighted(person) as (session, viewer):
        rows = waiting_gates(session, queues=queue, limit=limit, offset=offset, now=now())
        hidden = hidden_from(session, viewer, {row["case_id"] for row in rows})
        rows = [row | PROPOSED if row["case_id"] in hidden else row for row in rows]
        emit({"gates": rows}, as_json, table_of(rows, COLUMNS))


@app.command()
def show(
    gate: Annotated[str, typer.Argument(help="The gate's id.")],
    person: As = "",
    as_json: Json = False,
) -> None:
    """Show what a gate is about: the ticket, its signals, and what may be answered.

    The view is written into the case's history.
    """
    with reported(as_json):
        settings = settled()
        engine = opened(settings)
        with transaction(engine) as session:
            by, case = operator(), gate_by_id(session, gate).case_id
            if person or settings.actor:
                by = acting(person, settings)
                check_known(session, case, gate, by.actor)
                if is_beyond(session, case, by.actor):
                    raise NotFound(f"there is no gate {gate}", hint="casework approvals list")
            check_sighted(session, by.actor, case)
            note_view(session, gate, by, now())
        document = _document(engine, gate)
        emit(document, as_json)
        if not as_json:
            _print(document)


@app.command()
def decide(
    gate: Annotated[str, typer.Argument(help="The gate's id.")],
    verdict: Annotated[Verdict, typer.Option(help="Your answer.")],
    rationale: Annotated[str, typer.Option(help="Why; it is kept with the decision.")],
    evidence: Annotated[
        str, typer.Option(help="Evidence digest you have read, or its first 12 characters.")
    ],
    action: Annotated[str | None, typer.Option(help="The action you approve.")] = None,
    escalate_to: Annotated[str | None, typer.Option(help="The queue you hand over to.")] = None,
    clause: Annotated[str | None, typer.Option(help="The policy clause it rests on.")] = None,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Answer at a gate. The answer is committed first; its run is woken afterwards."""
    with reported(as_json):
        settings = settled()
        engine = opened(settings)
        payload = {
            "verdict": verdict,
            "action": action,
            "rationale": rationale,
            "clause": clause,
            "escalate_to": escalate_to,
            "evidence_digest": _seen(engine, gate, evidence),
        }
        taken = answer_gate(engine, gate, actor(person, settings), payload, now=now())
        woken = taken.decided and _wake(settings, taken)
        document = {
            "gate": gate,
            "case": taken.case_id,
            "decided": taken.decided,
            "missing": taken.missing,
            "woken": woken,
        }
        emit(document, as_json, _told(taken, woken))


def _seen(engine: Engine, gate: str, prefix: str) -> str:
    """The whole evidence digest from its beginning; a wrong one stays as it is, to be refused."""
    if len(prefix.strip()) < 12:
        raise InputError(
            "give at least 12 characters of the evidence digest",
            hint=f"read it with: casework approvals show {gate}",
        )
    with reading(engine) as session:
        digest = gate_by_id(session, gate).evidence_digest
    return seen_in_full(digest, prefix)


def _wake(settings: Settings, taken: Taken) -> bool:
    """Wake the run of a decided gate; the reconciler does it where this fails."""
    if taken.flow_run_id is None:
        return False
    try:
        return asyncio.run(asyncio.wait_for(wake(settings, taken.flow_run_id), WAKE_SECONDS))
    except TimeoutError:
        err.print(
            "the run was not woken: Prefect hangs; it wakes when Prefect answers", markup=False
        )
        return False
    except EngineError as error:
        err.print(f"the run was not woken: {error.message}", markup=False)
        return False


def _told(taken: Taken, woken: bool) -> str:
    if not taken.decided:
        return f"taken; {taken.missing} more must approve the same"
    if woken:
        return "decided; the case goes on"
    return "decided; the case goes on when the stack runs (casework up)"


def _document(engine: Engine, gate_id: str) -> dict[str, Any]:
    with reading(engine) as session:
        gate = gate_by_id(session, gate_id)
        file = case_file(session, gate.case_id)
        kept = session.get(Assignment, gate_id)
        clock = clocks_at(session, gate_id).get(ClockKind.DECISION)
        answers = [answer.model_dump(mode="json") for answer in answers_at(session, gate_id)]
        followed = answers_about(session, gate.case_id, gate.revision)
        asks = unanswered(session, file.case, gate)
        bundle = bundle_of(engine, gate.policy_digest)
        terms = terms_at(session, bundle, gate, gate.proposed_action)
    return {
        "gate": gate.model_dump(mode="json"),
        "holder": kept and live_holder(kept, now()),
        "due_at": clock and clock.due_at,
        "content": dict(file.content),
        "signals": [reading.model_dump(mode="json") for reading in file.readings],
        "answers": answers,
        "playbook": [each.model_dump(mode="json") for each in followed],
        "playbook_asks": asks,
        "may_answer": sorted(terms.roles),
        "actions": sorted(terms.actions),
        "escalate_to": sorted(terms.escalations),
        "approvals": terms.approvals,
    }


def _print(document: dict[str, Any]) -> None:
    gate = document["gate"]
    shown = ("id", "queue", "severity", "status", "reason", "proposed_action", "evidence_digest")
    facts = [{"field": name, "value": gate[name]} for name in shown]
    for name in (
        "holder",
        "due_at",
        "may_answer",
        "actions",
        "escalate_to",
        "approvals",
        "playbook_asks",
    ):
        facts.append({"field": name, "value": document[name]})
    out.print(table_of(facts, ("field", "value"), "Gate"))
    content = [{"field": name, "value": value} for name, value in document["content"].items()]
    out.print(table_of(content, ("field", "value"), "Ticket"))
    signals = [
        {"provider": reading["provider"], **reading["known"], **reading["unknown"]}
        for reading in document["signals"]
    ]
    for row in signals:
        provider = row.pop("provider")
        values = [{"signal": name, "value": value} for name, value in row.items()]
        out.print(table_of(values, ("signal", "value"), f"Signals of {provider}"))
    answered = ("decided_at", "actor", "verdict", "action", "rationale")
    out.print(table_of(document["answers"], answered, "Answers so far"))
