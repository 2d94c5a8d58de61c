"""What was done about a case so far, and the effects of what is done now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from casework.cases import Route
from casework.consequences import (
    Carried,
    Done,
    Stands,
    closes_with_effects,
    effects_of,
    irreversible,
    replaced_by,
    standing,
    undone_by,
)
from casework.effects import Effect, EffectKind, EffectStatus
from casework.gates import GateStatus, Terms, Verdict
from casework.ledger.entries import Action, Draft, Provenance
from casework.policy.model import Bundle
from casework.store.effects import can_come_now, want_now
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.outbox import enqueue
from casework.store.outcomes import Decided
from casework.store.tables import Case, Decision, Gate, QueuedEffect
from casework.store.withdrawing import left, unsent, withdraw


class Touched(NamedTuple):
    """What stood before an action and it undoes, what it replaces, and what nothing can undo."""

    undoes: Sequence[Stands]
    replaces: Sequence[Stands]
    lasting: Sequence[Carried]


@dataclass(frozen=True, slots=True)
class Consequences:
    """What an action does outside, to what was done before as well."""

    new: Sequence[Effect]  # to be queued
    advanced: Sequence[Effect]  # queued for later, or given up, and now to be sent at once
    under_way: Sequence[Effect]  # undone already, or about to be without this action
    cancelled: Sequence[QueuedEffect]  # of earlier actions: surely nothing of it has left
    undone: Sequence[str]  # earlier actions whose place this one takes
    stays: Sequence[str]  # earlier actions that have left and that nothing can undo


def cause(session: Session, bundle: Bundle, done: Done, revision: int, by: Provenance) -> int:
    """Queue what an action causes outside, in the transaction that carries it out.

    The case is held.

    Returns:
        How many effects were queued.
    """
    found = consequences(session, bundle, done, revision, lock=True)
    withdraw(session, found.cancelled, by, done.at)
    if found.undone or found.stays:
        earlier = {"undone": list(found.undone), "stays": list(found.stays)}
        told = {"gate": done.origin, "action": done.action, **earlier}
        draft = Draft(done.case_id, Action.ACTION_REPLACED, told, revision)
        append(session, [draft], by, done.at)
    queued = enqueue(session, found.new, by, done.at)
    for effect in found.advanced:
        want_now(session, effect.key, by, done.at)
    return queued


def consequences(
    session: Session, bundle: Bundle, done: Done, revision: int, *, lock: bool = False
) -> Consequences:
    """What an action would cause, were it carried out now; with ``lock``, it stays so.

    What it undoes, or what it replaces of the same revision, is undone: where surely nothing of
    that has left it is cancelled, and an end that was to come by itself later comes now.
    """
    carried = Carried(done.origin, done.action, revision)
    undoes, replaces, lasting = touched_by(session, bundle, done.case_id, carried)
    gone = [each.origin for each in (*undoes, *replaces)] + [each.origin for each in lasting]
    cancelled = unsent(session, done.case_id, gone, lock=lock)
    keys = {row.key for row in cancelled}

    def has_left(origin: str) -> bool:
        return left(session, done.case_id, origin, keys)

    unheard = bool(undoes and cancelled) and not any(has_left(each.origin) for each in undoes)
    effects = [
        each
        for each in effects_of(bundle, done, undoes, replaces)
        if not (each.kind is EffectKind.REVERSE and each.after in keys)
        # Nobody has heard of what is undone, so nobody is told that it is undone.
        and not (each.kind is EffectKind.REPLY and unheard)
    ]
    new, advanced, under_way = _parted(session, effects, done.at)
    return Consequences(
        new=new,
        advanced=advanced,
        under_way=under_way,
        cancelled=cancelled,
        undone=[each.action for each in replaces if bundle.actions[each.action].to],
        stays=[each.action for each in lasting if has_left(each.origin)],
    )


def _parted(
    session: Session, effects: Sequence[Effect], now: datetime
) -> tuple[list[Effect], list[Effect], list[Effect]]:
    """Effects that are new, that are queued and come earlier now, and that go on as they are."""
    keys = [each.key for each in effects]
    rows = session.scalars(select(QueuedEffect).where(among(session, col(QueuedEffect.key), keys)))
    known = {row.key: row for row in rows}
    new = [each for each in effects if each.key not in known]
    queued = [each for each in effects if each.key in known]
    advanced = [each for each in queued if can_come_now(known[each.key], now)]
    return new, advanced, [each for each in queued if each not in advanced]


def touched_by(session: Session, bundle: Bundle, case_id: str, done: Carried) -> Touched:
    """What an action does to what was done about its case before."""
    past = [each for each in _history(session, case_id) if each.origin != done.origin]
    stands = _standing_of(session, bundle, case_id, past)
    undoes = undone_by(done.action, stands, bundle.actions)
    replaces = replaced_by(done, stands, bundle.actions)
    return Touched(undoes, replaces, [] if undoes else irreversible(done, past, bundle.actions))


def done_at(case: Case, gate: Gate, action: str, now: datetime) -> Done:
    """An action that is decided at a gate, as it is carried out."""
    return Done(
        action=action,
        origin=gate.id,
        at=now,
        case_id=case.id,
        source=case.source,
        external_id=case.external_id,
        subject_id=case.subject_id,
        policy=gate.policy_digest,
    )


def terms_at(session: Session, bundle: Bundle, gate: Gate, action: str | None) -> Terms:
    """The terms of answering at a gate with an action.

    What that would undo in passing takes as many people as undoing it by itself.
    """
    rule_id = session.get_one(Case, gate.case_id).rule_id
    terms = bundle.terms(gate.queue, action, rule_id)
    if action is None or action not in bundle.actions:
        return terms
    done = Carried(gate.id, action, gate.revision)
    replaces = touched_by(session, bundle, gate.case_id, done).replaces
    inverses = [str(bundle.actions[each.action].inverse) for each in replaces]
    people = [bundle.actions[inverse].approvals for inverse in inverses]
    return replace(terms, approvals=max([terms.approvals, *people]))


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


def standing_at(session: Session, bundle: Bundle, case_id: str) -> list[Stands]:
    """What stands of the actions of a case, the newest last."""
    return _standing_of(session, bundle, case_id, _history(session, case_id))


def _standing_of(
    session: Session, bundle: Bundle, case_id: str, history: Sequence[Carried]
) -> list[Stands]:
    done = standing(history, bundle.actions)
    ended = _ended(session, case_id) if done else set()
    return [each for each in done if each.origin not in ended]


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
    history = [each for each in _history(session, gate.case_id) if each.revision == gate.revision]
    return next((each.action for each in reversed(history) if each.origin != gate.id), None)


def _history(session: Session, case_id: str) -> list[Carried]:
    """What was done about a case, oldest first: of each revision by machine, then at gates."""
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
    return [Carried(origin, action, revision) for revision, _, origin, action in sorted(rows)]


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
