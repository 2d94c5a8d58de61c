"""Trying a quarantined row again: as it was, corrected, or under a corrected mapping."""

from collections.abc import Mapping as Mapped
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlmodel import Session

from casework.canonical import digest_bytes
from casework.cases import Item, case_id
from casework.errors import InputError
from casework.ledger.entries import Action, Provenance
from casework.mapping import Mapping, apply
from casework.rows import Layout, parse_csv, parse_json, parse_mail
from casework.store.arrivals import arrived
from casework.store.incoming import Incoming
from casework.store.intake import lock_source, record_arrivals
from casework.store.quarantine import RETRIED, resolve, row_by_id, waiting_row
from casework.store.tables import Quarantined


@dataclass(frozen=True, slots=True)
class Correction:
    """What an operator changes about a row: its bytes, some of its fields, its mapping."""

    raw: bytes | None = None
    fields: Mapped[str, str] | None = None  # top-level field of the row -> its new text
    mapping: Mapping | None = None


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of a retry: ``opened``, ``revised`` or ``duplicates``, and the case."""

    case_id: str
    outcome: str


def retry_row(
    session: Session, identity: str, correction: Correction, by: Provenance, now: datetime
) -> Retried:
    """Read a row again and open its case; the row then waits no more.

    Raises:
        NotFound: there is no such row.
        Conflict: it waits no more.
        RowFault: it still cannot become a case, and why; nothing is changed.
        InputError: only its beginning was kept, so its bytes must be given.
    """
    lock_source(session, row_by_id(session, identity).source)
    row = waiting_row(session, identity)
    mapping = correction.mapping or Mapping.model_validate(row.mapping["mapping"])
    raw = _raw_of(row, correction)
    item = _item_of(row, raw, correction, mapping)
    incoming = Incoming(row.intake_id, row.source, mapping, layout_of(row))
    arrivals = [arrived(incoming.source, row.line, item)]
    counts = record_arrivals(session, incoming, arrivals, by, now)
    row.case_id = case_id(row.source, item.external_id)
    outcome = "opened" if counts.opened else "revised" if counts.revised else "duplicates"
    data = {
        "case": row.case_id,
        "outcome": outcome,
        "mapping": mapping.digest,
        "digest": digest_bytes(raw),
        "corrected": sorted(correction.fields or ()) or correction.raw is not None,
    }
    resolve(session, row, RETRIED, Action.ROW_RETRIED, data, by, now)
    return Retried(row.case_id, outcome)


def changes_of(given: Sequence[str]) -> dict[str, str] | None:
    """Corrections written as ``field=value``; None where there is none.

    Raises:
        InputError: one is not written so.
    """
    pairs = [text.partition("=") for text in given]
    if any(not name or not mark for name, mark, _ in pairs):
        raise InputError("a correction is field=value", hint="for example ticket_id=T-17")
    return {name: value for name, _, value in pairs} or None


def layout_of(row: Quarantined) -> Layout:
    """How the row is written."""
    kept = row.mapping
    return Layout(kept["format"], tuple(kept["columns"]), kept["delimiter"])


def parse(raw: bytes, layout: Layout) -> dict[str, Any]:
    """Read one row, as the reader of its file would.

    Raises:
        RowFault: it cannot be read.
    """
    if layout.format == "mail":
        return parse_mail(raw)
    line = raw.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n")
    return parse_json(line) if layout.format == "jsonl" else dict(parse_csv(line, layout))


def _raw_of(row: Quarantined, correction: Correction) -> bytes:
    if correction.raw is not None:
        return correction.raw
    if row.raw_size > len(row.raw):
        raise InputError(
            f"only the first {len(row.raw):,} of {row.raw_size:,} bytes were kept",
            hint="give the corrected row with --data FILE",
        )
    return row.raw


def _item_of(row: Quarantined, raw: bytes, correction: Correction, mapping: Mapping) -> Item:
    record = parse(raw, layout_of(row))
    for name, text in (correction.fields or {}).items():
        record[name] = _value_of(text, row.mapping["format"])
    return apply(mapping, record)


def _value_of(text: str, format: str) -> Any:
    """In a row of JSON a value may be written as JSON; anything else is a text."""
    if format != "jsonl":
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
