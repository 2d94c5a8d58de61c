"""Cases whose signals are gathered, waiting for the policy."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from casework.cases import Item, case_id
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.engine import transaction
from casework.store.ledger import append
from casework.store.tables import Case, CaseRevision, SignalReading

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BY = Provenance(actor="casework:test", code_version="test")


def enriched_case(
    engine: Engine,
    external_id: str,
    signals: Mapping[str, Mapping[str, Any]],
    *,
    revision: int = 1,
    intake_id: str = "i1",
    **fields: Any,
) -> str:
    """A case with these signals by provider; returns its id."""
    case = case_id("test", external_id)
    item = Item(external_id=external_id, body=f"secret body of {external_id}", **fields)
    content = item.content_digest()
    with transaction(engine) as session:
        session.add(
            Case(
                id=case,
                source="test",
                external_id=external_id,
                revision=revision,
                status="enriched",
                content_digest=content,
                intake_id=intake_id,
                received_at=NOW,
                opened_at=NOW,
                updated_at=NOW,
                **fields,
            )
        )
        session.add(
            CaseRevision(
                case_id=case,
                revision=revision,
                content=item.content(),
                content_digest=content,
                intake_id=intake_id,
                recorded_at=NOW,
            )
        )
        for provider, known in signals.items():
            session.add(reading_of(case, revision, provider, known))
        append(session, [Draft(case, Action.CASE_OPENED, {}, revision)], BY, NOW)
    return case


def reading_of(case: str, revision: int, provider: str, known: Mapping[str, Any]) -> SignalReading:
    """One provider's reading of one revision."""
    return SignalReading(
        case_id=case,
        revision=revision,
        provider=provider,
        version="1",
        known=dict(known),
        unknown={},
        read_at=NOW,
    )
