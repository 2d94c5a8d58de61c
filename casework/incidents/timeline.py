"""What happened in an incident and to its cases, in order, out of the ledger's entries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.ledger.acts import acts


@dataclass(frozen=True, slots=True)
class Moment:
    """One act that the ledger tells of, on an incident's timeline. ``data`` holds no content."""

    at: datetime
    entry: int  # the id of its entry: the order in which entries were written
    chain: str  # the incident's id or a case's
    action: str
    actor: str
    actor_kind: str
    data: Mapping[str, Any]


def moments_of(entry: int, body: str) -> list[Moment]:
    """The moments of which an entry tells, from its canonical body."""
    return [
        Moment(
            at=datetime.fromisoformat(told["at"]),
            entry=entry,
            chain=told["chain"],
            action=told["action"],
            actor=told["actor"],
            actor_kind=told["actor_kind"],
            data=told["data"],
        )
        for told in acts(body)
    ]


def timeline(moments: Iterable[Moment]) -> list[Moment]:
    """Put moments of several chains in order of time, each once.

    Within a chain the order is that of its entries, even where a machine's clock went back: an
    entry counts as no earlier than those before it.
    """
    latest: dict[str, datetime] = {}
    placed: dict[tuple[int, str], tuple[datetime, int, Moment]] = {}
    for moment in sorted(moments, key=lambda each: each.entry):
        at = latest[moment.chain] = max(moment.at, latest.get(moment.chain, moment.at))
        placed[moment.entry, moment.action] = (at, moment.entry, moment)
    return [moment for _, _, moment in sorted(placed.values(), key=lambda each: each[:2])]
