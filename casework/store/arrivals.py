"""Writing what intake found out: new cases, new revisions, and what a revision puts an end to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeAlias

import orjson
from sqlalchemy import bindparam, select, update
from sqlmodel import Session, col

from casework.canonical import canonical
from casework.cases import Evidence, Item, Reading, Status, case_id
from casework.gates import GateStatus
from casework.intake import Outcome
from casework.ledger.entries import Action, Draft, Written
from casework.store.bulk import insert_rows, stored_time, stored_times
from casework.store.clocks import cancel_clocks
from casework.store.incoming import Incoming
from casework.store.lookup import among
from casework.store.tables import Case, Gate

#: Who gives the signals that come with a row.
SOURCE: Final = "source"

#: Why a signal that the mapping reads is unknown.
ABSENT: Final = "absent in the source"

_TAKEN: Final = ("kind", "channel", "language", "country", "subject_id", "reporter_id")
_taken_of: Final = attrgetter(*_TAKEN)
CASE: Final = (
    "id",
    "external_id",
    "revision",
    "status",
    "content_digest",
    *_TAKEN,
    "received_at",
)
_REVISION: Final = (
    "case_id",
    "revision",
    "content",
    "content_digest",
)
_READING: Final = (
    "case_id",
    "revision",
    "provider",
    "version",
    "known",
    "unknown",
    "cached",
)


@dataclass(slots=True)
class Arrival:
    """An item on its way into the store, with its content written once.

    ``evidence`` is what providers were shown ahead of the store, and ``readings`` what they said.
    """

    line: int
    item: Item
    case_id: str
    content: bytes
    digest: str
    evidence: Evidence | None = None
    readings: tuple[Reading, ...] = ()


#: What an arrival does to its case, and the revision that it makes.
Change: TypeAlias = tuple[Arrival, Outcome, int]


class Revised(NamedTuple):
    """What newer content of some cases leaves to be written and told, and the gates it ended."""

    drafts: list[Draft]
    superseded: Sequence[Gate]


def arrived(source: str, line: int, item: Item) -> Arrival:
    """Write an item's content and name its case."""
    content = canonical(item.content())
    identity = case_id(source, item.external_id)
    return Arrival(line, item, identity, content, sha256(content).hexdigest())


def write_opened(
    session: Session, incoming: Incoming, changes: Sequence[Change], now: datetime
) -> list[Draft]:
    """Insert cases that are new, in the last of the revisions a batch brings of each."""
    newest = {arrival.case_id: (arrival, revision) for arrival, _, revision in changes}
    make = case_rows(session, now)
    rows = [make(arrival, revision, "opened") for arrival, revision in newest.values()]
    insert_rows(session, "cases", CASE, rows, shared=case_shared(session, incoming, now))
    write_contents(session, incoming, changes, now)
    return arrival_drafts(incoming, changes)


def case_shared(session: Session, incoming: Incoming, now: datetime) -> dict[str, Any]:
    """The columns that all new cases of one writing have in common."""
    at = stored_time(session, now)
    intake, source = incoming.intake_id, incoming.source
    return {"source": source, "intake_id": intake, "opened_at": at, "updated_at": at}


def case_rows(session: Session, now: datetime) -> Callable[[Arrival, int, str], tuple[Any, ...]]:
    """The function that makes a row of CASE of an arrival, its revision and a status."""
    at, stored = stored_time(session, now), stored_times(session)

    def make(arrival: Arrival, revision: int, status: str) -> tuple[Any, ...]:
        item = arrival.item
        return (
            arrival.case_id,
            item.external_id,
            revision,
            status,
            arrival.digest,
            *_taken_of(item),
            at if item.received_at is None else stored(item.received_at),
        )

    return make


def write_revised(
    session: Session,
    incoming: Incoming,
    changes: Sequence[Change],
    cases: Mapping[str, Any],
    now: datetime,
) -> Revised:
    """Give known cases newer content: they begin anew, and their gates are superseded."""
    if not changes:
        return Revised([], [])
    write_contents(session, incoming, changes, now)
    newest = {arrival.case_id: (arrival, revision) for arrival, _, revision in changes}
    table = Case.__table__  # type: ignore[attr-defined]
    values = [_begun_anew(incoming, *newest[case], cases[case].received_at, now) for case in newest]
    names = [name for name in values[0] if name != "case"]
    session.connection().execute(
        update(table)
        .where(table.c.id == bindparam("case"))
        .values({n: bindparam(n) for n in names}),
        values,
    )
    drafts = arrival_drafts(incoming, changes)
    revisions = {case: revision for case, (_, revision) in newest.items()}
    superseded, told = _supersede_gates(session, revisions, now)
    return Revised(drafts + told, superseded)


