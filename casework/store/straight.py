"""Straight through: cases opened, enriched and decided in the transaction that reads them in.

Where every provider is at hand, nothing has to be waited for between the stages. What they would
write one after another is written at once, in the same rows and the same entries, made by the same
functions; only the order is another one. Cases that are not new take the stages.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, Protocol

from sqlmodel import Session

from casework.behind import Behind
from casework.cases import Evidence, Item, Reading
from casework.holds import Closing, Holds
from casework.ledger.acts import told_together
from casework.ledger.entries import Draft, Provenance, chain_all
from casework.policy.evaluate import decide, frame
from casework.policy.model import Bundle
from casework.signals import completed
from casework.store.arrivals import (
    CASE,
    Arrival,
    Change,
    arrival_drafts,
    case_rows,
    case_shared,
    sources,
    write_contents,
)
from casework.store.bulk import insert_rows, stored_time
from casework.store.clocks import open_clocks
from casework.store.consequences import cause_closings
from casework.store.holds import held_rulings, holds_in_force, note_held
from casework.store.incoming import Incoming
from casework.store.ledger import begin_chains
from casework.store.outcomes import (
    DECISION,
    GATE,
    STANDING,
    Decided,
    Ruling,
    decided,
    decided_drafts,
    decision_rows,
    gate_rows,
    opened_gates,
    ruling_of,
)
from casework.store.signals import enriched_drafts, insert_readings

_CASE: Final = (*CASE, *STANDING[1:], "closed_at")

_FIELDS: Final = ("kind", "channel", "language", "country")
_fields_of: Final = attrgetter(*_FIELDS)


def do_nothing() -> None:
    """Do nothing, where nobody waits for the moment of writing."""


class Ahead(Protocol):
    """A provider that needs the evidence alone, and so can be asked before the transaction."""

    name: str
    version: str

    @property
    def signals(self) -> Sequence[str]:
        """Names of the signals it gives."""

    def read_now(self, evidence: Sequence[Evidence]) -> Sequence[Reading]:
        """Read the signals of a batch."""


class Within(Protocol):
    """A provider that reads the store, and is asked in the transaction that opens the cases."""

    name: str
    version: str

    @property
    def signals(self) -> Sequence[str]:
        """Names of the signals it gives."""

    def read_within(self, session: Session, evidence: Sequence[Evidence]) -> Sequence[Reading]:
        """Read the signals of a batch of cases that are not in the store yet."""


@dataclass(frozen=True, slots=True)
class StraightThrough:
    """The policy in force and all its providers, where none needs the network."""

    bundle: Bundle
    ahead: Sequence[Ahead] = ()
    within: Sequence[Within] = ()


def read_ahead(
    through: StraightThrough, source: str, arrivals: Sequence[Arrival], now: datetime
) -> None:
    """Have the providers that do not read the store look at a batch of items."""
    evidence = [_evidence(source, each, now) for each in arrivals]
    for arrival, seen in zip(arrivals, evidence, strict=True):
        arrival.evidence = seen
    said = [
        completed(each.read_now(evidence), each.name, each.version, each.signals)
        for each in through.ahead
    ]
    for arrival, readings in zip(arrivals, zip(*said, strict=True), strict=bool(said)):
        arrival.readings = readings


def part(changes: Sequence[Change]) -> tuple[list[Change], list[Change]]:
    """Tell the new cases that come once in a batch from those that it also revises."""
    times = Counter(arrival.case_id for arrival, _, _ in changes)
    once = [change for change in changes if times[change[0].case_id] == 1]
    more = [change for change in changes if times[change[0].case_id] > 1]
    return once, more


def write_straight(
    session: Session,
    incoming: Incoming,
    through: StraightThrough,
    changes: Sequence[Change],
    by: Provenance,
    now: datetime,
    writing: Callable[[], None] = do_nothing,
) -> None:
    """Insert new cases as the policy leaves them, with their readings, decisions and entries.

    ``writing`` is called when all is made and the database alone has work to do.
    """
    # Neighbours in an index are written together.
    changes = sorted(changes, key=lambda change: change[0].case_id)
    holds = holds_in_force(session, through.bundle)
    evidence = [arrival.evidence for arrival, _, _ in changes if arrival.evidence]
    said = _said(session, through, changes, evidence)
    # From here on the session is the other thread's, until it is done.
    with Behind() as later:
        later(write_contents, session, incoming, changes, now)
        later(insert_readings, session, evidence, said, now)
        made = _decide(session, incoming, through, holds, changes, said, by, now)
        later(insert_rows, session, "decisions", DECISION, decision_rows(made))
        later(insert_rows, session, "gates", GATE, gate_rows(made))
        later(open_clocks, session, through.bundle, opened_gates(made), now)
        later(_insert_cases, session, incoming, changes, made, now)
        if holds:
            later(note_held, session, made, now)
        drafts = _drafts(arrival_drafts(incoming, changes), enriched_drafts(evidence, said), made)
        later(begin_chains, session, chain_all(drafts, {}, by, now), by, now)
        later(cause_closings, session, through.bundle, made, by, now)
        writing()


def _evidence(source: str, arrival: Arrival, now: datetime) -> Evidence:
    item = arrival.item
    return Evidence(
        arrival.case_id,
        1,
        source,
        arrival.digest,
        item.received_at or now,
        item.title,
        item.body,
        item.kind,
        item.channel,
        item.language,
        item.country,
        item.subject_id,
        item.reporter_id,
        item.attributes,
    )


def _said(
    session: Session,
    through: StraightThrough,
    changes: Sequence[Change],
    evidence: Sequence[Evidence],
) -> list[Sequence[Reading]]:
    """What each provider says, in the order of the cases."""
    ahead = zip(*(arrival.readings for arrival, _, _ in changes), strict=True)
    said: list[Sequence[Reading]] = list(ahead)
    for each in through.within:
        readings = each.read_within(session, evidence)
        said.append(completed(readings, each.name, each.version, each.signals))
    return said


def _decide(
    session: Session,
    incoming: Incoming,
    through: StraightThrough,
    holds: Holds,
    changes: Sequence[Change],
    said: Sequence[Sequence[Reading]],
    by: Provenance,
    now: datetime,
) -> list[Decided]:
    """Put the policy to the cases; those that are alike to it are decided together."""
    alike: dict[tuple[Any, ...], int] = {}
    kinds: list[tuple[Item, list[Reading]]] = []
    numbers = []
    said_of, source_says = list(zip(*said, strict=True)), sources(incoming)
    for i, (arrival, _, _) in enumerate(changes):
        item = arrival.item
        readings = said_of[i] if said_of else ()
        own = source_says(item)
        key = (*map(id, readings), repr(own) if own else "", *_fields_of(item))
        number = alike.get(key)
        if number is None:
            number = alike[key] = len(kinds)
            given = [*readings, own] if own else list(readings)
            kinds.append((item, sorted(given, key=attrgetter("provider"))))
        numbers.append(number)
    rulings = _rulings(session, incoming.source, through.bundle, kinds, by, now)
    chosen = [rulings[number] for number in numbers]
    if holds:
        cases = zip(numbers, _closings(incoming.source, changes), strict=True)
        at, policy = stored_time(session, now), through.bundle.digest
        chosen = held_rulings(
            holds, cases, rulings, lambda n, held: ruling_of(held, kinds[n][1], policy, by, at)
        )
    return [
        decided(ruling, arrival.case_id, 1, arrival.digest)
        for ruling, (arrival, _, _) in zip(chosen, changes, strict=True)
    ]


def _closings(source: str, changes: Sequence[Change]) -> Iterator[Closing]:
    """What holds look at of new cases."""
    for arrival, _, _ in changes:
        yield Closing(arrival.case_id, source, arrival.item.subject_id)


def _rulings(
    session: Session,
    source: str,
    bundle: Bundle,
    kinds: Sequence[tuple[Item, list[Reading]]],
    by: Provenance,
    now: datetime,
) -> list[Ruling]:
    rows = []
    for number, (item, readings) in enumerate(kinds):
        row: dict[str, Any] = dict(zip(_FIELDS, _fields_of(item), strict=True))
        row |= {"source": source, "revision": 1, "case_id": str(number)}
        for reading in readings:
            row.update(reading.values)
        rows.append(row)
    outcomes, at = decide(bundle, frame(bundle, rows)), stored_time(session, now)
    return [
        ruling_of(outcome, readings, bundle.digest, by, at)
        for outcome, (_, readings) in zip(outcomes, kinds, strict=True)
    ]


def _drafts(
    opened: Sequence[Draft], enriched: Sequence[Draft], made: Sequence[Decided]
) -> list[Draft]:
    """One entry for a case that is closed already; one for each act where people come to it."""
    drafts: list[Draft] = []
    for first, second, each in zip(opened, enriched, made, strict=True):
        acts = (first, second, *decided_drafts(each))
        if each.ruling.closes:
            drafts.append(told_together(*acts))
        else:
            drafts += acts
    return drafts


def _insert_cases(
    session: Session,
    incoming: Incoming,
    changes: Sequence[Change],
    made: Sequence[Decided],
    now: datetime,
) -> None:
    make = case_rows(session, now)
    rows = [
        make(arrival, 1, str(ruling.standing[0])) + ruling.standing[1:] + ruling.closed_at
        for (arrival, _, _), (*_, ruling) in zip(changes, made, strict=True)
    ]
    insert_rows(session, "cases", _CASE, rows, shared=case_shared(session, incoming, now))
