"""Reading cases, with everything that belongs to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from casework.cases import case_id
from casework.errors import NotFound
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.ledger import append
from casework.store.policy import stored_bundle
from casework.store.tables import Case, CaseRevision, Decision, Gate, SignalReading


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case and all that is kept of its newest revision, with its decisions and gates."""

    case: Case
    content: Mapping[str, Any]
    readings: Sequence[SignalReading]
    decisions: Sequence[Decision]
    gates: Sequence[Gate]


def list_cases(
    session: Session,
    *,
    status: str | None = None,
    queue: str | None = None,
    source: str | None = None,
    severity: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[Case]:
    """Cases that match all of the filters given, the most severe first, then the oldest."""
    statement = select(Case)
    for column, value in (
        (Case.status, status),
        (Case.queue, queue),
        (Case.source, source),
        (Case.severity, severity),
    ):
        if value is not None:
            statement = statement.where(col(column) == value)
    order = (col(Case.severity), col(Case.received_at), col(Case.id))
    return list(session.scalars(statement.order_by(*order).limit(limit).offset(offset)))


def find_case(session: Session, reference: str) -> Case:
    """A case by its id, or by ``source:external id``.

    Raises:
        NotFound: there is no such case.
    """
    found = session.get(Case, reference)
    if found is None and ":" in reference:
        found = session.get(Case, case_id(*reference.split(":", 1)))
    if found is None:
        raise NotFound(f"there is no case {reference}", hint="casework cases list")
    return found


def case_file(session: Session, reference: str) -> CaseFile:
    """Everything about one case.

    Raises:
        NotFound: there is no such case.
    """
    case = find_case(session, reference)
    revision = session.get_one(CaseRevision, (case.id, case.revision))

    def rows(table: Any, *order: Any) -> list[Any]:
        return list(session.scalars(select(table).where(table.case_id == case.id).order_by(*order)))

    readings = rows(SignalReading, col(SignalReading.provider))
    return CaseFile(
        case=case,
        content=revision.content,
        readings=[reading for reading in readings if reading.revision == case.revision],
        decisions=rows(Decision, col(Decision.decided_at)),
        gates=rows(Gate, col(Gate.revision), col(Gate.step)),
    )


def note_case_view(session: Session, case: Case, by: Provenance, now: datetime) -> None:
    """Record that somebody looked at what a case says, and of which marked category it is."""
    draft = Draft(case.id, Action.CASE_VIEWED, marked_data(session, case), case.revision)
    append(session, [draft], by, now)


def marked_data(session: Session, case: Case) -> dict[str, str]:
    """What an entry says of content that is covered at first; nothing of any other."""
    digest = case.policy_digest
    marked = stored_bundle(session, digest).marked(case.rule_id) if digest else None
    return {"marked": marked} if marked else {}


def count_by(
    session: Session, *columns: str, unless: Select[tuple[str]] | None = None
) -> list[dict[str, Any]]:
    """How many cases there are by some of their columns; ``unless`` selects cases left out."""
    chosen = [getattr(Case, name) for name in columns]
    statement = select(*chosen, func.count()).group_by(*chosen).order_by(*chosen)
    if unless is not None:
        statement = statement.where(col(Case.id).not_in(unless))
    rows = session.execute(statement)
    return [dict(zip((*columns, "cases"), row, strict=True)) for row in rows]
