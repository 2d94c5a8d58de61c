"""For leads: clocks, dead effects and the policy."""

from datetime import datetime
from typing import Final, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from casework.console import doing
from casework.console.access import Capability
from casework.console.api.caller import Caller, needs
from casework.console.api.documents import ROWS, Cursor, Document, Id, Limit, Listing, example
from casework.console.api.once import OnceRoute
from casework.console.api.problems import ANY, CHANGING, declared
from casework.console.api.waiting_documents import ClockOut
from casework.console.identity import TheConsole
from casework.effects import EffectStatus
from casework.store.cases import count_by
from casework.store.desk import SOON
from casework.store.engine import reading
from casework.store.outbox import list_effects
from casework.store.qa.blinding import hidden_from
from casework.store.restrictions import kept_from
from casework.store.running_clocks import running_clocks
from casework.tokens import Scope

router = APIRouter(
    route_class=OnceRoute,
    tags=["leads"],
    dependencies=[Depends(needs(Scope.LEAD, Capability.LEAD))],
)

#: Of what is of all queues.
OVERVIEW: Final = [Depends(needs(Scope.LEAD, Capability.OVERVIEW))]

_AT = "2026-03-02T09:30:00Z"


class EffectOut(Document):
    """Something a decision was to cause outside."""

    model_config = example(
        key="act:c4f1:platform", kind="act", destination="platform", case_id="c4f1",
        status="dead", attempts=12, error="provider_timeout", queued_at=_AT,
    )  # fmt: skip

    key: str
    kind: str
    destination: str
    case_id: str | None
    status: str
    attempts: int
    error: str | None = Field(description="Code of the last failure.")
    queued_at: datetime


class PolicyRule(Document):
    """A rule of the policy in force."""

    model_config = example(
        id="threat", route="review", severity="P1", queue="general", action="no_action",
        when="threat", reason="Possible threat", cases=12,
    )  # fmt: skip

    id: str
    route: str
    severity: str
    queue: str | None
    action: str | None
    when: str = Field(description="The condition, in the SQL of rules.")
    reason: str
    cases: int = Field(description="Cases that it decided.")


class FaultOut(Document):
    """What is wrong in a file of the policy, and where."""

    model_config = example(file="rules.yaml", line=7, column=3, message="unknown queue", hint="")

    file: str
    line: int = Field(description="0 for the whole file.")
    column: int
    message: str
    hint: str


class PolicyOut(Document):
    """The policy in force: its rules in order, and the faults of its files as they are now."""

    model_config = example(
        name="default", version="1", digest="2c26b46b68ffc68f", rules=[], faults=[]
    )

    name: str
    version: str
    digest: str
    rules: list[PolicyRule]
    faults: list[FaultOut]


@router.get("/clocks", responses=declared(ANY))
def clocks(
    console: TheConsole,
    visit: Caller,
    show: Literal["all", "breached", "soon"] = "all",
    limit: Limit = ROWS,
    cursor: Cursor = None,
) -> Listing[ClockOut]:
    """The clocks that go on in one's queues, what is due first at the top."""
    now = console.clock()
    with reading(console.engine) as session:
        rows = running_clocks(
            session,
            now,
            breached=show == "breached",
            due_by=now + SOON if show == "soon" else None,
            queues=doing.queues_seen(console, visit),
            limit=limit + 1,
            after=_clock(cursor),
            viewer=visit.viewer.id,
        )
    last = rows[limit - 1] if len(rows) > limit else None
    return Listing(
        items=[ClockOut(**row) for row in rows[:limit]],
        next_cursor=last and f"{last['gate']}/{last['clock']}",
    )


@router.get("/effects", responses=declared(ANY))
def effects(
    console: TheConsole, visit: Caller, limit: Limit = ROWS, cursor: Cursor = None
) -> Listing[EffectOut]:
    """What decisions were to cause outside, and nobody tries any more.

    What is of cases that one may have to review blind is left out.
    """
    with reading(console.engine) as session:
        rows = list_effects(
            session,
            status=EffectStatus.DEAD,
            limit=limit + 1,
            after=cursor or "",
            viewer=visit.viewer.id,
            queues=visit.viewer.reads,
        )
        hidden = hidden_from(session, visit.viewer.id, {row.case_id for row in rows if row.case_id})
    more = rows[limit - 1].key if len(rows) > limit else None
    shown = [row for row in rows[:limit] if row.case_id not in hidden]
    return Listing(items=[EffectOut.model_validate(row) for row in shown], next_cursor=more)


@router.post("/effects/{key}/retry", responses=declared(CHANGING))
def retry(console: TheConsole, visit: Caller, key: Id) -> EffectOut:
    """Have a dead effect tried again, under its own key."""
    return EffectOut.model_validate(doing.retry_dead(console, visit, key))


@router.get("/policy", dependencies=OVERVIEW, responses=declared(ANY))
def policy(console: TheConsole, visit: Caller) -> PolicyOut:
    """The rules in force, in order, with the cases that each decided; the faults of its files."""
    with reading(console.engine) as session:
        found = count_by(session, "rule_id", unless=kept_from(visit.viewer.id))
        cases = {row["rule_id"]: row["cases"] for row in found}
    bundle = console.bundle
    names = ("id", "route", "severity", "queue", "action", "when", "reason")
    rules = [
        PolicyRule(**{name: getattr(rule, name) for name in names}, cases=cases.get(rule.id, 0))
        for rule in bundle.rules
    ]
    faults = [FaultOut.model_validate(fault.as_dict()) for fault in console.lint()]
    return PolicyOut(
        name=bundle.name, version=bundle.version, digest=bundle.digest, rules=rules, faults=faults
    )


def _clock(cursor: str | None) -> tuple[str, str] | None:
    """The gate and the kind of a clock, as the cursor names them."""
    if cursor is None:
        return None
    gate, _, kind = cursor.partition("/")
    return gate, kind
