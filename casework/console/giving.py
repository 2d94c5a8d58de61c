"""Giving what is ticked in a list to a person, each row for itself."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlmodel import Session

from casework.console import doing
from casework.console.access import Capability
from casework.console.contexts import GivingTicked
from casework.console.identity import Visit
from casework.console.ports import Console
from casework.errors import Conflict, Denied, NotFound
from casework.policy.model import Queue
from casework.store.assignees import workers
from casework.store.assignment import assign


def giving_in(
    session: Session, visit: Visit, queues: Collection[Queue], given: GivingTicked | None = None
) -> GivingTicked:
    """To whom the viewer may give what waits in some queues, beside what was just given."""
    leads = visit.viewer.may(Capability.LEAD)
    able = workers(session, queues, visit.viewer.bounded_by) if leads else []
    return replace(given or GivingTicked(), people=[(each.id, each.name) for each in able])


def give_ticked(console: Console, visit: Visit, gates: Sequence[str], person: str) -> GivingTicked:
    """Give gates to a person, each once and for itself; what is refused says why."""
    wanted = list(dict.fromkeys(gates))
    refusals = [told for each in wanted if (told := _refusal(console, visit, each, person))]
    given = len(wanted) - len(refusals)
    told = f"{given} given to {person}." if given else ("" if refusals else "Nothing was ticked.")
    return GivingTicked(told=told, refusals=refusals)


def _refusal(console: Console, visit: Visit, gate: str, person: str) -> str:
    """Give one gate to a person; why not, where it is refused."""
    try:
        doing.case_of_gate(console, visit, gate)
        doing.change_at_gate(
            console, visit, gate, lambda session, now: assign(session, gate, person, visit.by, now)
        )
    except (Conflict, Denied, NotFound) as refusal:
        return f"{gate}: {refusal.message}"
    return ""
