"""Cases waiting at gates, and the people who may answer."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from casework.canonical import digest
from casework.cases import Item, case_id
from casework.gates import gate_id
from casework.ledger.entries import Action, Draft, Provenance
from casework.policy.model import Bundle
from casework.store.engine import transaction
from casework.store.ledger import append
from casework.store.people import add_person
from casework.store.policy import adopt_bundle
from casework.store.tables import Case, CaseRevision, Gate
from tests.factories.policy import small_bundle

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BY = Provenance(actor="casework:test", code_version="test")

#: Who may do what: two analysts, two partners, and people who may not.
PEOPLE = {
    "ana": (["analyst"], ["*"]),
    "ben": (["senior"], ["*"]),
    "cleo": (["analyst"], ["mixed"]),
    "lea": (["partner"], ["legal"]),
    "leo": (["partner"], ["legal"]),
    "aud": (["auditor"], ["*"]),
}


def add_people(engine: Engine) -> None:
    """Add everybody in ``PEOPLE``."""
    with transaction(engine) as session:
        for person, (roles, queues) in PEOPLE.items():
            add_person(session, person, name=person, roles=roles, queues=queues, by=BY, now=NOW)


def waiting_case(
    engine: Engine,
    external_id: str = "T-1",
    *,
    queue: str = "general",
    severity: str = "P2",
    opened_at: datetime = NOW,
    bundle: Bundle | None = None,
) -> str:
    """A case waiting at the first gate of its first revision; returns the gate's id."""
    case = case_id("test", external_id)
    gate = gate_id(case, 1, 1)
    bundle = bundle or small_bundle()
    item = Item(external_id=external_id, body=f"body of {external_id}")
    common: dict[str, Any] = {"severity": severity, "queue": queue, "policy_digest": bundle.digest}
    with transaction(engine) as session:
        adopt_bundle(session, bundle, BY, NOW)
        session.add(
            Case(
                id=case,
                source="test",
                external_id=external_id,
                revision=1,
                status="waiting",
                content_digest=item.content_digest(),
                intake_id="i1",
                received_at=opened_at,
                opened_at=opened_at,
                updated_at=opened_at,
                route="review",
                action="no_action",
                **common,
            )
        )
        session.add(
            CaseRevision(
                case_id=case,
                revision=1,
                content=item.content(),
                content_digest=item.content_digest(),
                intake_id="i1",
                recorded_at=opened_at,
            )
        )
        session.add(
            Gate(
                id=gate,
                case_id=case,
                revision=1,
                step=1,
                proposed_action="no_action",
                reason="test",
                requested_by="policy",
                status="open",
                evidence_digest=evidence_of(external_id),
                opened_at=opened_at,
                **common,
            )
        )
        append(session, [Draft(case, Action.GATE_OPENED, {"gate": gate})], BY, NOW)
    return gate


def next_gate(engine: Engine, first: str) -> str:
    """Another gate about the same content, after one that has been carried out."""
    with transaction(engine) as session:
        before = session.get_one(Gate, first)
        gate = gate_id(before.case_id, before.revision, before.step + 1)
        values = before.model_dump(exclude={"verdict", "action", "decided_at", "settled_at"})
        session.add(Gate(**{**values, "id": gate, "step": before.step + 1, "status": "open"}))
        session.get_one(Case, before.case_id).status = "waiting"
    return gate


def evidence_of(external_id: str) -> str:
    """The evidence digest of the case that ``waiting_case`` makes."""
    return digest(["evidence", external_id])


def answer(
    external_id: str = "T-1",
    verdict: str = "approve",
    action: str | None = "no_action",
    **more: Any,
) -> dict[str, Any]:
    """An answer's fields that fit the gate of ``waiting_case``."""
    return {
        "verdict": verdict,
        "action": action,
        "rationale": "because of the test",
        "evidence_digest": evidence_of(external_id),
        **more,
    }
