"""``casework demo``: the main job on the samples, with people deciding, in under a minute."""

import asyncio
import itertools
import time
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.errors import CaseworkError, EngineError
from casework.gates import ActorKind
from casework.ledger.entries import Provenance
from casework.ledger.keys import load_signer
from casework.policy.bundle import load_bundle
from casework.resources import resource
from casework.settings import Settings
from casework.store.audit import verify
from casework.store.cases import count_by
from casework.store.engine import reading, transaction
from casework.store.gates import gate_by_id, waiting_gates
from casework.store.outbox import count_effects
from casework.store.people import add_person, people
from casework.store.playbooks import answer_step, followed
from casework.store.sealing import seal
from casework.store.tables import Case
from casework.version import code_version
from deployments.cli.climbing import climb_a_ladder
from deployments.cli.demo_incident import run_incident
from deployments.cli.intake import COUNTS, run_intake
from deployments.cli.output import Json, emit, err, out, reported, table_of
from deployments.cli.setting import now, operator, set_up, settled
from deployments.stack import part, server

#: Made-up people: two or more who may answer in every queue.
PEOPLE: Final = {
    "ana": ("Ana", ["analyst"]),
    "ben": ("Ben", ["senior", "lead"]),
    "mia": ("Mia", ["senior"]),
    "lea": ("Lea", ["partner"]),
    "leo": ("Leo", ["partner"]),
}

#: By how much the incident's clock is moved on with each step.
STEP: Final = timedelta(minutes=4)

#: Lines of the incident's report that are shown.
LINES: Final = 16

#: Seconds the decided cases may take to be carried out.
PATIENCE: Final = 30.0


def demo(as_json: Json = False) -> None:
    """Run the samples through the whole pipeline and decide a few cases."""
    with reported(as_json):
        settings = settled()
        engine = set_up(settings)
        introduce(engine)
        with server(settings):
            counts = run_intake(
                settings, resource("samples/tickets.jsonl"), resource("samples/mapping.yaml"), None
            )
            told = _decide_some(settings, engine)
            # Only now: on SQLite, Prefect makes writers that come together wait for seconds.
            with part(settings, "review-worker"):
                _wait_until_carried_out(engine, [row["gate"] for row in told if row["decided"]])
        later = go_on(settings, engine)
        report = {**_report(settings, engine, counts, told), **later}
        emit(report, as_json)
        if not as_json:
            print_report(report)


def introduce(engine: Engine) -> None:
    """Add the people who are not there yet."""
    with transaction(engine) as session:
        known = {person.id for person in people(session)}
        for person, (name, roles) in PEOPLE.items():
            if person not in known:
                add_person(
                    session,
                    person,
                    name=name,
                    roles=roles,
                    queues=["*"],
                    by=operator(),
                    now=now(),
                )


def _decide_some(settings: Settings, engine: Engine) -> list[dict[str, Any]]:
    """Answer at one gate of each queue, and let the guard refuse what it must."""
    bundle = load_bundle(settings.bundle_dir)
    with reading(engine) as session:
        first: dict[str, str] = {}
        for row in waiting_gates(session, limit=1000):
            first.setdefault(row["queue"], row["id"])
    told = []
    for queue, gate in first.items():
        roles = bundle.queues[queue].roles
        able = [person for person, (_, held) in PEOPLE.items() if roles & set(held)]
        # Where one person is not enough the same one tries again, and the guard refuses.
        for person in [able[0], able[0], *able[1:]]:
            told.append(_answer(engine, queue, gate, person))
            if told[-1]["decided"]:
                break
    return told


def _answer(engine: Engine, queue: str, gate_id: str, person: str) -> dict[str, Any]:
    with reading(engine) as session:
        gate = gate_by_id(session, gate_id)
    payload = {
        "verdict": "approve",
        "action": gate.proposed_action,
        "rationale": "Read the ticket and its signals; the proposal fits.",
        "evidence_digest": gate.evidence_digest,
    }
    told: dict[str, Any] = {"queue": queue, "gate": gate_id, "person": person, "decided": False}
    try:
        _follow_playbook(engine, gate_id, person)
        taken = answer_gate(engine, gate_id, person, payload, now=now())
    except CaseworkError as refusal:
        return {**told, "outcome": f"refused: {refusal.message}"}
    more = "" if taken.decided else f", {taken.missing} more needed"
    return {**told, "decided": taken.decided, "outcome": f"{gate.proposed_action}{more}"}


