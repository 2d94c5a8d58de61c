"""What a decision causes outside: from an action and the bundle's destinations to effects. Pure.

An action is done once, so each effect's key is made of its kind, the decision behind it and its
destination. The undoing of an action has one key however it comes about: by itself when its time
is over, or earlier because somebody wants it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from casework.cases import Route
from casework.effects import Effect, EffectKind
from casework.ledger.entries import timestamp
from casework.policy.model import ActionSpec, Bundle, DestinationSpec

#: The status of an item at its source once something has been done about it.
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class Done:
    """An action that is carried out, and what it is about."""

    action: str
    origin: str  # id of the gate that decided it, or of the machine's decision
    at: datetime
    case_id: str
    source: str
    external_id: str
    subject_id: str | None
    policy: str  # digest of the bundle it was decided under


class Carried(NamedTuple):
    """An action of a case that was carried out, and the revision it was decided about."""

    origin: str
    action: str
    revision: int


@dataclass(frozen=True, slots=True)
class Stands:
    """An action that was carried out, can be undone and has not been."""

    action: str
    origin: str
    undoing: bool = False  # whether it undid another one itself
    revision: int = 1


def effects_of(
    bundle: Bundle, done: Done, undoes: Sequence[Stands] = (), replaces: Sequence[Stands] = ()
) -> list[Effect]:
    """What carrying out an action causes; with ``undoes``, it is the undoing of other ones.

    An undoing goes to the destinations that did what it undoes, whatever the action itself names.
    What it ``replaces`` is undone by its own inverse, before the action is done there.
    """
    spec = bundle.actions[done.action]
    undone = [effect for each in undoes for effect in _undoing(bundle, done, each, done.action)]
    told = {effect.destination for effect in undone}
    replaced = [
        effect
        for each in replaces
        for effect in _undoing(bundle, done, each, str(bundle.actions[each.action].inverse))
    ]
    before = {effect.destination: effect.key for effect in replaced}
    effects = undone + replaced
    for destination in _destinations(bundle, spec):
        for kind in _kinds(spec, destination):
            if kind is not EffectKind.ACT:
                effects.append(_effect(kind, done, spec, destination.id))
            elif destination.id not in told:
                act = _effect(kind, done, spec, destination.id)
                effects.append(replace(act, after=before.get(destination.id)))
    return effects + list(_ends(bundle, done, spec))


def closes_with_effects(bundle: Bundle) -> frozenset[str]:
    """Actions with which a rule closes cases by machine and that something outside is told of."""
    closing = {rule.action for rule in bundle.rules if rule.route == Route.CLOSE and rule.action}
    return frozenset(name for name in closing if bundle.actions[name].to)


def standing(history: Sequence[Carried], actions: Mapping[str, ActionSpec]) -> list[Stands]:
    """What stands of the actions of a case, the newest last.

    ``history`` is what was carried out, oldest first. An action takes away those of which it is
    the inverse, and stands in their place; it also takes away what it replaces.
    """
    stands: list[Stands] = []
    for each in history:
        if each.action not in actions:
            continue
        undoing = bool(undone_by(each.action, stands, actions))
        gone = replaced_by(each, stands, actions)
        stands = [
            old for old in stands if old not in gone and actions[old.action].inverse != each.action
        ]
        if actions[each.action].inverse is not None:
            stands.append(Stands(each.action, each.origin, undoing, each.revision))
    return stands


def undone_by(
    action: str, stands: Sequence[Stands], actions: Mapping[str, ActionSpec]
) -> list[Stands]:
    """The standing actions that this one undoes.

    Doing again what was undone is no undoing, and neither is what lasts: it begins anew.
    """
    if actions[action].lasts is not None:
        return []
    return [each for each in stands if actions[each.action].inverse == action and not each.undoing]


def replaced_by(
    done: Carried, stands: Sequence[Stands], actions: Mapping[str, ActionSpec]
) -> list[Stands]:
    """The standing actions in whose place a later decision about the same revision comes.

    Not those it does anew; none where it undoes something, sends the case back to people or
    says of itself that it keeps what was done.
    """
    if not _replaces(actions[done.action]) or undone_by(done.action, stands, actions):
        return []
    return [
        each
        for each in stands
        if each.revision == done.revision
        and not each.undoing
        and done.action not in (each.action, actions[each.action].inverse)
    ]


def irreversible(
    done: Carried, past: Sequence[Carried], actions: Mapping[str, ActionSpec]
) -> list[Carried]:
    """What was done before about the same revision and nothing can undo, where it is replaced."""
    if not _replaces(actions[done.action]):
        return []
    known = [each for each in past if each.revision == done.revision and each.action in actions]
    return [
        each
        for each in known
        if each.action != done.action and actions[each.action].inverse is None
    ]


def _replaces(spec: ActionSpec) -> bool:
    """Whether an action takes the place of what was decided before about the same revision."""
    return not (spec.keeps or spec.reopens)


def reversal_key(origin: str, destination: str) -> str:
    """The key under which what a decision did at a destination is undone there, once."""
    return _key(EffectKind.REVERSE, origin, destination)


def _key(kind: EffectKind, origin: str, destination: str) -> str:
    return f"{kind}:{origin}:{destination}"


def _kinds(spec: ActionSpec, destination: DestinationSpec) -> Iterator[EffectKind]:
    """What an action causes at a destination that takes it."""
    caused = (EffectKind.ACT, EffectKind.REPLY, EffectKind.SET_STATUS, EffectKind.RESOLVE)
    for kind in caused:
        if kind in destination.takes and (kind is not EffectKind.REPLY or spec.macro):
            yield kind


def _undoing(bundle: Bundle, done: Done, undoes: Stands, action: str) -> list[Effect]:
    return [
        _reversal(done, undoes, destination.id, action)
        for destination in _destinations(bundle, bundle.actions[undoes.action])
        if EffectKind.REVERSE in destination.takes
    ]


def _ends(bundle: Bundle, done: Done, spec: ActionSpec) -> Iterator[Effect]:
    """The undoing of an action that lasts for a time, to be sent when that is over."""
    if spec.lasts is None or spec.inverse is None:
        return
    stands = Stands(spec.id, done.origin)
    for destination in _destinations(bundle, spec):
        if EffectKind.REVERSE in destination.takes:
            yield _reversal(done, stands, destination.id, spec.inverse, done.at + spec.lasts)


def _reversal(
    done: Done, undoes: Stands, destination: str, action: str, when: datetime | None = None
) -> Effect:
    about = {"reverses": undoes.action, "undoes": undoes.origin, "action": action}
    return Effect(
        key=reversal_key(undoes.origin, destination),
        kind=EffectKind.REVERSE,
        destination=destination,
        case_id=done.case_id,
        data={**_about(done), **about},
        not_before=when,
        after=_key(EffectKind.ACT, undoes.origin, destination),
    )


def _effect(kind: EffectKind, done: Done, spec: ActionSpec, destination: str) -> Effect:
    data = _about(done)
    if kind is EffectKind.REPLY:
        data["macro"] = spec.macro
    if kind is EffectKind.SET_STATUS:
        data["status"] = CLOSED
    if spec.lasts is not None:
        data["until"] = timestamp(done.at + spec.lasts)
    return Effect(_key(kind, done.origin, destination), kind, destination, done.case_id, data)


def _about(done: Done) -> dict[str, Any]:
    return {
        "action": done.action,
        "origin": done.origin,
        "source": done.source,
        "external_id": done.external_id,
        "subject_id": done.subject_id,
        "policy": done.policy,
    }


def _destinations(bundle: Bundle, spec: ActionSpec) -> list[DestinationSpec]:
    return [bundle.destinations[name] for name in spec.to]
