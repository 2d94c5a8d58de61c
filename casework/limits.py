"""What limits somebody's answers beside role and queue: ended access and paused rights. Pure."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum


class Withheld(StrEnum):
    """What the guard refuses to somebody whose rights are paused."""

    ALONE = "alone"  # to decide with no second person
    MACROS = "macros"  # an action that sends a prepared text


def access_over(person: str, until: datetime | None, ended: bool, now: datetime | None) -> str:
    """Why somebody's access is over; empty if it is not, or if there is no time to hold it to."""
    if not ended and (until is None or now is None or now < until):
        return ""
    when = f"on {until:%Y-%m-%d %H:%M} UTC" if until else "before"
    return f"the access of {person} ended {when}; ask a lead"


def paused(person: str, withheld: Collection[str], alone: bool, macro_of: str | None) -> str:
    """Why an answer is refused to somebody with paused rights; empty if it is not.

    ``alone``: it would decide with no second person; ``macro_of``: its action, if that sends one.
    """
    if alone and Withheld.ALONE in withheld:
        return f"the right of {person} to decide alone is paused: escalate, or leave it to others"
    if macro_of and Withheld.MACROS in withheld:
        return f"the right of {person} to answer with a macro is paused: {macro_of} sends one"
    return ""
