"""Every URL of the console, built in one place."""

from typing import Final
from urllib.parse import quote, urlencode

HOME: Final = "/"
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"
SINGLE: Final = "/single-sign-on"
SINGLE_BEGIN: Final = "/single-sign-on/begin"
SINGLE_BACK: Final = "/single-sign-on/back"
SINGLE_OUT: Final = "/single-sign-on/out"
SIGNED_OUT: Final = "/sign-in?out=1"
DAY: Final = "/day"
PREFERENCES: Final = "/day/preferences"
EVENTS: Final = "/events"
HERE: Final = "/still-here"
NEXT: Final = "/next"
FIND: Final = "/find"
LEADS: Final = "/leads"
CLOCKS: Final = "/leads/clocks"
CLOCKS_ASSIGN: Final = "/leads/clocks/assign"
EFFECTS: Final = "/leads/effects"
RETRY: Final = "/leads/effects/retry"
QUARANTINE: Final = "/leads/quarantine"
INCIDENTS: Final = "/leads/incidents"
POLICY: Final = "/leads/policy"
VENDORS: Final = "/leads/vendors"
AGREEMENT: Final = "/leads/agreement"
RIGHTS: Final = "/leads/rights"
HEALTH: Final = "/leads/health"
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
    return _below("/cases", case_id)


def reveal(case_id: str) -> str:
    """The same case with its content shown, where that is covered at first."""
    return f"{case(case_id)}/reveal"


def undo(case_id: str) -> str:
    """Where what was done about a closed case is undone."""
    return f"{case(case_id)}/reverse"


def story(case_id: str) -> str:
    """A case's whole story on one page that prints."""
    return f"{case(case_id)}/story"


def restriction(case_id: str, verb: str) -> str:
    """Where a lead restricts a case, or lifts that."""
    return f"{case(case_id)}/{verb}"


def answer(gate: str) -> str:
    """Where an answer at a gate goes."""
    return _below("/gates", gate, "answer")


def gate(gate: str, verb: str) -> str:
    """Where what somebody does about who has a gate goes: claim, renew, release and so on."""
    return _below("/gates", gate, verb)


def assign_in(queue: str) -> str:
    """Where a lead gives gates of a queue to a person."""
    return _below("/queues", queue, "assign")


def further(path: str, **asked: str | int) -> str:
    """A page of a list, with what was asked of it; what is empty is left out."""
    given = {name: value for name, value in asked.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def incident(incident_id: str) -> str:
    """An incident."""
    return _below(INCIDENTS, incident_id)


def quarantined(row: str, verb: str) -> str:
    """Where a lead retries or discards a row that could not become a case."""
    return _below(QUARANTINE, row, verb)


def health_chart(name: str) -> str:
    """A chart of the health page."""
    return f"{HEALTH}/{quote(name, safe='')}.svg"


def candidate(name: str, verb: str = "") -> str:
    """A policy bundle beside the one in force, or what is done with it."""
    return _below(CANDIDATES, name, verb)


def plan(name: str, verb: str = "") -> str:
    """A plan of quality assurance, or what is done with it."""
    return _below(PLANS, name, verb)


def review(gate: str) -> str:
    """A decision that is looked at again."""
    return _below(QA, gate)


def reveal_review(gate: str) -> str:
    """The same re-review with its content shown, where that is covered at first."""
    return f"{review(gate)}/reveal"


def review_answer(gate: str) -> str:
    """Where an answer of a re-review goes."""
    return f"{review(gate)}/answer"


def revoke_token(token: str) -> str:
    """Where a token is ended."""
    return _below(TOKENS, token, "revoke")


def export(case_id: str) -> str:
    """A case's sealed history, with its proofs, as a file."""
    return _below(f"{AUDIT}/cases", case_id, "export")


def static(name: str) -> str:
    """A file that the console serves as it is."""
    return f"/static/{name}"


def recuse(case_id: str) -> str:
    """Where somebody gives up re-reviewing a case."""
    return f"{case(case_id)}/recuse"


def right(right_id: str) -> str:
    """Where a ruling on a right that is in question goes."""
    return _below(RIGHTS, right_id)


def _below(root: str, name: str, verb: str = "") -> str:
    """What a name of anybody's making is called under a root, or what is done with it."""
    return "/".join([root, quote(name, safe=""), *([verb] if verb else [])])
