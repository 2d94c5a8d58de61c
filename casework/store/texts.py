"""The text of an effect: its macro, filled in from its case at the moment it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from casework.effects import Effect, EffectKind
from casework.errors import ConfigurationError
from casework.gates import Verdict
from casework.ledger.entries import Provenance
from casework.macros import day, render
from casework.policy.model import Bundle
from casework.store.consequences import consequences, done_at
from casework.store.incidents.updates import update_text
from casework.store.paging import endings
from casework.store.policy import stored_bundle
from casework.store.tables import Case, Decision, Gate, QueuedEffect


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something that an answer would send, or why it could not go out."""

    kind: EffectKind
    destination: str
    text: str
    when: datetime | None = None  # later, by itself; None: at once
    fault: str = ""
    title: str = ""  # of the action that it carries out, or takes back


@dataclass(frozen=True, slots=True)
class Unsent:
    """An effect of an earlier action that an answer would cancel, for it has not left."""

    kind: EffectKind
    destination: str
    title: str  # of the earlier action
    when: datetime | None  # it was to come later, by itself; None: at once


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an answer would send, and what it would do to what was sent or queued before."""

    going: Sequence[Outgoing] = ()
    under_way: Sequence[Outgoing] = ()  # goes, or has gone, whatever is answered
    cancelled: Sequence[Unsent] = ()
    stays: Sequence[str] = ()  # titles of earlier actions that have left and nothing can undo


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a text takes from the decision behind it."""

    clause: str | None
    decided_at: datetime


def text_of(session: Session, effect: Effect, in_force: Bundle) -> str:
    """What an effect says; nothing where it names no macro.

    An update of an incident says what was told then. Else the macro is that of the bundle the
    effect names as its ``policy``, or of the one in force.

    Raises:
        ConfigurationError: there is no such macro, or the case cannot fill it in.
        NotFound: the bundle or the update that it names is not kept.
    """
    if "update" in effect.data:
        return update_text(session, effect)
    policy = effect.data.get("policy")
    bundle = in_force if policy is None else stored_bundle(session, str(policy))
    return _filled(session, effect, bundle, _basis(session, effect.data))


def preview(
    session: Session,
    gate: Gate,
    action: str | None,
    clause: str | None,
    by: Provenance,
    now: datetime,
) -> Foreseen:
    """What deciding at a gate would send, word for word, were it carried out now.

    It is worked out as the decision itself works it out: the same effects, the same macro, the
    same values. An earlier approval that names a clause counts where this one names none. Where
    nothing is approved there is no ``action``.
    """
    bundle = stored_bundle(session, gate.policy_digest)
    told = endings(session, EffectKind.RESOLVE, [gate], by)
    over = [Outgoing(each.kind, each.destination, "") for each in told]
    if action is None:
        return Foreseen(over)
    done = done_at(session.get_one(Case, gate.case_id), gate, action, now)
    found = consequences(session, bundle, done, gate.revision)
    basis, earlier = _Basis(clause, now), _basis(session, {"origin": gate.id})
    if clause is None and earlier is not None and earlier.clause is not None:
        basis = earlier
    leaving = [*found.new, *found.advanced]
    return Foreseen(
        [*(_outgoing(session, each, bundle, basis) for each in leaving), *over],
        [
            Outgoing(each.kind, each.destination, "", title=_title(each, bundle))
            for each in found.under_way
        ],
        [_unsent(each, bundle) for each in found.cancelled],
        [bundle.actions[each].title for each in found.stays],
    )


def _title(effect: Effect | QueuedEffect, bundle: Bundle) -> str:
    """What an effect does, as the policy calls it; the end of an action by what it ends."""
    named = str(effect.data.get("reverses" if effect.kind == EffectKind.REVERSE else "action", ""))
    return bundle.actions[named].title if named in bundle.actions else named


def _unsent(row: QueuedEffect, bundle: Bundle) -> Unsent:
    return Unsent(EffectKind(row.kind), row.destination, _title(row, bundle), row.not_before)


def _outgoing(session: Session, effect: Effect, bundle: Bundle, basis: _Basis) -> Outgoing:
    title = _title(effect, bundle)
    try:
        text = _filled(session, effect, bundle, basis)
    except ConfigurationError as error:
        return Outgoing(effect.kind, effect.destination, "", fault=error.message, title=title)
    return Outgoing(effect.kind, effect.destination, text, effect.not_before, title=title)


def _filled(session: Session, effect: Effect, bundle: Bundle, basis: _Basis | None) -> str:
    name = effect.data.get("macro")
    if name is None:
        return ""
    if name not in bundle.macros:
        raise ConfigurationError(
            f"policy {bundle.name} {bundle.version} has no macro `{name}`",
            hint="put it into the bundle, then: casework effects retry KEY",
        )
    return render(str(name), bundle.macros[name], _values(session, effect, bundle, basis))


def _values(
    session: Session, effect: Effect, bundle: Bundle, basis: _Basis | None
) -> dict[str, str]:
    """Every field of ``casework.macros.FIELDS`` that the case has, and the bundle's own."""
    values = dict(bundle.macro_fields)
    case = session.get(Case, effect.case_id) if effect.case_id else None
    if case is not None:
        values |= {"reference": case.external_id, "received": day(case.received_at)}
    if basis is not None:
        values["decided"] = day(basis.decided_at)
        values |= _clause(bundle, basis.clause)
    if until := effect.data.get("until"):
        values["until"] = day(datetime.fromisoformat(str(until)))
    return values


def _basis(session: Session, data: Mapping[str, Any]) -> _Basis | None:
    """The approval at the gate that caused the effect, one that names a clause if there is one,
    or the machine's decision."""
    origin = data.get("origin")
    if origin is None:
        return None
    statement = (
        select(Decision)
        .where(col(Decision.gate_id) == origin, col(Decision.verdict) == Verdict.APPROVE)
        .order_by(col(Decision.clause).is_(None), col(Decision.decided_at).desc())
        .limit(1)
    )
    found = session.scalar(statement) or session.get(Decision, str(origin))
    return _Basis(found.clause, found.decided_at) if found else None


def _clause(bundle: Bundle, clause: str | None) -> dict[str, str]:
    """A clause and its text; a clause that the bundle does not have says nothing."""
    for category in bundle.categories.values():
        if clause is not None and clause in category.clauses:
            return {"clause": clause, "clause_text": category.clauses[clause]}
    return {}
