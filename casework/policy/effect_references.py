"""What a bundle says about effects: destinations must exist, and macros be filled by a case."""

from typing import Final

from casework.effects import EffectKind
from casework.macros import FIELDS, loose_braces, places
from casework.policy.draft import Draft
from casework.policy.faults import Fault, nearest
from casework.policy.schema import ActionEntry

#: The options that each type of destination knows; a type that is not named here has none.
OPTIONS: Final[dict[str, frozenset[str]]] = {
    "pagerduty": frozenset({"component", "group"}),
    "slack": frozenset({"channel"}),
    "jira": frozenset({"closed"}),
    "coop": frozenset({"account_type", "subject_type"}),
}

#: What carrying out an action can cause at a destination.
CAUSED: Final = frozenset(
    {EffectKind.ACT, EffectKind.REPLY, EffectKind.SET_STATUS, EffectKind.RESOLVE}
)


def check_effects(draft: Draft) -> None:
    """Note every destination that is not declared, or does not take what it would be sent."""
    _options(draft)
    _overdue(draft)
    for name, action in draft.actions.items():
        for index, destination in enumerate(action.to):
            _goes_to(draft, name, index, destination)
        _lasts(draft, name, action)


def check_macros(draft: Draft) -> None:
    """Note every place of a macro that nothing can fill.

    A case fills in the macros that actions name; the others, those of status updates, get their
    values from whoever tells one.
    """
    known = {*FIELDS, *(draft.head.macro_fields if draft.head else ())}
    sent = {action.macro for action in draft.actions.values()}
    _own_fields(draft)
    for name, text in draft.macros.items():
        for place in places(text):
            if name in sent and place.field not in known:
                message = f"unknown field `{place.field}`"
                _within_macro(draft, name, place.offset, message, nearest(place.field, known))
        for offset in loose_braces(text):
            hint = 'write {{ field }} or {{ field or "words" }}'
            _within_macro(draft, name, offset, "these braces are no field", hint)
    for name, action in draft.actions.items():
        _ends(draft, name, action)


def _options(draft: Draft) -> None:
    for name, destination in draft.destinations.items():
        known = OPTIONS.get(destination.type, frozenset())
        for option in sorted(set(destination.options or {}) - known):
            hint = nearest(option, known) or f"type {destination.type} has no options"
            message = f"unknown option `{option}`"
            draft.add("destinations", (name, "options", option), message, hint, key=True)


def _overdue(draft: Draft) -> None:
    target = draft.head.incidents.notify if draft.head else None
    if target is None:
        return
    known, path = draft.written["destinations"], ("incidents", "notify")
    document, destination = draft.documents["bundle.yaml"], draft.destinations.get(target)
    if target not in known:
        message, hint = f"unknown destination `{target}`", nearest(target, known, "destination")
        draft.faults.append(document.fault(path, message, hint))
    elif destination and destination.takes and EffectKind.NOTIFY not in destination.takes:
        message = f"`{target}` takes no notify"
        draft.faults.append(document.fault(path, message, f"let `{target}` take notify too"))


def _goes_to(draft: Draft, name: str, index: int, target: str) -> None:
    path, known = (name, "to", index), draft.written["destinations"]
    if target not in known:
        hint = nearest(target, known, "destination")
        draft.add("actions", path, f"unknown destination `{target}`", hint)
        return
    destination = draft.destinations.get(target)
    if destination is None or not destination.takes:
        return
    takes, action = set(destination.takes), draft.actions[name]
    if not takes & CAUSED:
        hint = f"let it take one of: {', '.join(sorted(CAUSED))}"
        draft.add("actions", path, f"`{target}` takes nothing that an action causes", hint)
    if action.reversible and EffectKind.ACT in takes and EffectKind.REVERSE not in takes:
        hint = f"let `{target}` take reverse too, or say reversible: false"
        draft.add("actions", path, f"`{name}` could not be undone at `{target}`", hint)


def _lasts(draft: Draft, name: str, action: ActionEntry) -> None:
    if action.lasts is None:
        return
    if action.inverse is None:
        hint = "name its inverse, or leave `lasts` out"
        draft.add("actions", (name, "lasts"), f"nothing undoes `{name}`", hint)
    elif not any(_undoes(draft, target) for target in action.to):
        hint = "name a destination that takes reverse under `to`"
        draft.add("actions", (name, "lasts"), f"nothing outside would end `{name}`", hint)


def _undoes(draft: Draft, target: str) -> bool:
    destination = draft.destinations.get(target)
    # One that is not declared or does not fit is complained of at its own place.
    return not (destination and destination.takes) or EffectKind.REVERSE in destination.takes


def _own_fields(draft: Draft) -> None:
    for field in sorted(set(draft.head.macro_fields if draft.head else ()) & set(FIELDS)):
        message, path = f"`{field}` is a field of the case", ("macro_fields", field)
        document = draft.documents["bundle.yaml"]
        draft.faults.append(document.fault(path, message, "choose another name", key=True))


def _ends(draft: Draft, name: str, action: ActionEntry) -> None:
    """A macro that says until when must belong to an action that ends."""
    if action.lasts is not None or action.macro not in draft.macros:
        return
    said = places(draft.macros[action.macro])
    if any(place.field == "until" and place.otherwise is None for place in said):
        message = f"macro `{action.macro}` says until when, and `{name}` does not end by itself"
        draft.add("actions", (name, "macro"), message, "say how long it lasts: lasts: 7 days")


def _within_macro(draft: Draft, name: str, offset: int, message: str, hint: str) -> None:
    file = f"macros/{name}.md"
    before = draft.files[file][:offset]
    line, column = before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
    source = draft.files[file].splitlines()[line - 1]
    draft.faults.append(Fault(file, line, column, message, hint, source))
