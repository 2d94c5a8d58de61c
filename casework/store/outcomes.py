"""What a policy decided about a case, as rows and entries. Nothing here touches the database.

Cases that are alike to the policy share a ``Ruling``, which holds all that can be written once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson

from casework.canonical import canonical
from casework.cases import Reading, Route, Status
from casework.evidence import evidence_digest_of, shown
from casework.gates import ActorKind, GateStatus, gate_id
from casework.ledger.acts import completed
from casework.ledger.entries import Action, Draft, Provenance, Written
from casework.store.clocks import Opened

#: Who decides and who asks for people's decisions, in the history.
ACTOR: Final = "policy"

#: What a decision puts on its case, beside the time.
STANDING: Final = ("status", "route", "severity", "queue", "action", "rule_id", "policy_digest")

DECISION: Final = (
    "id",
    "case_id",
    "revision",
    "evidence_digest",
    "gate_id",
    "actor",
    "actor_kind",
    "verdict",
    "action",
    "severity",
    "queue",
    "rule_id",
    "clause",
    "rationale",
    "unknown",
    "policy_digest",
    "code_version",
    "flow_run_id",
    "decided_at",
)
GATE: Final = (
    "id",
    "case_id",
    "revision",
    "evidence_digest",
    "step",
    "queue",
    "severity",
    "proposed_action",
    "reason",
    "requested_by",
    "status",
    "policy_digest",
    "attempt",
    "opened_at",
)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a policy says about all cases that have the same readings and the same outcome."""

    outcome: Mapping[str, Any]
    route: str
    closes: bool
    policy: str
    readings: bytes  # as a reviewer is shown them
    standing: tuple[str | None, ...]  # STANDING
    closed_at: tuple[Any]  # of the case; None where it waits
    decision: tuple[Any, ...]  # DECISION after its evidence
    gate: tuple[Any, ...]  # GATE after its evidence
    told: tuple[str, str]  # data of case.decided, around the decision's id
    closing: tuple[str, str]  # data of case.closed, around the same


class Decided(NamedTuple):
    """One case's decision on its way into the store."""

    case_id: str
    revision: int
    decision_id: str
    evidence: str
    ruling: Ruling


def ruling_of(
    outcome: Mapping[str, Any], readings: Iterable[Reading], policy: str, by: Provenance, at: Any
) -> Ruling:
    """Write all that cases with these readings, by provider, and this outcome have in common."""
    route = outcome["route"]
    severity, queue, action = (outcome[name] for name in ("severity", "queue", "action"))
    closes, rule, reason = route == Route.CLOSE, outcome["rule_id"], outcome["reason"]
    status = Status.CLOSED if closes else Status.WAITING
    unknown = orjson.dumps(outcome["unknown"]).decode()
    machine = ActorKind.MACHINE.value
    decision = (None, ACTOR, machine, route, action, severity, queue, rule, None, reason, unknown)
    gate = (1, queue, severity, action, reason, ACTOR, GateStatus.OPEN.value, policy, 1, at)
    told = {name: outcome[name] for name in ("route", "severity", "queue", "action", "unknown")}
    held = {"hold": outcome["hold"]} if "hold" in outcome else {}
    return Ruling(
        outcome,
        route,
        closes,
        policy,
        b",".join(map(shown, readings)),
        (status.value, route, severity, queue, action, rule, policy),
        (at if closes else None,),
        (*decision, policy, by.code_version, by.flow_run_id, at),
        gate,
        _around_decision({**told, **held, "rule": rule}),
        _around_decision({"action": action}),
    )


def decided(ruling: Ruling, case_id: str, revision: int, content_digest: str) -> Decided:
    """Apply a ruling to one revision of a case; its ids are derived, so that none is made twice."""
    name = f"{case_id}\x00{revision}\x00{ACTOR}"
    decision = sha256(name.encode()).hexdigest()[:32]
    evidence = evidence_digest_of(content_digest, ruling.readings, decision)
    return Decided(case_id, revision, decision, evidence, ruling)


def decision_rows(made: Sequence[Decided]) -> list[tuple[Any, ...]]:
    """Rows of DECISION."""
    return [
        (decision, case, revision, evidence, *ruling.decision)
        for case, revision, decision, evidence, ruling in made
    ]


def gate_rows(made: Sequence[Decided]) -> list[tuple[Any, ...]]:
    """Rows of GATE, for the cases that a person must see."""
    return [
        (gate_id(case, revision, 1), case, revision, evidence, *ruling.gate)
        for case, revision, _, evidence, ruling in made
        if not ruling.closes
    ]


def opened_gates(made: Iterable[Decided]) -> Iterator[Opened]:
    """The gates of those cases, as clocks know them."""
    for case, revision, _, _, ruling in made:
        if not ruling.closes:
            outcome = ruling.outcome
            gate = gate_id(case, revision, 1)
            yield Opened(gate, case, outcome["queue"], outcome["severity"])


def decided_drafts(made: Decided) -> tuple[Draft, Draft]:
    """The entries of one decision: that it was taken, and what follows from it."""
    case, revision, decision, evidence, ruling = made
    policy, (before, after) = ruling.policy, ruling.told
    told = Written(f"{before}{decision}{after}")
    taken = Draft(case, Action.CASE_DECIDED, told, revision, evidence, policy)
    if ruling.closes:
        before, after = ruling.closing
        data: Any = Written(f"{before}{decision}{after}")
        return taken, Draft(case, Action.CASE_CLOSED, data, revision, evidence, policy)
    data = {"queue": ruling.outcome["queue"], "requested_by": ACTOR, "step": 1}
    data["gate"] = gate_id(case, revision, 1)
    return taken, Draft(case, Action.GATE_OPENED, data, revision, evidence, policy)


def completed_draft(made: Decided, opened: str, enriched: str) -> Draft:
    """The one entry of a case that was opened, enriched and closed in one go.

    ``opened`` and ``enriched`` are the data of those acts.
    """
    case, revision, decision, evidence, ruling = made
    (before, after), (head, tail) = ruling.told, ruling.closing
    told, closing = f"{before}{decision}{after}", f"{head}{decision}{tail}"
    data = completed(opened, enriched, told, closing)
    return Draft(case, Action.CASE_COMPLETED, data, revision, evidence, ruling.policy)


def _around_decision(data: Mapping[str, Any]) -> tuple[str, str]:
    """Canonical JSON in two parts, between which the decision's id goes."""
    # Only a key can be followed by this: within a text its quotes would be escaped.
    name = '"decision":"'
    before, after = canonical({**data, "decision": ""}).decode().split(name)
    return before + name, after
