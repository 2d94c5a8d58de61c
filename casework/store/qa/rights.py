"""Proposals to pause rights: made where a figure falls below a threshold, ruled on by leads."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from casework.canonical import digest
from casework.errors import NotFound
from casework.gates import ActorKind
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance, timestamp
from casework.policy.model import Bundle
from casework.qa.estimates import Estimate
from casework.qa.intervals import clopper_pearson
from casework.qa.quality import pool
from casework.qa.report import Round
from casework.qa.reviews import GateKind, RoundKind
from casework.qa.rights import (
    MOVES,
    Case,
    Refused,
    RightStatus,
    Ruling,
    Threshold,
    Trained,
    falls_below,
    judge_ruling,
    turned,
)
from casework.store.ledger import append
from casework.store.people import answering, person_by_id
from casework.store.policy import stored_bundle
from casework.store.qa.answers import first_of, given_at
from casework.store.qa.reports import read_round
from casework.store.tables import PausedRight, Person, QaGate, QaItem, QaRound

_SAID: Final[dict[Ruling, Action]] = {
    Ruling.CONFIRM: Action.RIGHT_PAUSED,
    Ruling.DISMISS: Action.RIGHT_DISMISSED,
    Ruling.RESTORE: Action.RIGHT_RESTORED,
}
_STANDING: Final = (RightStatus.PROPOSED, RightStatus.PAUSED)


def propose_pauses(
    session: Session, bundle: Bundle, by: Provenance, now: datetime
) -> list[PausedRight]:
    """Propose pausing wherever somebody has fallen below a threshold; once while it stands.

    What was counted before a lead dismissed it, or gave the right back, counts no more.
    """

    @cache
    def whole(round_id: str) -> Round:
        return read_round(session, session.get_one(QaRound, round_id))

    proposed = []
    everybody = session.scalars(select(Person).where(col(Person.active).is_(True))).all()
    for name, threshold in bundle.rights.items():
        for person in everybody:
            known = _latest(session, person.id, name)
            if known is not None and known.status in _STANDING:
                continue
            since = now - timedelta(days=threshold.window_days)
            if known is not None:
                since = max(since, known.restored_at or known.ruled_at or since)
            accuracy = _accuracy(session, threshold, person.id, since, now, whole)
            if falls_below(threshold, accuracy):
                proposed.append(_propose(session, bundle, name, person.id, accuracy, by, now))
    return proposed


def _accuracy(
    session: Session,
    threshold: Threshold,
    person: str,
    since: datetime,
    until: datetime,
    whole: Callable[[str], Round],
) -> Estimate:
    """What a threshold measures of somebody, from a time on; ``whole`` reads a round by its id."""
    if threshold.measure == "golden":
        tally = _known_answers(session, person, since, col(QaRound.kind) != RoundKind.TRAINING)
        return clopper_pearson(tally.right, tally.items, confidence=threshold.confidence)
    drawn = select(col(QaItem.round_id)).where(col(QaItem.actor) == person)
    rounds = select(col(QaRound.id)).where(
        col(QaRound.kind) == RoundKind.SAMPLE,
        col(QaRound.opens) >= since,
        col(QaRound.closes) <= until,
        col(QaRound.id).in_(drawn),
    )
    found = pool(map(whole, session.scalars(rounds)))
    return turned(
        found.error_rate(
            lambda each: each.traits["person"] == person, confidence=threshold.confidence
        )
    )


def rights(session: Session, *, everything: bool = False) -> list[PausedRight]:
    """Proposals that wait and rights that are paused, the newest first; or all there ever were."""
    statement = select(PausedRight).order_by(
        col(PausedRight.proposed_at).desc(), col(PausedRight.id)
    )
    if not everything:
        statement = statement.where(col(PausedRight.status).in_(_STANDING))
    return list(session.scalars(statement))


def right_by_id(session: Session, right: str) -> PausedRight:
    """One proposal, or right that is paused.

    Raises:
        NotFound: there is none.
    """
    found = session.get(PausedRight, right, with_for_update=True)
    if found is None:
        raise NotFound(f"there is no proposal {right}", hint="casework qa rights list")
    return found


def rule_on_right(
    session: Session, right: str, ruling: Ruling, reason: str, by: Provenance, now: datetime
) -> PausedRight | Refused:
    """Confirm or dismiss a proposal, or give a right back; a refusal is in the history.

    Raises:
        NotFound: there is no such proposal.
    """
    found = right_by_id(session, right)
    lead = answering(session, by.actor, ActorKind.PERSON)
    vendor = person_by_id(session, lead.id).vendor if lead else None
    refused = judge_ruling(ruling, _case(session, found), lead, vendor, now)
    if refused:
        data: dict[str, Any] = {"ruling": str(ruling), "reason": str(refused.reason)}
        _record(session, Action.RIGHT_DENIED, found, data, by, now)
        return refused
    found.status = MOVES[ruling][1]
    if ruling is Ruling.RESTORE:
        found.restored_by, found.restored_at, found.restored_because = by.actor, now, reason
    else:
        found.ruled_by, found.ruled_at, found.reason = by.actor, now, reason
    session.add(found)
    session.flush()
    data = {"denies": found.denies, "reason_digest": digest(reason)}
    _record(session, _SAID[ruling], found, data, by, now)
    return found


def trained_since(session: Session, right: PausedRight) -> Trained:
    """What somebody has answered in training since a right of theirs was paused."""
    since = right.ruled_at or right.proposed_at
    return _known_answers(session, right.person, since, col(QaRound.kind) == RoundKind.TRAINING)


def _known_answers(
    session: Session, person: str, since: datetime, of_rounds: ColumnElement[bool]
) -> Trained:
    statement = (
        select(QaGate, QaItem)
        .join(QaItem, col(QaItem.id) == col(QaGate.item_id))
        .join(QaRound, col(QaRound.id) == col(QaGate.round_id))
        .where(
            col(QaGate.answered_by) == person,
            col(QaGate.kind) == GateKind.REVIEW,
            col(QaGate.answered_at) >= since,
            col(QaItem.golden).is_(True),
            of_rounds,
        )
    )
    tally = Counter(given_at(gate) == first_of(item) for gate, item in session.execute(statement))
    return Trained(tally.total(), tally[True])


def _latest(session: Session, person: str, threshold: str) -> PausedRight | None:
    statement = (
        select(PausedRight)
        .where(col(PausedRight.person) == person, col(PausedRight.threshold) == threshold)
        .order_by(col(PausedRight.proposed_at).desc())
        .limit(1)
    )
    return session.scalars(statement).first()


def _propose(
    session: Session,
    bundle: Bundle,
    name: str,
    person: str,
    accuracy: Estimate,
    by: Provenance,
    now: datetime,
) -> PausedRight:
    threshold = bundle.rights[name]
    found = PausedRight(
        id="w" + digest([person, name, timestamp(now)])[:15],
        person=person,
        threshold=name,
        status=RightStatus.PROPOSED,
        denies=sorted(threshold.denies),
        found=accuracy.as_dict() | {"below": threshold.below, "measure": threshold.measure},
        policy_digest=bundle.digest,
        proposed_at=now,
    )
    session.add(found)
    data = {"n": accuracy.n, "value": accuracy.value, "high": accuracy.high}
    _record(session, Action.RIGHT_PROPOSED, found, data | {"below": threshold.below}, by, now)
    return found


def _case(session: Session, right: PausedRight) -> Case:
    threshold = stored_bundle(session, right.policy_digest).rights[right.threshold]
    return Case(
        person=right.person,
        vendor=person_by_id(session, right.person).vendor,
        status=RightStatus(right.status),
        training=threshold.training,
        trained=trained_since(session, right),
    )


def _record(
    session: Session,
    action: Action,
    right: PausedRight,
    data: dict[str, Any],
    by: Provenance,
    now: datetime,
) -> None:
    told = {"right": right.id, "person": right.person, "threshold": right.threshold, **data}
    append(session, [Draft(SYSTEM, action, told, policy_digest=right.policy_digest)], by, now)
