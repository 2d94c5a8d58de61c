"""Documents about cases and gates, each with an example."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from casework.console.api.documents import Document, example
from casework.console.contexts import CasePage, Claim, Form
from casework.store.tables import SignalReading
from casework.store.worklist import Listed

_AT = "2026-03-02T09:30:00Z"


class WaitingOut(Document):
    """What waits in a queue."""

    model_config = example(
        queue="general", title="General", severities={"P1": 2, "P3": 40}, total=42, breached=1,
        soon=3, on_hold=0, oldest=_AT,
    )  # fmt: skip

    queue: str
    title: str
    severities: dict[str, int] = Field(description="Gates by severity.")
    total: int
    breached: int = Field(description="Gates whose decision is overdue.")
    soon: int = Field(description="Gates whose decision is due within two hours.")
    on_hold: int
    oldest: datetime


class WaitingGate(Document):
    """A gate that waits, as lists show it."""

    model_config = example(
        gate="g4f1-1-1", case="c4f1", queue="general", severity="P2", opened_at=_AT,
        due_at="2026-03-02T17:30:00Z", holder="ana", follow_up_at=None,
    )  # fmt: skip

    gate: str
    case: str
    queue: str
    severity: str
    opened_at: datetime
    due_at: datetime | None
    holder: str | None = Field(description="Who has it now.")
    follow_up_at: datetime | None = Field(description="Until when it is on hold.")


class Taken(Document):
    """The gate that was claimed; nulls where nothing waits."""

    model_config = example(gate="g4f1-1-1", case="c4f1")

    gate: str | None
    case: str | None


class Found(Document):
    """The case that a reference names."""

    model_config = example(case="c4f1")

    case: str


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


class ClockOut(Document):
    """A promise about a gate."""

    model_config = example(
        gate="g4f1-1-1", case="c4f1", clock="decision", queue="general", severity="P2",
        state="running", due_at=_AT, used=40, holder=None, follow_up_at=None,
    )  # fmt: skip

    gate: str
    case: str
    clock: str
    queue: str
    severity: str
    state: str
    due_at: datetime | None = Field(description="Null while it stands still.")
    used: int = Field(description="Percent of the target that is gone.")
    holder: str | None
    follow_up_at: datetime | None


class Choice(Document):
    """Something that may be chosen."""

    model_config = example(id="no_action", title="No action")

    id: str
    title: str


class GivenOut(Document):
    """An answer that somebody gave at a gate."""

    model_config = example(
        actor="ana", verdict="approve", action="no_action", clause=None, rationale="Satire.",
        decided_at=_AT,
    )  # fmt: skip

    actor: str
    verdict: str
    action: str | None
    clause: str | None
    rationale: str
    decided_at: datetime


class GateOut(Document):
    """The gate at which a case waits, who has it, and what may be answered there."""

    model_config = example(
        id="g4f1-1-1", queue="general", severity="P2", reason="Possible threat",
        proposed_action="no_action", evidence="9f86d081884c7d65", opened_at=_AT, holder="ana",
        is_mine=True, may_answer=True, partners=[{"id": "legal", "title": "Legal"}],
        actions=[], escalations=[], clauses=[], approvals=1, answers=[],
    )  # fmt: skip

    id: str
    queue: str
    severity: str
    reason: str
    proposed_action: str | None
    evidence: str = Field(description="Digest of the evidence; an answer must name it.")
    opened_at: datetime
    holder: str | None
    is_mine: bool
    may_answer: bool
    partners: list[Choice] = Field(description="Queues it may be handed over to.")
    actions: list[Choice]
    escalations: list[Choice]
    clauses: list[Choice]
    approvals: int = Field(description="People needed for the proposed action.")
    answers: list[GivenOut]


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


def waiting_gate(row: Listed) -> WaitingGate:
    """A gate of a list."""
    return WaitingGate(
        gate=row.gate.id,
        case=row.case.id,
        queue=row.gate.queue,
        severity=row.gate.severity,
        opened_at=row.gate.opened_at,
        due_at=row.clock.due_at if row.clock else None,
        holder=row.holder,
        follow_up_at=row.follow_up_at,
    )


def signals(readings: Sequence[SignalReading]) -> list[SignalsOut]:
    """What providers said."""
    return [SignalsOut.model_validate(reading) for reading in readings]


def choices(pairs: Sequence[tuple[Any, ...]]) -> list[Choice]:
    """Pairs of an id and a title, whatever stands behind them."""
    return [Choice(id=pair[0], title=pair[1]) for pair in pairs]


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
        gate=_gate(page) if page.gate else None,
    )


def _gate(page: CasePage) -> GateOut:
    gate, claim, form = page.gate, page.claim, page.form
    assert gate is not None
    return GateOut(
        id=gate.id,
        queue=gate.queue,
        severity=gate.severity,
        reason=gate.reason,
        proposed_action=gate.proposed_action,
        evidence=gate.evidence_digest,
        opened_at=gate.opened_at,
        **_claimed(claim),
        **_asked(form),
    )


def _claimed(claim: Claim | None) -> dict[str, Any]:
    if claim is None:
        return {"holder": None, "is_mine": False, "may_answer": False, "partners": []}
    return {
        "holder": claim.holder,
        "is_mine": claim.is_mine,
        "may_answer": claim.may_answer,
        "partners": choices(claim.partners),
    }


def _asked(form: Form | None) -> dict[str, Any]:
    if form is None:
        empty = ("actions", "escalations", "clauses", "answers")
        return {name: [] for name in empty} | {"approvals": 0}
    return {
        "actions": choices(form.actions),
        "escalations": choices(form.escalations),
        "clauses": choices(form.clauses),
        "approvals": form.approvals,
        "answers": [GivenOut.model_validate(answer) for answer in form.answers],
    }
