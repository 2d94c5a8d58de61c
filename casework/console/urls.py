"""Every URL of the console, built in one place."""

from typing import Final
from urllib.parse import quote, urlencode

HOME: Final = "/"
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"
NEXT: Final = "/next"
FIND: Final = "/find"
LEADS: Final = "/leads"
CLOCKS: Final = "/leads/clocks"
EFFECTS: Final = "/leads/effects"
RETRY: Final = "/leads/effects/retry"
QUARANTINE: Final = "/leads/quarantine"
INCIDENTS: Final = "/leads/incidents"
POLICY: Final = "/leads/policy"
CANDIDATES: Final = "/leads/policy/candidates"
PLANS: Final = "/leads/plans"
QA: Final = "/qa"
AUDIT: Final = "/audit"
API: Final = "/api/v1"
TOKENS: Final = "/tokens"
VERIFY: Final = "/audit/verify"


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


def assign_in(queue: str) -> str:
    """Where a lead gives gates of a queue to a person."""
    return f"/queues/{quote(queue, safe='')}/assign"


def further(path: str, **asked: str | int) -> str:
    """A page of a list, with what was asked of it; what is empty is left out."""
    given = {name: value for name, value in asked.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def incident(incident_id: str) -> str:
    """An incident."""
    return f"{INCIDENTS}/{quote(incident_id, safe='')}"


def candidate(name: str, verb: str = "") -> str:
    """A policy bundle beside the one in force, or what is done with it."""
    return f"{CANDIDATES}/{quote(name, safe='')}{'/' + verb if verb else ''}"


def plan(name: str, verb: str = "") -> str:
    """A plan of quality assurance, or what is done with it."""
    return f"{PLANS}/{quote(name, safe='')}{'/' + verb if verb else ''}"


def review(gate: str) -> str:
    """A decision that is looked at again."""
    return f"{QA}/{quote(gate, safe='')}"


def review_answer(gate: str) -> str:
    """Where an answer of a re-review goes."""
    return f"{review(gate)}/answer"


def revoke_token(token: str) -> str:
    """Where a token is ended."""
    return f"{TOKENS}/{quote(token, safe='')}/revoke"


def export(case_id: str) -> str:
    """A case's sealed history, with its proofs, as a file."""
    return f"{AUDIT}/cases/{quote(case_id, safe='')}/export"


def static(name: str) -> str:
    """A file that the console serves as it is."""
    return f"/static/{name}"


def recuse(case_id: str) -> str:
    """Where somebody gives up re-reviewing a case."""
    return f"{case(case_id)}/recuse"
