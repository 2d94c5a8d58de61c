"""What an entry of the ledger says, and how it is chained to the one before.

An entry's body is canonical JSON (RFC 8785). Its digest is the SHA-256 of that body, and the body
names the digest of the entry before it in the same chain: a case's own, or ``system``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from casework.canonical import canonical

SYSTEM: Final = "system"
GENESIS: Final = "0" * 64


class Action(StrEnum):
    """Everything that can happen. Each mutating path of the store writes one of these."""

    INTAKE_STARTED = "intake.started"
    INTAKE_ADOPTED = "intake.adopted"
    INTAKE_FINISHED = "intake.finished"
    ROW_QUARANTINED = "row.quarantined"
    ROW_RETRIED = "row.retried"
    ROW_DISCARDED = "row.discarded"
    CASE_OPENED = "case.opened"
    CASE_REVISED = "case.revised"
    CASE_ENRICHED = "case.enriched"
    CASE_DECIDED = "case.decided"
    CASE_CLOSED = "case.closed"
    GATE_OPENED = "gate.opened"
    GATE_ANSWERED = "gate.answered"
    GATE_DENIED = "gate.denied"
    GATE_DECIDED = "gate.decided"
    GATE_WOKEN = "gate.woken"
    GATE_SUPERSEDED = "gate.superseded"
    GATE_CARRIED_OUT = "gate.carried_out"
    RUN_ASSIGNED = "run.assigned"
    POLICY_ADOPTED = "policy.adopted"
    PERSON_ADDED = "person.added"
    PERSON_CHANGED = "person.changed"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who does something, with which code, in which run."""

    actor: str
    actor_kind: str = "machine"  # machine, person, unverified
    code_version: str = ""
    flow_run_id: str | None = None
    task_run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has a place in its chain. ``data`` carries ids and digests, no content."""

    chain: str
    action: Action
    data: Mapping[str, Any] = field(default_factory=dict)
    revision: int | None = None
    evidence_digest: str | None = None
    policy_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry in its place, as it is stored."""

    chain: str
    position: int
    action: str
    actor: str
    at: datetime
    body: str
    digest: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain; the next entry takes ``position`` and names ``digest``."""

    position: int = 0
    digest: str = GENESIS


def chain(draft: Draft, head: Head, by: Provenance, now: datetime) -> tuple[Entry, Head]:
    """Give a draft its place after ``head``; return the entry and the new head."""
    document = {
        "chain": draft.chain,
        "position": head.position,
        "previous": head.digest,
        "action": str(draft.action),
        "actor": by.actor,
        "actor_kind": by.actor_kind,
        "at": timestamp(now),
        "code_version": by.code_version,
        "data": dict(draft.data),
    }
    for name, value in (
        ("revision", draft.revision),
        ("evidence_digest", draft.evidence_digest),
        ("policy_digest", draft.policy_digest),
        ("flow_run_id", by.flow_run_id),
        ("task_run_id", by.task_run_id),
    ):
        if value is not None:
            document[name] = value
    body = canonical(document)
    entry = Entry(
        chain=draft.chain,
        position=head.position,
        action=str(draft.action),
        actor=by.actor,
        at=now,
        body=body.decode(),
        digest=sha256(body).hexdigest(),
    )
    return entry, Head(head.position + 1, entry.digest)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, as entries and checkpoints write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
