"""Undoing what was done about a case: what is undone, by which action, and where that is decided.

Pure. Who may undo an action is what the bundle says of its inverse; the guard of the gates rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from casework.consequences import Stands
from casework.errors import Conflict
from casework.gates import Person
from casework.policy.model import Bundle


@dataclass(frozen=True, slots=True)
class Plan:
    """What is undone, the action that does it, and the queue in which that may be done."""

    undoes: Stands
    action: str
    queue: str
    approvals: int


def plan(
    bundle: Bundle,
    stands: Sequence[Stands],
    person: Person,
    preferred: str | None,
    wanted: str | None = None,
) -> Plan:
    """Say how the newest standing action is undone, or the newest one called ``wanted``.

    An undoing is itself undone only where it is named: whoever is second to undo something must
    not do it again by that.

    The queue is the case's own, or the first that allows the inverse; one in which the person
    works comes before one in which they do not.

    Raises:
        Conflict: nothing such stands, or no queue allows its inverse.
    """
    fitting = [each for each in stands if each.action == wanted]
    if wanted is None:
        fitting = [each for each in stands if not each.undoing]
    if not fitting:
        what = f"`{wanted}` does not stand" if wanted else "nothing stands that could be undone"
        raise Conflict(what, hint="it may have ended, or been undone: casework audit show CASE")
    undoes = fitting[-1]
    inverse = str(bundle.actions[undoes.action].inverse)
    queue = _queue(bundle, inverse, person, preferred)
    return Plan(undoes, inverse, queue, bundle.terms(queue, inverse).approvals)


def _queue(bundle: Bundle, inverse: str, person: Person, preferred: str | None) -> str:
    allowing = [name for name, queue in bundle.queues.items() if inverse in queue.actions]
    if not allowing:
        raise Conflict(
            f"no queue of policy {bundle.name} {bundle.version} allows `{inverse}`",
            hint="add it to the actions of a queue",
        )
    ordered = sorted(allowing, key=lambda name: name != preferred)
    theirs = [name for name in ordered if _works_in(bundle, person, name)]
    return (theirs or ordered)[0]


def _works_in(bundle: Bundle, person: Person, queue: str) -> bool:
    in_queue = "*" in person.queues or queue in person.queues
    return in_queue and bool(person.roles & bundle.queues[queue].roles)
