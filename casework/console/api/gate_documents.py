"""Documents about a gate, each with an example."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from casework.console.api.documents import Document, example
from casework.console.contexts import CasePage, Claim, Form

_AT = "2026-03-02T09:30:00Z"


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


class Promise(Document):
    """A clock that goes on at a gate."""

    model_config = example(kind="decision", state="running", due_at=_AT)

    kind: str
    state: str
    due_at: datetime | None = Field(description="Null while it stands still.")


class GateOut(Document):
    """The gate at which a case waits, who has it, and what may be answered there."""

    model_config = example(
        id="g4f1-1-1", queue="general", severity="P2", reason="Possible threat",
        proposed_action="no_action", evidence="9f86d081884c7d65", opened_at=_AT, holder="ana",
        is_mine=True, may_answer=True, partners=[{"id": "legal", "title": "Legal"}],
        actions=[], escalations=[], clauses=[], approvals=1, answers=[], clocks=[],
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
    clocks: list[Promise] = Field(description="What is due first at the head.")


def choices(pairs: Sequence[tuple[Any, ...]]) -> list[Choice]:
    """Pairs of an id and a title, whatever stands behind them."""
    return [Choice(id=pair[0], title=pair[1]) for pair in pairs]


def gate_out(page: CasePage) -> GateOut:
    """The open gate of a case, as its page shows it."""
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
        clocks=[Promise.model_validate(clock) for clock in page.clocks],
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