def _follow_playbook(engine: Engine, gate_id: str, person: str) -> None:
    """Give the first answer to whatever the gate's playbook requires."""
    by = Provenance(actor=person, actor_kind=ActorKind.PERSON, code_version=code_version())
    with transaction(engine) as session:
        gate = gate_by_id(session, gate_id)
        case = session.get_one(Case, gate.case_id)
        while (found := followed(session, case, gate)) and found.walk.missing:
            step = found.walk.missing[0]
            answer_step(session, gate_id, step.id, step.choices[0].id, by, now())


def _wait_until_carried_out(engine: Engine, gates: list[str]) -> None:
    """Wake the runs of these gates, and wait until the worker has carried them out."""
    from tasks.review_runs import follow

    asyncio.run(follow(gates))
    deadline = time.monotonic() + PATIENCE
    while gates and time.monotonic() < deadline:
        with reading(engine) as session:
            if all(gate_by_id(session, gate).status != "decided" for gate in gates):
                return
        time.sleep(0.3)
    if gates:
        raise EngineError(
            "the worker has not carried out every decision yet",
            hint="run: casework up; nothing is lost",
        )


def go_on(settings: Settings, engine: Engine) -> dict[str, Any]:
    """Leave a gate to its ladder and run an incident, by clocks that are moved on.

    Returns:
        ``ladder``: the steps that were taken; ``incident``: its ``report`` as a file, and the same
        as ``markdown``.
    """
    ladder = climb_a_ladder(engine)
    began, steps = now(), itertools.count()
    markdown, path = run_incident(settings, engine, lambda: began + next(steps) * STEP)
    return {"ladder": ladder, "incident": {"report": str(path), "markdown": markdown}}


def _report(
    settings: Settings, engine: Engine, counts: dict[str, int], told: list[dict[str, Any]]
) -> dict[str, Any]:
    with reading(engine) as session:
        standing = count_by(session, "status", "queue")
        effects = count_effects(session)
    signer = load_signer(settings.key_file, settings.ledger_origin)
    seal(engine, signer, now())
    return {
        "intake": counts,
        "answers": told,
        "cases": standing,
        "effects": effects,
        "history": verify(engine, signer.verifier).as_dict(),
    }


def print_report(report: dict[str, Any]) -> None:
    """Print all that the demo did, as tables."""
    out.print(table_of([report["intake"]], COUNTS, "The samples"))
    out.print(table_of(report["answers"], ("queue", "person", "outcome"), "\nPeople at gates"))
    out.print(table_of(report["cases"], ("status", "queue", "cases"), "\nWhere the cases stand"))
    left = ("kind", "destination", "status", "effects")
    out.print(table_of(report["effects"], left, "\nWhat left, and what will"))
    _print_later(report["ladder"], report["incident"])
    history = [{"fact": name, "value": value} for name, value in report["history"].items()]
    out.print(table_of(history, ("fact", "value"), "\nThe history"))
    _print_hints()


def _print_later(ladder: list[dict[str, Any]], incident: dict[str, str]) -> None:
    climbed = [{**row, "what": _said(row["what"])} for row in ladder]
    title = "\nA gate that nobody touches, by a clock that is moved on"
    out.print(table_of(climbed, ("at", "entry", "step", "what"), title))
    out.print("\nAn incident, from page to report", style="italic")
    for line in incident["markdown"].splitlines()[:LINES]:
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    out.print(f"... the rest is in {incident['report']}", markup=False, soft_wrap=True)


def _said(what: dict[str, Any]) -> str:
    return " ".join(
        f"{name} {what[name]}" for name in ("destination", "from", "to") if name in what
    )


def _print_hints() -> None:
    err.print("\nGo on with:")
    for line in (
        "casework up                      the server and its workers, with Prefect's own pages",
        "casework approvals list          what waits for people",
        "casework approvals show GATE     one ticket, its signals and what may be answered",
        "casework cases list              every case",
        "casework quarantine list         rows that could not become cases, and why",
        "casework effects list            what decisions have caused outside",
        "casework policy explain CASE     each rule: true, false or unknown",
        "casework audit verify            prove that the history is whole",
    ):
        err.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
