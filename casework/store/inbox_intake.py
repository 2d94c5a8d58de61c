"""Reports in the inbox become cases, by the ordinary way in: once, revised, or quarantined."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from casework.canonical import digest
from casework.errors import RowFault
from casework.inbox.meaning import why_ignored
from casework.inbox.sources import Source, matters
from casework.ledger.entries import Provenance
from casework.mapping import identity, maker
from casework.mapping.apply import Make
from casework.rows import BadRow, parse_json, refused
from casework.store.arrivals import Arrival, arrived
from casework.store.inbox import Handled, note_handled
from casework.store.incoming import Incoming
from casework.store.intake import finish_intake, record_batch, start_intake
from casework.store.quarantine import row_id
from casework.store.tables import InboxMessage


def take_in(
    session: Session,
    source: Source,
    messages: Sequence[InboxMessage],
    by: Provenance,
    now: datetime,
) -> list[Handled]:
    """Open and revise the cases of some messages of one source, in their order.

    They make up one intake, which is begun and ended here. The caller holds the messages.

    Raises:
        Conflict: the messages have been taken in by an intake that stands.
    """
    mapping = source.mapping or identity()
    arrivals: list[Arrival] = []
    faults: list[BadRow] = []
    make = maker(mapping)
    results = [_read(source, make, message, arrivals, faults) for message in messages]
    if arrivals or faults:
        incoming = Incoming(_intake_id(messages), source.id, mapping)
        start_intake(session, incoming, f"inbox {source.id}", by, now)
        record_batch(session, incoming, arrivals, faults, by, now)
        finish_intake(session, incoming.intake_id, by, now)
    note_handled(session, list(zip(messages, results, strict=True)), by, now)
    return results


def _read(
    source: Source,
    make: Make,
    message: InboxMessage,
    arrivals: list[Arrival],
    faults: list[BadRow],
) -> Handled:
    """Make an arrival or a bad row of a message; its number stands for the line of a file."""
    number = message.number or 0
    try:
        record = parse_json(message.body)
        if why := why_ignored(source.vendor, message.headers, matters(source, record)):
            return Handled("ignored", why)
        arrival = arrived(source.id, number, make(record))
    except RowFault as fault:
        faults.append(refused(number, message.body, fault))
        row = row_id(source.id, number, message.digest)
        return Handled("quarantined", fault.reason, reference=row)
    arrivals.append(arrival)
    return Handled("taken_in", case_id=arrival.case_id)


def _intake_id(messages: Sequence[InboxMessage]) -> str:
    """Derived, so that the same messages make up the same intake."""
    return "i" + digest([message.id for message in messages])[:16]
