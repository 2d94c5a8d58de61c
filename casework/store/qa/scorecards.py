"""Reading what scorecards of a period are made of, and who may see which."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, select
from sqlmodel import Session, col

from casework.clocks.model import ClockKind, ClockState
from casework.errors import Denied, InputError, NotFound
from casework.gates import ActorKind, GateStatus, Role
from casework.qa.population import NONE
from casework.qa.pseudonyms import Naming
from casework.qa.quality import pool
from casework.qa.reviews import GateKind, RoundKind
from casework.qa.scorecard import OURS, Period, Work, scorecard
from casework.store.people import person_by_id
from casework.store.placements import placements
from casework.store.qa.answers import first_of, given_at
from casework.store.qa.reports import read_round
from casework.store.tables import Assignment, Clock, Decision, Gate, QaGate, QaItem, QaRound
from casework.store.vendors import vendor_by_id, vendors
from casework.vendors import sees

#: Who is shown how well people work.
SHOWN_TO: Final = frozenset({Role.LEAD, Role.QA, Role.AUDITOR, Role.ADMIN})

_ON_TIME: Final = {ClockState.MET: True, ClockState.BREACHED: False}


def seen_vendors(session: Session, viewer: str, wanted: str | None = None) -> list[str]:
    """The vendors whose scorecards somebody may see: their own alone, or all of them and ours.

    Raises:
        Denied: their role sees none.
        NotFound: the wanted vendor is none of them, or nobody is known by the viewer's id.
    """
    person = person_by_id(session, viewer)
    if not SHOWN_TO & set(person.roles):
        roles = ", ".join(sorted(SHOWN_TO))
        raise Denied(f"scorecards are shown to: {roles}", reason="role")
    own = person.vendor
    if wanted is None:
        known = [each.id for each in vendors(session) if sees(own, each.id)]
        return [*known, OURS] if own is None else known
    if not sees(own, wanted):
        raise NotFound(f"there is no vendor {wanted} among yours", hint="casework vendors list")
    return [vendor_by_id(session, wanted).id]


def scorecards(
    session: Session,
    shown: Sequence[str],
    since: datetime,
    until: datetime,
    naming: Naming | None,
) -> dict[str, Any]:
    """The scorecards of some vendors over a period, as plain JSON.

    Raises:
        InputError: the period ends before it begins.
    """
    if since >= until:
        raise InputError("the period ends before it begins", hint="--since 30d, --until 2026-03-01")
    period = read_period(session, since, until)
    return {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "weights": period.weights(),
        "scorecards": [scorecard(vendor, period, naming) for vendor in shown],
    }


def read_period(session: Session, since: datetime, until: datetime) -> Period:
    """All that was decided, looked at again and calibrated from a time on and before another."""
    placed = placements(session)
    samples = select(QaRound).where(
        col(QaRound.kind) == RoundKind.SAMPLE,
        col(QaRound.opens) >= since,
        col(QaRound.closes) <= until,
    )
    calibrations = select(QaRound).where(
        col(QaRound.kind) == RoundKind.CALIBRATION,
        col(QaRound.drawn_at) >= since,
        col(QaRound.drawn_at) < until,
    )
    return Period(
        work=_work(session, since, until),
        sampled=pool(read_round(session, each) for each in session.scalars(samples)),
        calibrated=[read_round(session, each) for each in session.scalars(calibrations)],
        known=_known(session, since, until),
        employer=lambda person: placed.vendor(person, until) or OURS,
    )


def _work(session: Session, since: datetime, until: datetime) -> list[Work]:
    placed = placements(session)
    decision = and_(col(Clock.gate_id) == col(Gate.id), col(Clock.kind) == ClockKind.DECISION.value)
    statement = (
        select(
            col(Decision.actor),
            col(Decision.decided_at),
            col(Decision.severity),
            col(Gate.queue),
            col(Clock.state),
            col(Assignment.last_claimed_at),
        )
        .join(Gate, col(Gate.id) == col(Decision.gate_id))
        .outerjoin(Clock, decision)
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Gate.id))
        .where(
            col(Decision.decided_at) >= since,
            col(Decision.decided_at) < until,
            col(Decision.actor_kind) != ActorKind.MACHINE,
            col(Gate.status).in_([GateStatus.DECIDED, GateStatus.CARRIED_OUT]),
        )
        .order_by(col(Decision.decided_at), col(Decision.id))
    )
    return [
        Work(
            person=actor,
            vendor=placed.vendor(actor, at) or OURS,
            queue=queue,
            severity=severity or NONE,
            on_time=_ON_TIME.get(state),
            minutes=(at - claimed).total_seconds() / 60 if claimed and claimed <= at else None,
        )
        for actor, at, severity, queue, state, claimed in session.execute(statement)
    ]


def _known(session: Session, since: datetime, until: datetime) -> list[tuple[str, bool]]:
    """Answers to golden items, but for those of training, which are told."""
    statement = (
        select(QaGate, QaItem)
        .join(QaItem, col(QaItem.id) == col(QaGate.item_id))
        .join(QaRound, col(QaRound.id) == col(QaGate.round_id))
        .where(
            col(QaItem.golden).is_(True),
            col(QaGate.kind) == GateKind.REVIEW,
            col(QaGate.answered_at) >= since,
            col(QaGate.answered_at) < until,
            col(QaRound.kind) != RoundKind.TRAINING,
        )
    )
    return [
        (str(gate.answered_by), given_at(gate) == first_of(item))
        for gate, item in session.execute(statement)
    ]
