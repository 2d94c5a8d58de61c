"""Playbooks as questions: a tree or a checklist, and how far its answers lead. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: How a tick of a checklist is kept.
DONE: Final = "done"


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer to a step: where it leads, and what it speaks for."""

    id: str
    title: str
    next: str | None = None  # the step after it; None: the playbook ends here
    action: str | None = None  # suggested, never taken by itself
    escalate_to: str | None = None  # the queue that it suggests instead


@dataclass(frozen=True, slots=True)
class Step:
    """A question of a playbook, or a tick of a checklist."""

    id: str
    ask: str
    help: str
    required: bool
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Playbook:
    """Steps by id; the first is where it begins. There is no way round in a circle."""

    id: str
    steps: Mapping[str, Step]


@dataclass(frozen=True, slots=True)
class Asked:
    """A step that comes up, and what was answered if anything was."""

    step: Step
    chosen: Choice | None


@dataclass(frozen=True, slots=True)
class Walk:
    """The way that answers take through a playbook."""

    asked: Sequence[Asked]
    missing: Sequence[Step]  # required, come up and not answered
    suggestion: Choice | None  # the last answer on the way that speaks for something


def walk(playbook: Playbook, answers: Mapping[str, str]) -> Walk:
    """Follow the answers, by step, from the first step on.

    A step that nobody has answered is passed where all its answers lead to the same one, as those
    of a checklist do. Answers to steps off the way count for nothing.
    """
    asked: list[Asked] = []
    missing: list[Step] = []
    suggestion = None
    here = next(iter(playbook.steps), None)
    while here is not None:
        step = playbook.steps[here]
        chosen = choice_of(step, answers.get(here, ""))
        asked.append(Asked(step, chosen))
        if chosen is None and step.required:
            missing.append(step)
        if chosen is not None and (chosen.action or chosen.escalate_to):
            suggestion = chosen
        ways = {each.next for each in ([chosen] if chosen else step.choices)}
        here = ways.pop() if len(ways) == 1 else None
    return Walk(asked, missing, suggestion)


def choice_of(step: Step, answer: str) -> Choice | None:
    """The choice of a step that an answer names."""
    return next((each for each in step.choices if each.id == answer), None)
