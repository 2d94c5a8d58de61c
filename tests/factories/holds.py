"""Holds that are active, and cases under their incident."""

from casework.store.tables import Hold, IncidentCase
from tests.factories.gates import NOW

INCIDENT = "inc1"


def active_hold(number: int, scope: str, value: str) -> Hold:
    """A hold of the incident."""
    return Hold(
        id=f"{INCIDENT}-h{number}",
        incident_id=INCIDENT,
        number=number,
        scope=scope,
        value=value,
        reason="secret reason",
        placed_by="mia",
        placed_at=NOW,
    )


def under_incident(case: str) -> IncidentCase:
    """A case under the incident."""
    return IncidentCase(
        incident_id=INCIDENT, case_id=case, turn=1, attached_at=NOW, attached_by="mia"
    )
