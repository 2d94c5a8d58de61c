"""What playbooks/*.yaml may hold: a tree of questions by id, or a list of things to tick."""

from pydantic import Field

from casework.policy.entry import Entry, Id, Prose


class ChoiceEntry(Entry):
    """An answer to a step of a tree."""

    title: Prose
    next: str | None = None
    action: str | None = None
    escalate_to: str | None = None


class StepEntry(Entry):
    """A step of a tree, by id; the first is where it begins."""

    ask: Prose
    help: Prose | None = None
    required: bool = Field(False, strict=True)
    answers: dict[Id, ChoiceEntry] = Field(min_length=1)


class TickEntry(Entry):
    """An item of a checklist, in order."""

    id: Id
    ask: Prose
    help: Prose | None = None
    required: bool = Field(False, strict=True)
