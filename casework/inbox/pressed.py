"""What whoever has pressed a button is told: who decided what, or why it was refused. Pure.

A message whose matter is over loses its buttons for all. A refusal that is about the person is told
to that person alone: somebody else may still press.
"""

from dataclasses import dataclass
from typing import Any, Final

from casework.denials import Denial, Refused
from casework.gates import Accepted
from casework.inbox.slack import Click

#: Refusals after which nobody can answer with this message.
_OVER: Final = frozenset({Denial.SUPERSEDED, Denial.DECIDED, Denial.STALE_EVIDENCE})


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to a press: what it is about, what is said, and whether it replaces the message."""

    url: str  # where the vendor takes it; whoever knows it can write there
    about: tuple[str, ...]  # severity, queue and case
    what: str
    replaces: bool


def said_of(
    click: Click, ruling: Accepted | Refused, about: tuple[str, ...], actor: str
) -> Said | None:
    """The answer to a press; None where the vendor has not said where it takes one."""
    if not click.response_url:
        return None
    what, replaces = _ruled(click.answer, ruling, actor)
    return Said(click.response_url, about, what, replaces)


def _ruled(answer: dict[str, Any], ruling: Accepted | Refused, actor: str) -> tuple[str, bool]:
    if isinstance(ruling, Refused):
        return f"your answer was refused: {ruling.message}", ruling.reason in _OVER
    done = " ".join(str(answer[name]) for name in ("verdict", "action") if answer[name])
    if ruling.missing:
        return f"counts: {done} by {actor}; {ruling.missing} more must approve the same", False
    return f"has been decided: {done} by {actor}", True
