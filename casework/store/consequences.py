"""What was done about a case so far, and the effects of what is done now."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.cases import Route
from casework.consequences import (
    Done,
    Stands,
    closes_with_effects,
    effects_of,
    standing,
    undone_by,
)
from casework.effects import EffectKind, EffectStatus
from casework.gates import GateStatus, Verdict
from casework.ledger.entries import Provenance
from casework.policy.model import Bundle
from casework.store.effects import want_now
from casework.store.lookup import among
from casework.store.outbox import enqueue
from casework.store.outcomes import Decided
from casework.store.tables import Case, Decision, Gate, QueuedEffect


def cause(session: Session, bundle: Bundle, done: Done, by: Provenance, now: datetime) -> int:
    """Queue what an action causes outside, in the transaction that carries it out.

    Where it undoes an action that would end by itself later, that end is sent now instead.

    Returns:
        How many effects were queued.
    """
    undoes: list[Stands] = []
    if any(spec.inverse == done.action for spec in bundle.actions.values()):
        stands = standing_at(session, bundle, done.case_id, before=done.origin)
        undoes = undone_by(done.action, stands, bundle.actions)
    effects = effects_of(bundle, done, undoes)
    queued = enqueue(session, effects, by, now)
    for effect in effects:
        if effect.kind is EffectKind.REVERSE and effect.not_before is None:
            want_now(session, effect.key, by, now)
    return queued


def cause_closings(
    session: Session, bundle: Bundle, made: Sequence[Decided], by: Provenance, now: datetime
) -> int:
    """Queue what closing by machine causes outside; their cases are held, or new.

    Where no rule closes with an action that anything outside is told of, this costs nothing.

    Returns:
        How many effects were queued.
    """
    causing = closes_with_effects(bundle)
    if not causing:
        return 0
    closed = {
        each.case_id: each
        for each in made
        if each.ruling.closes and each.ruling.outcome["action"] in causing
    }
    cases = session.scalars(select(Case).where(among(session, col(Case.id), list(closed))))
    effects = [
        effect
        for case in cases
        for effect in effects_of(bundle, _closing(case, closed[case.id], bundle.digest, now))
    ]
    return enqueue(session, effects, by, now)


def standing_at(
    session: Session, bundle: Bundle, case_id: str, before: str | None = None
) -> list[Stands]:
    """What stands of the actions of a case, the newest last; ``before`` leaves a gate out."""
    history = [each for each in _history(session, case_id) if each[0] != before]
    ended = _ended(session, case_id)
    return [each for each in standing(history, bundle.actions) if each.origin not in ended]


def _closing(case: Case, made: Decided, policy: str, now: datetime) -> Done:
    return Done(
        action=made.ruling.outcome["action"],
        origin=made.decision_id,
        at=now,
        case_id=case.id,
        source=case.source,
        external_id=case.external_id,
        subject_id=case.subject_id,
        policy=policy,
    )


def done_before(session: Session, gate: Gate) -> str | None:
    """The action that was carried out last about the same revision, before this gate."""
    history = _history(session, gate.case_id, gate.revision)
    return next((action for origin, action in reversed(history) if origin != gate.id), None)


def _history(session: Session, case_id: str, revision: int | None = None) -> list[tuple[str, str]]:
    """What was done about a case or one revision of it, oldest first: by machine, then at gates."""
    columns = (col(Gate.revision), col(Gate.step), col(Gate.id), col(Gate.action))
    gates = session.execute(
        select(*columns).where(
            col(Gate.case_id) == case_id,
            col(Gate.status) == GateStatus.CARRIED_OUT,
            col(Gate.verdict) == Verdict.APPROVE,
            col(Gate.action).is_not(None),
        )
    )
    closed = session.execute(
        select(col(Decision.revision), col(Decision.id), col(Decision.action)).where(
            col(Decision.case_id) == case_id,
            col(Decision.gate_id).is_(None),
            col(Decision.verdict) == Route.CLOSE,
            col(Decision.action).is_not(None),
        )
    )
    # A machine decides a revision before any gate of it opens.
    rows = [(number, 0, origin, action) for number, origin, action in closed]
    rows += [(number, place, origin, action) for number, place, origin, action in gates]
    rows = [row for row in rows if revision in (None, row[0])]
    return [(origin, action) for _, _, origin, action in sorted(rows)]


def _ended(session: Session, case_id: str) -> set[str]:
    """Origins whose action was undone outside already, as a time that was over does by itself."""
    sent = session.scalars(
        select(QueuedEffect).where(
            col(QueuedEffect.case_id) == case_id,
            col(QueuedEffect.kind) == EffectKind.REVERSE,
            col(QueuedEffect.status) == EffectStatus.SENT,
        )
    )
    return {str(row.data.get("undoes")) for row in sent}
