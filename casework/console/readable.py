"""Which cases and gates somebody may open, and to whom they may give one."""

from sqlmodel import Session

from casework.console.access import Capability, Viewer
from casework.console.identity import Visit
from casework.errors import NotFound
from casework.policy.model import Queue
from casework.store.desk import queues_of_cases
from casework.store.qa.blinding import check_sighted
from casework.store.restrictions import is_hidden
from casework.store.tables import Case, Gate


def is_readable(session: Session, visit: Visit, case_id: str) -> bool:
    """Whether the viewer may open a case; one that does not exist or is kept from them is none."""
    return _readable(session, visit, case_id) is not None


def check_readable(session: Session, visit: Visit, case_id: str) -> Case:
    """Refuse in the same words whether a case is another's or is none.

    Raises:
        NotFound: the viewer may not read it, or there is no such case.
    """
    found = _readable(session, visit, case_id)
    if found is None:
        raise NotFound(f"there is no case {case_id} among yours")
    return found


def _readable(session: Session, visit: Visit, case_id: str) -> Case | None:
    found = session.get(Case, case_id)
    if found is None or is_hidden(session, case_id, visit.viewer.id):
        return None
    queues = queues_of_cases(session, [case_id])[case_id]
    return found if visit.viewer.may_read(queues) else None


def check_shown(session: Session, visit: Visit, case_id: str) -> Case:
    """Refuse a case that the viewer may not read, or must not before they have reviewed it.

    Raises:
        NotFound: the viewer may not read it, or there is no such case.
        Denied: they may have to review it, without knowing what was decided.
    """
    found = check_readable(session, visit, case_id)
    check_sighted(session, visit.viewer.id, case_id)
    return found


def readable_gate(session: Session, visit: Visit, gate: str) -> Gate:
    """A gate whose case the viewer may open; refused in the same words as where there is none.

    Raises:
        NotFound: they may not, or there is no such gate.
    """
    found = session.get(Gate, gate)
    if found is None or not is_readable(session, visit, found.case_id):
        raise NotFound(f"there is no gate {gate} among yours")
    return found


def may_give(viewer: Viewer, queue: Queue, holder: str | None) -> bool:
    """Whether the viewer may give a gate to somebody: they have it, or lead where it waits."""
    return holder == viewer.id or (viewer.may(Capability.LEAD) and viewer.sees(queue))
