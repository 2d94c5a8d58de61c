"""Documents about what waits, each with an example."""

from datetime import datetime

from pydantic import Field

from casework.console.api.documents import Document, example
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
