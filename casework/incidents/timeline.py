"""What happened in an incident and to its cases, in order, out of the ledger's entries."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of the ledger on an incident's timeline. ``data`` holds ids, no content."""

    at: datetime
    entry: int  # the entry's id: the order in which entries were written
    chain: str  # the incident's id or a case's
    action: str
    actor: str
    actor_kind: str
    data: Mapping[str, Any]


def moment_of(entry: int, body: str) -> Moment:
    """A moment from the canonical body of an entry."""
    told = orjson.loads(body)
    return Moment(
        at=datetime.fromisoformat(told["at"]),
        entry=entry,
        chain=told["chain"],
        action=told["action"],
        actor=told["actor"],
        actor_kind=told["actor_kind"],
        data=told["data"],
    )


def timeline(moments: Iterable[Moment]) -> list[Moment]:
    """Put moments of several chains in order of time, each entry once.

    Within a chain the order is that of its entries, even where a machine's clock went back: an
    entry counts as no earlier than those before it.
    """
    latest: dict[str, datetime] = {}
    placed: dict[int, tuple[datetime, int, Moment]] = {}
    for moment in sorted(moments, key=lambda each: each.entry):
        at = latest[moment.chain] = max(moment.at, latest.get(moment.chain, moment.at))
        placed[moment.entry] = (at, moment.entry, moment)
    return [moment for _, _, moment in sorted(placed.values(), key=lambda each: each[:2])]


def known_moments(moments: Iterable[Moment], hidden: Collection[str]) -> Iterator[Moment]:
    """Leave out what tells of cases that somebody may not know of, and their ids elsewhere."""
    for moment in moments:
        cases = moment.data.get("cases")
        if not isinstance(cases, list) or not set(cases) & set(hidden):
            yield moment
        elif known := [each for each in cases if each not in hidden]:
            yield replace(moment, data={**moment.data, "cases": known})
