"""Documents about a case, each with an example."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from casework.console.api.documents import Document, example
from casework.console.api.gate_documents import GateOut, gate_out
from casework.console.contexts import CasePage
from casework.store.tables import SignalReading

_AT = "2026-03-02T09:30:00Z"


class SignalsOut(Document):
    """What one provider said, and what it could not say."""

    model_config = example(
        provider="patterns", version="1", known={"threat": True}, unknown={}, read_at=_AT
    )

    provider: str
    version: str
    known: dict[str, Any]
    unknown: dict[str, Any] = Field(description="Signal to the reason why nobody knows it.")
    read_at: datetime


class RuleOut(Document):
    """What a rule made of a case."""

    model_config = example(
        rule_id="threat", route="review", truth=None, values={"threat": None}, decisive=True,
        undecided=True,
    )  # fmt: skip

    rule_id: str
    route: str
    truth: bool | None = Field(description="Null: unknown.")
    values: dict[str, Any] = Field(description="What it read; null: unknown.")
    decisive: bool
    undecided: bool


class CaseOut(Document):
    """A case: what came in, what is known of it, and the gate where it waits."""

    model_config = example(
        id="c4f1", source="zendesk", external_id="4711", revision=1, status="waiting",
        kind="ticket", language="en", country=None, subject_id="u1", reporter_id="u2",
        received_at=_AT, updated_at=_AT, closed_at=None, severity="P2", queue="general",
        action="no_action", rule_id="threat", covered=False, content={"body": "..."}, signals=[],
        reason="Possible threat", category="Violence", playbook="Read the whole thread.",
        past=[], gate=None,
    )  # fmt: skip

    id: str
    source: str
    external_id: str
    revision: int
    status: str
    kind: str | None
    language: str | None
    country: str | None
    subject_id: str | None
    reporter_id: str | None
    received_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    severity: str | None
    queue: str | None
    action: str | None
    rule_id: str | None
    covered: bool = Field(description="Its content is left out; `uncovered=true` asks for it.")
    content: dict[str, Any]
    signals: list[SignalsOut]
    reason: str = Field(description="Why a person must decide.")
    category: str
    playbook: str = Field(description="Markdown.")
    past: list[str] = Field(description="Other cases of the same subject or reporter.")
    gate: GateOut | None = Field(description="Null where none is open.")


def signals(readings: Sequence[SignalReading]) -> list[SignalsOut]:
    """What providers said."""
    return [SignalsOut.model_validate(reading) for reading in readings]


def case_out(page: CasePage) -> CaseOut:
    """A case as its page shows it."""
    own = {
        name: getattr(page.case, name) for name in CaseOut.model_fields if hasattr(page.case, name)
    }
    return CaseOut(
        **own,
        covered=page.covered,
        content=dict(page.content),
        signals=signals(page.readings),
        reason=page.guidance.reason,
        category=page.guidance.category,
        playbook=page.guidance.playbook,
        past=[case.id for case in page.past],
        gate=gate_out(page) if page.gate else None,
    )
