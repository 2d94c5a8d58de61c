"""Holds that are active, cases under their incident, and the machine that holds stop."""

from sqlalchemy import Engine

from casework.policy.evaluate import decide, frame
from casework.store.decisions import record_outcomes
from casework.store.engine import reading, transaction
from casework.store.facts import rows_for_policy
from casework.store.policy import adopt_bundle
from casework.store.tables import Hold, IncidentCase
from tests.factories.gates import BY, NOW
from tests.factories.policy import small_bundle

INCIDENT = "inc1"

#: What the machine decides by.
BUNDLE = small_bundle()


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


def review(engine: Engine, *cases: str) -> None:
    """Let the machine decide cases whose signals are gathered."""
    with reading(engine) as session:
        facts = rows_for_policy(session, cases)
    outcomes = decide(BUNDLE, frame(BUNDLE, [each.row for each in facts]))
    with transaction(engine) as session:
        adopt_bundle(session, BUNDLE, BY, NOW)
        record_outcomes(session, BUNDLE, facts, outcomes, BY, NOW)
