"""Moments of a timeline as sentences."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from casework.holds import Scope
from casework.incidents.story import Story
from casework.incidents.timeline import Moment
from casework.ledger.entries import Action

#: Ids that a line names before it says how many more there are.
_NAMED: Final = 5

_SENTENCES: Final[Mapping[str, str]] = {
    Action.INCIDENT_OPENED: "opened the incident as {severity}",
    Action.INCIDENT_MOVED: "{before} became {after}",
    Action.INCIDENT_RATED: "severity {before} became {after}",
    Action.INCIDENT_CLOSED: "closed the incident",
    Action.INCIDENT_DENIED: "was refused: {reason}",
    Action.INCIDENT_ROLE_ASSUMED: "{person} is {role}",
    Action.INCIDENT_ROLE_RENOUNCED: "{person} is no longer {role}",
    Action.INCIDENT_UPDATED: "told {audience} update {update}, from macro {macro}",
    Action.INCIDENT_UPDATE_QUEUED: "had update {update} sent to {to}",
    Action.INCIDENT_TASK_DONE: "task {task} of {partner} is done",
    Action.INCIDENT_TASK_CANCELLED: "task {task} of {partner} is not needed",
    Action.INCIDENT_FOLLOW_UP_DONE: "follow-up {follow_up} is done",
    Action.HOLD_LIFTED: "lifted hold {hold}",
    Action.CASE_OPENED: "a case arrived",
    Action.CASE_REVISED: "a case has newer content",
    Action.CASE_ENRICHED: "signals were read",
    Action.CASE_CLOSED: "closed with {action}",
    Action.CASE_VIEWED: "looked at it",
    Action.GATE_OPENED: "waits for people in {queue}",
    Action.GATE_ANSWERED: "answered {verdict} {action}",
    Action.GATE_DENIED: "an answer was refused: {reason}",
    Action.GATE_DECIDED: "decided: {verdict} {action}",
    Action.GATE_CARRIED_OUT: "carried out: {verdict} {action}",
    Action.GATE_SUPERSEDED: "newer content made the gate pointless",
    Action.GATE_WOKEN: "a run woke without a decision and waits again",
    Action.RUN_ASSIGNED: "the gate has a run",
}


def tell(story: Story, moment: Moment, words: bool) -> str:
    """Say what happened, with what people wrote where ``words`` are wanted."""
    if special := _SPECIAL.get(moment.action):
        return special(story, moment, words)
    sentence = _SENTENCES.get(moment.action)
    if sentence is None:
        return moment.action
    told = {name: _flat(value) for name, value in moment.data.items()}
    return sentence.format_map(_Gaps(told)).strip()


def _flat(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else value


class _Gaps(dict[str, Any]):
    """What an entry of another release does not say stays a gap."""

    def __missing__(self, key: str) -> str:
        return "-"


def _attached(story: Story, moment: Moment, words: bool) -> str:
    return f"attached {ids(moment.data['cases'])}"


def _detached(story: Story, moment: Moment, words: bool) -> str:
    return f"detached {ids(moment.data['cases'])}"


def _note(story: Story, moment: Moment, words: bool) -> str:
    number, corrects = moment.data["note"], moment.data["corrects"]
    head = f"note {number}" + (f", which corrects note {corrects}" if corrects else "")
    texts = {note.number: note.text for note in story.notes}
    return f"{head}: {flat(texts[number])}" if words else head


def _asked(story: Story, moment: Moment, words: bool) -> str:
    number = moment.data["task"]
    head = f"asked {moment.data['partner']} for task {number}"
    texts = {task.number: task.what for task in story.tasks}
    return f"{head}: {flat(texts[number])}" if words else head


def _follow_up(story: Story, moment: Moment, words: bool) -> str:
    number = moment.data["follow_up"]
    head = f"follow-up {number} for {moment.data['owner']}"
    texts = {each.number: each.what for each in story.follow_ups}
    return f"{head}: {flat(texts[number])}" if words else head


def _policy(story: Story, moment: Moment, words: bool) -> str:
    rule, hold = moment.data.get("rule"), moment.data.get("hold")
    by = f"by rule {rule}" if rule else "for no rule decided"
    kept = f"; {hold} kept it from closing" if hold else ""
    return f"the policy said {moment.data['route']}, {by}{kept}"


def _hold(story: Story, moment: Moment, words: bool) -> str:
    scope, value = moment.data["scope"], moment.data["value"]
    over = scope if scope == Scope.SUBJECT else f"{scope} {value}".strip()
    return f"placed hold {moment.data['hold']} over {over}"


def ids(names: Sequence[str]) -> str:
    """Ids as code: the first few, and how many more."""
    if not names:
        return "none"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f"`{each}`" for each in names[:_NAMED]) + more


def flat(text: str) -> str:
    """Text on one line, of which nothing is taken for a tag."""
    return " ".join(text.split()).replace("<", "&lt;")


_SPECIAL: Final[Mapping[str, Callable[[Story, Moment, bool], str]]] = {
    Action.INCIDENT_CASE_ATTACHED: _attached,
    Action.INCIDENT_CASE_DETACHED: _detached,
    Action.INCIDENT_NOTED: _note,
    Action.INCIDENT_TASK_ASKED: _asked,
    Action.INCIDENT_FOLLOW_UP_ADDED: _follow_up,
    Action.HOLD_PLACED: _hold,
    Action.CASE_DECIDED: _policy,
}