def write_contents(
    session: Session, incoming: Incoming, changes: Sequence[Change], now: datetime
) -> None:
    """Insert revisions, and what the source itself says about each."""
    at = stored_time(session, now)
    contents = [(a.case_id, revision, a.content.decode(), a.digest) for a, _, revision in changes]
    shared = {"intake_id": incoming.intake_id, "recorded_at": at}
    insert_rows(session, "case_revisions", _REVISION, contents, shared=shared)
    said = sources(incoming)
    readings = []
    for each, _, revision in changes:
        if reading := said(each.item):
            known = orjson.dumps(reading.values).decode()
            missing = orjson.dumps(reading.unknown).decode()
            row = (each.case_id, revision, SOURCE, reading.version, known, missing, False)
            readings.append(row)
    insert_rows(session, "signal_readings", _READING, readings, shared={"read_at": at})


def sources(incoming: Incoming) -> Callable[[Item], Reading | None]:
    """The function that says what the source itself tells of an item; None where nothing."""
    declared, version = incoming.mapping.signals.keys(), incoming.mapping.digest

    def said(item: Item) -> Reading | None:
        signals = item.signals
        if not signals and not declared:
            return None
        unknown = {name: ABSENT for name in declared if name not in signals}
        return Reading(SOURCE, version, signals, unknown)

    return said


def _begun_anew(
    incoming: Incoming, arrival: Arrival, revision: int, received: datetime, now: datetime
) -> dict[str, Any]:
    """The columns of a case whose content is new: opened again, with no decision in force."""
    item = arrival.item
    return {
        "case": arrival.case_id,
        "revision": revision,
        "status": Status.OPENED.value,
        "content_digest": arrival.digest,
        "intake_id": incoming.intake_id,
        "received_at": item.received_at or received,
        "updated_at": now,
        "closed_at": None,
        **{name: getattr(item, name) for name in _TAKEN},
        **dict.fromkeys(("route", "severity", "queue", "action", "rule_id", "policy_digest")),
    }


def _supersede_gates(
    session: Session, revisions: Mapping[str, int], now: datetime
) -> tuple[Sequence[Gate], list[Draft]]:
    """Close gates that wait, or are decided and not carried out: they were about older content.

    Their runs are not touched: each reads the store when it wakes, and the reconciler wakes it.
    """
    statement = (
        select(Gate)
        .where(
            among(session, col(Gate.case_id), revisions),
            col(Gate.status).in_([GateStatus.OPEN.value, GateStatus.DECIDED.value]),
        )
        .order_by(col(Gate.id))
        .with_for_update()
    )
    drafts = []
    gates = session.scalars(statement).all()
    for gate in gates:
        data = {"gate": gate.id, "was": gate.status, "by_revision": revisions[gate.case_id]}
        gate.status = GateStatus.SUPERSEDED.value
        session.add(gate)
        draft = Draft(gate.case_id, Action.GATE_SUPERSEDED, data, revision=gate.revision)
        drafts.append(draft)
    session.flush()
    cancel_clocks(session, [gate.id for gate in gates], now)
    return gates, drafts


def arrival_drafts(incoming: Incoming, changes: Sequence[Change]) -> list[Draft]:
    """The entries of new cases and of newer content."""
    drafts = []
    told = arrival_data(incoming, changes)
    for (arrival, outcome, revision), data in zip(changes, told, strict=True):
        action = Action.CASE_OPENED if outcome is Outcome.OPENED else Action.CASE_REVISED
        drafts.append(Draft(arrival.case_id, action, Written(data), revision))
    return drafts


def arrival_data(incoming: Incoming, changes: Sequence[Change]) -> list[str]:
    """What the entries of new cases and of newer content tell, in canonical JSON."""
    # In its parts: the digest is the first member, the line the third.
    intake, source = canonical(incoming.intake_id).decode(), canonical(incoming.source).decode()
    before, after = f'","intake":{intake},"line":', f',"source":{source}}}'
    return [
        f'{{"content":"{arrival.digest}{before}{arrival.line}{after}' for arrival, _, _ in changes
    ]
