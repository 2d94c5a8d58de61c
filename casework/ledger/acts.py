"""What entries tell, act by act: most tell one act, and some several that were done at once.

Whoever says what happened reads acts, not entries; whoever proves it reads entries.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from casework.ledger.entries import Action, Written

#: The entries that tell of several acts, which one transaction did to one case, in their order.
#: Their data holds each act's own data under its name.
TOGETHER: Final[Mapping[Action, tuple[Action, ...]]] = {
    Action.CASE_COMPLETED: (
        Action.CASE_OPENED,
        Action.CASE_ENRICHED,
        Action.CASE_DECIDED,
        Action.CASE_CLOSED,
    ),
}

#: Acts that come before there is anything to decide upon.
_UNDECIDED: Final = frozenset({Action.CASE_OPENED, Action.CASE_ENRICHED})
_DECIDED_UPON: Final = ("evidence_digest", "policy_digest")


def completed(opened: str, enriched: str, decided: str, closed: str) -> Written:
    """The data of ``case.completed``, from that of its four acts, in canonical JSON."""
    # The names in sorted order, as canonical JSON wants them.
    return Written(
        f'{{"case.closed":{closed},"case.decided":{decided},'
        f'"case.enriched":{enriched},"case.opened":{opened}}}'
    )


def acts(body: str) -> list[dict[str, Any]]:
    """The acts that an entry tells of, each as an entry of its own would tell of it.

    One that has no entry of its own names the one it is from under ``within``.
    """
    entry: dict[str, Any] = orjson.loads(body)
    together = TOGETHER.get(entry["action"])
    if together is None:
        return [entry]
    return [_act(entry, action) for action in together]


def acts_told(action: str) -> tuple[str, ...]:
    """The acts that an entry of an action tells of."""
    together = TOGETHER.get(Action(action))
    return tuple(map(str, together)) if together else (action,)


def telling(action: str) -> list[str]:
    """The actions of those entries that tell of an act, or are it."""
    return [action, *(str(entry) for entry, acts in TOGETHER.items() if action in acts)]


def _act(entry: Mapping[str, Any], action: Action) -> dict[str, Any]:
    left_out: Sequence[str] = _DECIDED_UPON if action in _UNDECIDED else ()
    said = {name: value for name, value in entry.items() if name not in left_out}
    return said | {
        "action": str(action),
        "data": entry["data"][action],
        "within": entry["action"],
    }
