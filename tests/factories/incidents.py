"""Incidents, and people who may do something in them or may not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Engine

from casework.cases import Severity
from casework.commanding import Act, act
from casework.incidents.roles import IncidentRole
from casework.incidents.states import IncidentStatus
from casework.store.engine import transaction
from casework.store.incidents.lifecycle import Opening, move_incident, open_incident
from casework.store.incidents.roles import assume_role
from casework.store.people import add_person, change_person
from tests.factories.gates import BY, NOW

T = TypeVar("T")

#: A lead, two who may command, an analyst, a partner, an auditor, and somebody who has left.
TEAM = {
    "lou": ["lead"],
    "mia": ["senior"],
    "sam": ["senior"],
    "ana": ["analyst"],
    "pat": ["partner"],
    "aud": ["auditor"],
    "old": ["lead"],
}

OPENING = Opening("page-1", "A secret title", Severity.P1)


def add_team(engine: Engine) -> None:
    """Add everybody in ``TEAM``."""
    with transaction(engine) as session:
        for person, roles in TEAM.items():
            add_person(session, person, name=person, roles=roles, queues=["*"], by=BY, now=NOW)
        change_person(session, "old", active=False, by=BY, now=NOW)


def opened(engine: Engine, opening: Opening = OPENING, now: datetime = NOW) -> str:
    """An incident that the lead has opened; returns its id."""
    return act(engine, None, "lou", lambda s, by, at: open_incident(s, opening, by, at).id, now=now)


def commanded(engine: Engine) -> str:
    """An incident whose commander is mia."""
    incident = opened(engine)
    role = IncidentRole.COMMANDER
    done(engine, incident, "lou", lambda s, by, at: assume_role(s, incident, role, "mia", by, at))
    return incident


def resolved(engine: Engine) -> str:
    """A commanded incident that is resolved."""
    incident = commanded(engine)
    status = IncidentStatus.RESOLVED
    done(engine, incident, "mia", lambda s, by, at: move_incident(s, incident, status, by, at))
    return incident


def done(engine: Engine, incident: str, who: str, do: Act[T], now: datetime = NOW) -> T:
    """Do something in an incident, at the time of the tests unless told otherwise."""
    return act(engine, incident, who, do, now=now)


def minutes(start: datetime = NOW, step: int = 5) -> Callable[[], datetime]:
    """A clock that goes on by some minutes each time it is read."""
    moments = [start]

    def clock() -> datetime:
        moments.append(moments[-1] + timedelta(minutes=step))
        return moments[-1]

    return clock
