"""Reading a round as its report wants it."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, col

from casework.cases import Route
from casework.errors import NotFound
from casework.gates import ActorKind
from casework.qa.drift import Counted
from casework.qa.plans import Plan
from casework.qa.population import NONE
from casework.qa.report import Looked, Review, Round
from casework.qa.reviews import GateKind, ItemStatus, Outcome, RoundKind
from casework.qa.sampling import Experience
from casework.store.qa.answers import first_of, given_at
from casework.store.tables import QaGate, QaItem, QaRound


def read_round(session: Session, found: QaRound) -> Round:
    """A round with all its items and the answers given so far.

    A calibration asks whether a team decides alike, not who is right: nothing in it is settled.
    """
    settles = found.kind == RoundKind.SAMPLE
    answers: defaultdict[str, list[Review]] = defaultdict(list)
    statement = select(QaGate).where(
        col(QaGate.round_id) == found.id,
        col(QaGate.kind) == GateKind.REVIEW,
        col(QaGate.status) == "answered",
    )
    for gate in session.scalars(statement.order_by(col(QaGate.answered_at), col(QaGate.id))):
        answers[gate.item_id].append(Review(str(gate.answered_by), given_at(gate)))
    items = session.scalars(
        select(QaItem).where(col(QaItem.round_id) == found.id).order_by(col(QaItem.id))
    )
    return Round(
        name=f"plan {found.plan}, {found.opens.isoformat()} to {found.closes.isoformat()}",
        items=tuple(_looked(item, tuple(answers[item.id]), settles) for item in items),
        sizes={_key(row): int(row["population"]) for row in found.strata},
    )


def latest_round(session: Session, plan: str) -> QaRound:
    """The latest sample of a plan.

    Raises:
        NotFound: none was drawn.
    """
    found = session.scalars(_samples(plan).limit(1)).first()
    if found is None:
        raise NotFound(f"nothing was drawn for plan {plan}", hint=f"casework qa sample {plan}")
    return found


def round_before(session: Session, found: QaRound) -> QaRound | None:
    """The sample of the same plan whose window came before; None if there is none."""
    return session.scalars(
        _samples(found.plan).where(col(QaRound.closes) < found.closes).limit(1)
    ).first()


def experience_of(session: Session, name: str, plan: Plan, closes: datetime) -> Experience:
    """What the latest samples of a plan before a time found, in strata told apart as they are now.

    How many of them the plan says; within a stratum all were drawn alike, so they add up.
    """
    earlier = _samples(name).where(col(QaRound.closes) < closes)
    found: defaultdict[tuple[str, ...], list[bool]] = defaultdict(list)
    for sample in session.scalars(earlier.limit(plan.allocation.earlier_rounds)):
        if Plan.model_validate(sample.document).strata == plan.strata:
            for each in read_round(session, sample).settled():
                found[each.stratum].append(each.error is not None)
    return {key: Counted(sum(errors), len(errors)) for key, errors in found.items()}


def _samples(plan: str) -> Select[tuple[QaRound]]:
    return (
        select(QaRound)
        .where(col(QaRound.plan) == plan, col(QaRound.kind) == RoundKind.SAMPLE)
        .order_by(col(QaRound.closes).desc(), col(QaRound.drawn_at).desc(), col(QaRound.id))
    )


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(value) for value in row["stratum"].values())


def _looked(item: QaItem, reviews: tuple[Review, ...], settles: bool) -> Looked:
    machine = item.actor_kind == ActorKind.MACHINE
    traits = {
        "decider": "machine" if machine else "person",
        "person": item.actor,
        "vendor": item.vendor,
        "queue": _queue_of(item, machine),
        "rule": item.rule_id,
        "clause": item.clause,
    }
    settled = settles and item.settled_at is not None
    return Looked(
        item=item.id,
        stratum=tuple(item.stratum),
        golden=item.golden,
        traits={name: value or NONE for name, value in traits.items()},
        first=first_of(item),
        final=Outcome(item.final_action, item.final_escalate_to) if settled else None,
        error=item.error,
        reviews=reviews,
        disputed=item.status == ItemStatus.DISPUTED,
    )


def _queue_of(item: QaItem, machine: bool) -> str | None:
    """The queue a decision is told apart by, as in the population it was drawn from.

    A person's is the one they decided in; the machine's the one it handed to, or none.
    """
    if not machine:
        return item.origin
    return None if item.verdict == Route.CLOSE else item.queue
