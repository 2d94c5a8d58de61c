"""From a plan to a round: read the population, draw, record, open the gates."""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlmodel import Session

from casework.errors import InputError, NotFound
from casework.ledger.entries import Provenance
from casework.policy.faults import nearest
from casework.policy.model import Bundle
from casework.qa.allocation import share_of
from casework.qa.plans import Plan
from casework.qa.reviews import RoundKind
from casework.qa.sampling import Preview, Sample, draw, lowest, preview
from casework.store.engine import reading, transaction
from casework.store.people import person_by_id
from casework.store.policy import adopt_bundle
from casework.store.qa.golden import active_golden
from casework.store.qa.population import Frame, read_frame, window_of
from casework.store.qa.reports import experience_of
from casework.store.qa.rounds import Proposal, open_round
from casework.store.tables import QaRound


def plan_of(bundle: Bundle, name: str) -> Plan:
    """A plan of a bundle.

    Raises:
        NotFound: the bundle has no such plan.
    """
    if name not in bundle.qa:
        raise NotFound(
            f"the policy bundle has no QA plan {name}", hint=nearest(name, bundle.qa, "plan")
        )
    return bundle.qa[name]


def midnight(moment: datetime) -> datetime:
    """The beginning of a day in UTC, where windows end unless told otherwise."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def seed_of_day(name: str, closes: datetime) -> str:
    """The seed where none is given: a plan and the day its window ends, so a day draws once."""
    return f"{name}:{closes.date().isoformat()}"


def preview_plan(
    engine: Engine,
    bundle: Bundle,
    name: str,
    closes: datetime,
    now: datetime,
    *,
    margin: float,
    confidence: float,
) -> Preview:
    """What a plan would draw from the decisions before a time.

    Raises:
        InputError: the window is not over yet.
        NotFound: the bundle has no such plan.
    """
    plan = plan_of(bundle, name)
    _check_over(closes, now)
    with reading(engine) as session:
        frame = _frame(session, name, plan, closes)
    return preview(
        name,
        plan,
        frame.population,
        frame.tenures,
        frame.experience,
        margin=margin,
        confidence=confidence,
    )


def _frame(session: Session, name: str, plan: Plan, closes: datetime) -> Frame:
    """What a plan draws from, with what its earlier rounds found where it learns from them."""
    frame = read_frame(session, plan, window_of(plan, closes))
    if not plan.allocation.earlier_rounds:
        return frame
    return replace(frame, experience=experience_of(session, name, plan, closes))


def _check_over(closes: datetime, now: datetime) -> None:
    """Refuse a window that has not ended."""
    if closes > now:
        raise InputError(
            f"the window ends at {closes.isoformat()}, which is still to come",
            hint="what is decided until then could not be drawn",
        )


def draw_round(
    engine: Engine,
    bundle: Bundle,
    name: str,
    closes: datetime,
    by: Provenance,
    now: datetime,
    *,
    seed: str | None = None,
    team: tuple[str, ...] = (),
) -> QaRound | None:
    """Draw a plan's sample and open its gates; the same draw again gives the same round.

    None where the window has no decisions.

    With a ``team`` it is a calibration round: each of them answers every item.

    Raises:
        InputError: the window is not over yet.
        NotFound: the bundle has no such plan.
    """
    plan = plan_of(bundle, name)
    seed = seed or seed_of_day(name, closes)
    _check_over(closes, now)
    with reading(engine) as session:
        frame = _frame(session, name, plan, closes)
        known = active_golden(session, plan.queues)
    sample = draw(plan, frame.population, frame.tenures, seed, frame.experience)
    if not sample.drawn:
        return None
    number = min(len(known), share_of(len(sample.drawn), plan.golden))
    chosen = set(lowest((each.id for each in known), number, f"{seed}\x00golden"))
    kind = RoundKind.CALIBRATION if team else RoundKind.SAMPLE
    proposal = Proposal(name, plan, seed, bundle.digest, bundle.default.queue, kind, team)
    golden = [each for each in known if each.id in chosen]
    with transaction(engine) as session:
        adopt_bundle(session, bundle, by, now)
        return open_round(session, proposal, frame, sample, golden, by, now)


def open_training(
    engine: Engine,
    bundle: Bundle,
    name: str,
    person: str,
    number: int,
    seed: str,
    by: Provenance,
    now: datetime,
) -> QaRound:
    """Give somebody golden items of a plan's queues to learn from; the same seed, the same items.

    Raises:
        InputError: there are no golden items in these queues.
        NotFound: the bundle has no such plan, or nobody is known by that id.
    """
    plan = plan_of(bundle, name)
    with reading(engine) as session:
        person_by_id(session, person)
        known = active_golden(session, plan.queues)
    if not known:
        raise InputError(
            f"there are no golden items for plan {name}", hint="casework qa golden add CASE"
        )
    chosen = set(lowest((each.id for each in known), number, f"{seed}\x00training"))
    golden = [each for each in known if each.id in chosen]
    proposal = Proposal(
        name, plan, seed, bundle.digest, bundle.default.queue, RoundKind.TRAINING, (person,)
    )
    frame = Frame(window_of(plan, midnight(now)), {}, {})
    with transaction(engine) as session:
        adopt_bundle(session, bundle, by, now)
        return open_round(session, proposal, frame, Sample((), ()), golden, by, now)
