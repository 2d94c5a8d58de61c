"""Reading playbooks/*.yaml, and what is wrong with the ways through them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from casework.playbooks import DONE, Choice, Playbook, Step
from casework.policy.document import Document, Path
from casework.policy.draft import Draft, fit
from casework.policy.faults import nearest
from casework.policy.playbook_entries import ChoiceEntry, StepEntry, TickEntry

_FOLDER: Final = "playbooks/"


def read_playbooks(draft: Draft) -> dict[str, Playbook]:
    """Read every playbook that asks questions; faults are gathered in the draft."""
    found = {}
    for name, document in sorted(draft.documents.items()):
        if name.startswith(_FOLDER) and name.endswith(".yaml"):
            called = name.removeprefix(_FOLDER).removesuffix(".yaml")
            found[called] = Playbook(called, _steps(draft, document))
    return found


def _steps(draft: Draft, document: Document) -> dict[str, Step]:
    if isinstance(document.data, list) and document.data:
        return _checklist(draft, document, document.data)
    if isinstance(document.data, dict) and document.data:
        return _tree(draft, document, document.data)
    draft.faults.append(document.fault((), "a playbook holds steps by id, or a list to tick"))
    return {}


def _checklist(draft: Draft, document: Document, data: list[Any]) -> dict[str, Step]:
    steps: dict[str, Step] = {}
    following: str | None = None
    for index in reversed(range(len(data))):
        before = len(draft.faults)
        entry = fit(draft, document, (index,), TickEntry, data[index])
        if entry is None or len(draft.faults) > before:
            continue
        if entry.id in steps:
            fault = document.fault((index, "id"), f"duplicate step `{entry.id}`")
            draft.faults.append(fault)
            continue
        tick = Choice(DONE, "Done", following)
        steps[entry.id] = Step(entry.id, entry.ask, entry.help or "", entry.required, (tick,))
        following = entry.id
    return dict(reversed(steps.items()))


def _tree(draft: Draft, document: Document, data: dict[str, Any]) -> dict[str, Step]:
    entries: dict[str, StepEntry] = {}
    for name, value in data.items():
        before = len(draft.faults)
        entry = fit(draft, document, (name,), StepEntry, value)
        if entry is not None and len(draft.faults) == before:
            entries[name] = entry
    for name, entry in entries.items():
        for answer, choice in entry.answers.items():
            _names(draft, document, (name, "answers", answer), choice, data)
    if len(entries) == len(data) and _lead_somewhere(entries):
        _ways(draft, document, entries)
    return {name: _step(name, entry) for name, entry in entries.items()}


def _lead_somewhere(entries: Mapping[str, StepEntry]) -> bool:
    """Whether all that answers lead to exists; otherwise that is complained of, and enough."""
    choices = (choice for entry in entries.values() for choice in entry.answers.values())
    return all(choice.next is None or choice.next in entries for choice in choices)


def _names(
    draft: Draft, document: Document, path: Path, choice: ChoiceEntry, steps: Mapping[str, Any]
) -> None:
    """Note what a choice names that does not exist."""
    written = draft.written
    for key, name, known, what in (
        ("next", choice.next, set(steps), "step"),
        ("action", choice.action, written["actions"], "action"),
        ("escalate_to", choice.escalate_to, written["queues"], "queue"),
    ):
        if name is not None and name not in known:
            hint = nearest(name, known, what)
            draft.faults.append(document.fault((*path, key), f"unknown {what} `{name}`", hint))
    if choice.action and choice.escalate_to:
        hint = "leave one of them out: an answer speaks for an action or for handing over"
        fault = document.fault((*path, "escalate_to"), "it suggests two things at once", hint)
        draft.faults.append(fault)


def _ways(draft: Draft, document: Document, entries: Mapping[str, StepEntry]) -> None:
    """Note steps that no way leads to, and ways that lead round in a circle."""
    first = next(iter(entries))
    reached: dict[str, bool] = {}
    for name, answer, back in _circles(entries, first, reached):
        path, message = (name, "answers", answer, "next"), f"this leads back to step `{back}`"
        hint = "a playbook must come to an end: lead to a later step, or leave `next` out"
        draft.faults.append(document.fault(path, message, hint))
    for name in entries:
        if name not in reached:
            hint = f"let an answer lead there; the playbook begins with `{first}`"
            fault = document.fault((name,), f"no answer leads to step `{name}`", hint, key=True)
            draft.faults.append(fault)


def _circles(
    entries: Mapping[str, StepEntry], here: str, reached: dict[str, bool]
) -> Iterator[tuple[str, str, str]]:
    """Answers that lead back to a step on their own way: step, answer and where it leads.

    ``reached`` gathers the steps that come up; they are true while they are on the way.
    """
    reached[here] = True
    for answer, choice in entries[here].answers.items():
        if choice.next is None:
            continue
        if choice.next not in reached:
            yield from _circles(entries, choice.next, reached)
        elif reached[choice.next]:
            yield here, answer, choice.next
    reached[here] = False


def _step(name: str, entry: StepEntry) -> Step:
    choices = tuple(Choice(id=key, **each.model_dump()) for key, each in entry.answers.items())
    return Step(name, entry.ask, entry.help or "", entry.required, choices)
