"""The machine's decisions about cases."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import select, update
from sqlmodel import Session, col

from casework.cases import Reading, Route, Status, check_transition
from casework.gates import ActorKind, GateStatus, evidence_digest_of, gate_id, shown
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.bulk import insert_rows, stored_time
from casework.store.facts import Facts
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.tables import Case

#: Who decides and who asks for people's decisions, in the history.
ACTOR: Final = "policy"

_COUNTS: Final[Mapping[str, str]] = {
    Route.CLOSE: "closed",
    Route.REVIEW: "review",
    Route.ESCALATE: "escalated",
}


def record_outcomes(
    session: Session,
    policy_digest: str,
    facts: Sequence[Facts],
    outcomes: Iterable[Mapping[str, Any]],
    by: Provenance,
    now: datetime,
) -> Counter[tuple[str, str | None, str | None]]:
    """Record what the policy decided about cases that still wait for it, each revision once.

    ``outcomes`` are those of ``casework.policy.evaluate.decide``, in the order of ``facts``. The
    cases are locked until the transaction ends; one that was decided or revised in the meantime
    is passed over.

    Returns:
        How many cases went each way: by route, rule and queue.
    """
    waiting = _lock(session, [each.case_id for each in facts])
    shown_once = _Shown()
    made = [
        _Outcome.of(each, outcome, policy_digest, shown_once)
        for each, outcome in zip(facts, outcomes, strict=True)
        if waiting.get(each.case_id) == each.revision
    ]
    if made:
        at = stored_time(session, now)
        _insert(session, "decisions", [each.decision(by, at) for each in made])
        gates = [each.gate(at) for each in made if each.route != Route.CLOSE]
        _insert(session, "gates", gates)
        _move(session, made, now)
        append(session, [draft for each in made for draft in each.drafts()], by, now)
    return Counter((each.route, each.outcome["rule_id"], each.outcome["queue"]) for each in made)


def counts_by_route(ways: Mapping[tuple[str, str | None, str | None], int]) -> dict[str, int]:
    """The counts of ``record_outcomes`` as ``closed``, ``review`` and ``escalated``."""
    counts = dict.fromkeys(_COUNTS.values(), 0)
    for (route, _, _), number in ways.items():
        counts[_COUNTS[route]] += number
    return counts


class _Outcome(NamedTuple):
    """One case's outcome on its way into the store."""

    facts: Facts
    outcome: Mapping[str, Any]
    route: str
    decision_id: str
    evidence: str
    policy: str

    @classmethod
    def of(
        cls, facts: Facts, outcome: Mapping[str, Any], policy: str, shown_once: "_Shown"
    ) -> "_Outcome":
        name = f"{facts.case_id}\x00{facts.revision}\x00{ACTOR}"
        decision = sha256(name.encode()).hexdigest()[:32]
        readings = map(shown_once, facts.readings)
        evidence = evidence_digest_of(facts.content_digest, readings, decision)
        return cls(facts, outcome, outcome["route"], decision, evidence, policy)

    @property
    def gate_id(self) -> str:
        return gate_id(self.facts.case_id, self.facts.revision, 1)

    def decision(self, by: Provenance, at: Any) -> dict[str, Any]:
        outcome = self.outcome
        return {
            "id": self.decision_id,
            "case_id": self.facts.case_id,
            "revision": self.facts.revision,
            "gate_id": None,
            "actor": ACTOR,
            "actor_kind": ActorKind.MACHINE.value,
            "verdict": self.route,
            "action": outcome["action"],
            "severity": outcome["severity"],
            "queue": outcome["queue"],
            "rule_id": outcome["rule_id"],
            "clause": None,
            "rationale": outcome["reason"],
            "unknown": orjson.dumps(outcome["unknown"]).decode(),
            "evidence_digest": self.evidence,
            "policy_digest": self.policy,
            "code_version": by.code_version,
            "flow_run_id": by.flow_run_id,
            "decided_at": at,
        }

    def gate(self, at: Any) -> dict[str, Any]:
        return {
            "id": self.gate_id,
            "case_id": self.facts.case_id,
            "revision": self.facts.revision,
            "step": 1,
            "queue": self.outcome["queue"],
            "severity": self.outcome["severity"],
            "proposed_action": self.outcome["action"],
            "reason": self.outcome["reason"],
            "requested_by": ACTOR,
            "status": GateStatus.OPEN.value,
            "evidence_digest": self.evidence,
            "policy_digest": self.policy,
            "attempt": 1,
            "opened_at": at,
        }

    def drafts(self) -> Iterable[Draft]:
        outcome = self.outcome
        yield self._draft(
            Action.CASE_DECIDED,
            {
                "decision": self.decision_id,
                "route": self.route,
                "severity": outcome["severity"],
                "queue": outcome["queue"],
                "action": outcome["action"],
                "rule": outcome["rule_id"],
                "unknown": outcome["unknown"],
            },
        )
        if self.route == Route.CLOSE:
            data = {"action": outcome["action"], "decision": self.decision_id}
            yield self._draft(Action.CASE_CLOSED, data)
        else:
            data = {
                "gate": self.gate_id,
                "queue": outcome["queue"],
                "requested_by": ACTOR,
                "step": 1,
            }
            yield self._draft(Action.GATE_OPENED, data)

    def _draft(self, action: Action, data: Mapping[str, Any]) -> Draft:
        facts = self.facts
        return Draft(facts.case_id, action, data, facts.revision, self.evidence, self.policy)


class _Shown:
    """``shown``, once for each reading: many cases share theirs, and they live as long as this."""

    def __init__(self) -> None:
        self._made: dict[int, bytes] = {}

    def __call__(self, reading: Reading) -> bytes:
        key = id(reading)
        if key not in self._made:
            self._made[key] = shown(reading)
        return self._made[key]


def _insert(session: Session, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        insert_rows(session, table, tuple(rows[0]), [tuple(row.values()) for row in rows])


def _lock(session: Session, case_ids: Sequence[str]) -> dict[str, int]:
    """Hold the cases that still wait for the policy; their revisions by id."""
    statement = (
        select(col(Case.id), col(Case.revision))
        .where(among(session, col(Case.id), case_ids), col(Case.status) == Status.ENRICHED)
        .order_by(col(Case.id))
        .with_for_update()
    )
    return {row.id: row.revision for row in session.execute(statement)}


def _move(session: Session, made: Sequence[_Outcome], now: datetime) -> None:
    """Put the decision in force on its cases, with one statement for each different outcome."""
    alike: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
    for each in made:
        names = ("severity", "queue", "action", "rule_id")
        key = (each.route, each.policy, *(each.outcome[name] for name in names))
        alike[key].append(each.facts.case_id)
    for (route, policy, severity, queue, action, rule), cases in alike.items():
        status = Status.CLOSED if route == Route.CLOSE else Status.WAITING
        check_transition(Status.ENRICHED, status)
        session.execute(
            update(Case)
            .where(among(session, col(Case.id), cases))
            .values(
                status=status.value,
                route=route,
                severity=severity,
                queue=queue,
                action=action,
                rule_id=rule,
                policy_digest=policy,
                updated_at=now,
                closed_at=now if status is Status.CLOSED else None,
            )
            .execution_options(synchronize_session=False)
        )
