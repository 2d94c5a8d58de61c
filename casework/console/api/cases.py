"""One case: its content and signals, why it was decided so, and its history."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from casework.console import doing
from casework.console.access import Capability
from casework.console.api.caller import Caller, needs
from casework.console.api.case_documents import CaseOut, RuleOut, case_out
from casework.console.api.documents import Body, Document, Id, Name, Rationale, example
from casework.console.api.once import OnceRoute
from casework.console.api.problems import ANY, CHANGING, declared
from casework.console.identity import TheConsole
from casework.console.readable import check_shown
from casework.console.showing import case_page, explanation
from casework.store.cases import case_file
from casework.store.engine import reading
from casework.store.ledger import acts_of
from casework.tokens import Scope

router = APIRouter(route_class=OnceRoute, tags=["cases"])

READ = Depends(needs(Scope.READ))


class Explanation(Document):
    """Each rule of the policy that decided a case, in order."""

    model_config = example(policy_digest="2c26b46b68ffc68f", rules=[])

    policy_digest: str
    rules: list[RuleOut]


class Told(Document):
    """A case's history, act by act; ids and digests, no content."""

    model_config = example(acts=[{"action": "case.opened", "actor": "casework"}])

    acts: list[dict[str, Any]] = Field(description="Each with the digest of its entry.")


@router.get("/cases/{case}", dependencies=[READ], responses=declared(ANY))
def show(
    console: TheConsole,
    visit: Caller,
    case: Id,
    uncovered: Annotated[
        bool, Query(description="Send content of a covered category too.")
    ] = False,
) -> CaseOut:
    """A case with its content; that it was seen is in its history."""
    return case_out(case_page(console, visit, case, uncovered=uncovered))


@router.get("/cases/{case}/explanation", dependencies=[READ], responses=declared(ANY))
def explain(console: TheConsole, visit: Caller, case: Id) -> Explanation:
    """Each rule true, false or unknown for a case, with the signals it read."""
    with reading(console.engine) as session:
        found = check_shown(session, visit, case)
        bundle, rules = explanation(session, console, case_file(session, found.id))
    shown = [RuleOut.model_validate(rule) for rule in rules]
    return Explanation(policy_digest=bundle.digest, rules=shown)


@router.get(
    "/cases/{case}/story",
    dependencies=[Depends(needs(Scope.READ, Capability.STORY))],
    responses=declared(ANY),
)
def story(console: TheConsole, visit: Caller, case: Id) -> Told:
    """Everything that happened to a case."""
    with reading(console.engine) as session:
        check_shown(session, visit, case)
        acts = acts_of(session, case)
    return Told(acts=acts)


class UndoIn(Body):
    """Why something is undone, and what."""

    model_config = example(reason="The report was mistaken.")

    reason: Rationale
    action: Name | None = Field(None, description="What to undo; otherwise what was done last.")


class Undone(Document):
    """What became of undoing an action."""

    model_config = example(
        case_id="c4f1", gate_id="g4f1-1-2", reverses="suspend", action="reinstate", missing=0
    )

    case_id: str
    gate_id: str = Field(description="Where it was decided, or where others decide it.")
    reverses: str
    action: str
    missing: int = Field(description="People who must still approve; none: it is done.")


@router.post(
    "/cases/{case}/reverse",
    dependencies=[Depends(needs(Scope.DECIDE, Capability.WORK))],
    responses=declared(CHANGING),
)
def undo(console: TheConsole, visit: Caller, case: Id, body: UndoIn) -> Undone:
    """Undo what was done about a closed case, or open the gate at which others decide that."""
    return Undone.model_validate(doing.undo(console, visit, case, body.reason, body.action))
