"""``casework qa queue``, ``show`` and ``answer``: blind re-review and adjudication."""

from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from casework.errors import InputError, NotFound
from casework.evidence import seen_in_full
from casework.gates import ActorKind, Terms, Verdict
from casework.qa.reviews import GateKind
from casework.qa_answering import answer_qa_gate, look_at_qa_gate, open_qa_gate
from casework.store.cases import find_case
from casework.store.engine import reading, transaction
from casework.store.people import answering
from casework.store.qa.answers import decisions_about
from casework.store.qa.blinding import recuse
from casework.store.qa.gates import SHOWN, Shown, waiting_qa_gates
from casework.store.qa.golden import feedback
from deployments.cli.output import Json, emit, out, reported, table_of
from deployments.cli.setting import acting, actor, now, opened, settled

As = Annotated[str, typer.Option("--as", help="Your id; the default is CASEWORK_ACTOR.")]
GateId = Annotated[str, typer.Argument(help="The QA gate's id.")]


def queue(
    person: As = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out the first so many.")] = 0,
    as_json: Json = False,
) -> None:
    """List the re-reviews and adjudications that you may answer, the oldest first."""
    with reported(as_json):
        settings = settled()
        who = actor(person, settings)
        with reading(opened(settings)) as session:
            known = answering(session, who, ActorKind.PERSON)
            if known is None:
                raise NotFound(f"there is no person {who}", hint="casework people list")
            gates = waiting_qa_gates(session, known, limit=limit, offset=offset)
            rows = [{name: getattr(gate, name) for name in SHOWN} for gate in gates]
        emit({"gates": rows}, as_json, table_of(rows, SHOWN))


def show(gate: GateId, person: As = "", as_json: Json = False) -> None:
    """Show the evidence as the first decider saw it, and nothing of the decision.

    An adjudicator also sees what was decided, without names. The view is in the case's history.
    """
    with reported(as_json):
        settings = settled()
        engine, who = opened(settings), actor(person, settings)
        opened_at = open_qa_gate(engine, gate, who, now=now(), uncovered=True)
        document = _document(engine, *opened_at)
        emit(document, as_json)
        if not as_json:
            _print(document)


def answer(
    gate: GateId,
    verdict: Annotated[Verdict, typer.Option(help="What you would have answered.")],
    rationale: Annotated[str, typer.Option(help="Why; it is kept with the answer.")],
    evidence: Annotated[
        str, typer.Option(help="Evidence digest you have read, or its first 12 characters.")
    ],
    action: Annotated[str | None, typer.Option(help="The action you would have taken.")] = None,
    escalate_to: Annotated[str | None, typer.Option(help="The queue to hand over to.")] = None,
    clause: Annotated[str | None, typer.Option(help="The policy clause it rests on.")] = None,
    error: Annotated[
        str | None, typer.Option(help="Adjudicators: the class of error, or none.")
    ] = None,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Answer a re-review, or adjudicate: which decision stands, and what was wrong."""
    with reported(as_json):
        settings = settled()
        engine, who = opened(settings), actor(person, settings)
        shown, _, _ = look_at_qa_gate(engine, gate)
        payload: dict[str, Any] = {
            "verdict": verdict,
            "action": action,
            "rationale": rationale,
            "clause": clause,
            "escalate_to": escalate_to,
            "evidence_digest": _seen(shown, evidence),
        }
        answer_qa_gate(engine, gate, who, payload | _error(shown, error), now=now())
        with reading(engine) as session:
            told = feedback(session, gate)
        document = {"gate": gate, "answered_by": who, "feedback": told}
        emit(document, as_json, "taken" if told is None else _feedback(told))


def recuse_from(
    case: Annotated[str, typer.Argument(help="A case's id, or source:external id.")],
    person: As = "",
    as_json: Json = False,
) -> None:
    """Give up re-reviewing a case, for good, so as to see what was decided about it."""
    with reported(as_json):
        settings = settled()
        by = acting(person, settings)
        with transaction(opened(settings)) as session:
            found = find_case(session, case).id
            recuse(session, found, by, now())
        document = {"case": found, "person": by.actor}
        emit(document, as_json, f"{by.actor} reviews {found} no more")


def _feedback(told: dict[str, Any]) -> str:
    verdict = "right" if told["right"] else f"not so: {told['known']}"
    return f"{verdict}. {told['rationale']}"


def _seen(shown: Shown, evidence: str) -> str:
    """The whole evidence digest from its beginning; a wrong one stays wrong, to be refused."""
    if len(evidence.strip()) < 12:
        raise InputError(
            "give at least 12 characters of the evidence digest",
            hint=f"read it with: casework qa show {shown.gate.id}",
        )
    return seen_in_full(shown.item.evidence_digest, evidence)


def _error(shown: Shown, error: str | None) -> dict[str, str | None]:
    """The class of error an adjudicator names, the word none for a decision that was right."""
    if shown.gate.kind == GateKind.ADJUDICATION and error is None:
        raise InputError(
            "an adjudication says what was wrong", hint="give --error CLASS, or --error none"
        )
    if shown.gate.kind == GateKind.REVIEW and error is not None:
        raise InputError(
            "a re-review names no error: it does not know what was decided",
            hint="leave --error out",
        )
    if error is None:
        return {}
    return {"error": None if error == "none" else error}


def _document(
    engine: Engine, shown: Shown, terms: Terms, classes: tuple[str, ...]
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "gate": {name: getattr(shown.gate, name) for name in SHOWN},
        "evidence_digest": shown.item.evidence_digest,
        "content": dict(shown.content),
        "signals": [
            reading.model_dump(mode="json", exclude={"case_id", "revision", "read_at"})
            for reading in shown.readings
        ],
        "may_answer": sorted(terms.roles),
        "actions": sorted(terms.actions),
        "escalate_to": sorted(terms.escalations),
    }
    if shown.gate.kind == GateKind.ADJUDICATION:
        with reading(engine) as session:
            decisions = decisions_about(session, shown.item)
        document |= {"errors": list(classes), "decisions": decisions}
    return document


def _print(document: dict[str, Any]) -> None:
    facts = [{"field": name, "value": value} for name, value in document["gate"].items()]
    for name in ("evidence_digest", "may_answer", "actions", "escalate_to", "errors"):
        if name in document:
            facts.append({"field": name, "value": document[name]})
    out.print(table_of(facts, ("field", "value"), "QA gate"))
    content = [{"field": name, "value": value} for name, value in document["content"].items()]
    out.print(table_of(content, ("field", "value"), "Ticket"))
    for reading_ in document["signals"]:
        values = {**reading_["known"], **reading_["unknown"]}
        rows = [{"signal": name, "value": value} for name, value in values.items()]
        out.print(table_of(rows, ("signal", "value"), f"Signals of {reading_['provider']}"))
    if "decisions" in document:
        columns = ("by", "outcome", "clause", "reasons", "would_be")
        out.print(table_of(document["decisions"], columns, "Decisions"))
