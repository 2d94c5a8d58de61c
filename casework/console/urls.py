"""Every URL of the console, built in one place."""

from typing import Final
from urllib.parse import quote, urlencode

HOME: Final = "/"
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"
NEXT: Final = "/next"
FIND: Final = "/find"


def link(secret: str) -> str:
    """The page of a one-time link."""
    return f"/sign-in/{quote(secret, safe='')}"


def queue(name: str, after: str = "") -> str:
    """A queue, from its beginning or after a gate."""
    more = f"?{urlencode({'after': after})}" if after else ""
    return f"/queues/{quote(name, safe='')}{more}"


def case(case_id: str) -> str:
    """A case."""
    return f"/cases/{quote(case_id, safe='')}"


def reveal(case_id: str) -> str:
    """The same case with its content shown, where that is covered at first."""
    return f"{case(case_id)}/reveal"


def story(case_id: str) -> str:
    """A case's whole story on one page that prints."""
    return f"{case(case_id)}/story"


def answer(gate: str) -> str:
    """Where an answer at a gate goes."""
    return f"/gates/{quote(gate, safe='')}/answer"


def gate(gate: str, verb: str) -> str:
    """Where what somebody does about who has a gate goes: claim, renew, release and so on."""
    return f"/gates/{quote(gate, safe='')}/{verb}"


def static(name: str) -> str:
    """A file that the console serves as it is."""
    return f"/static/{name}"
