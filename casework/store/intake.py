"""Intake in the store: what a source delivers becomes cases, revisions and quarantined rows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text, update
from sqlmodel import Session, col

from casework.cases import Status
from casework.errors import Conflict, NotFound
from casework.intake import Counts, Known, Outcome, settle
from casework.ledger.entries import Action, Draft, Provenance
from casework.rows import BadRow
from casework.store.arrivals import Arrival, Change, write_opened, write_revised
from casework.store.engine import is_sqlite
from casework.store.incoming import Incoming
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.paging import resolve
from casework.store.quarantine import keep_rows
from casework.store.straight import StraightThrough, do_nothing, part, write_straight
from casework.store.tables import Case, CaseRevision, Intake

#: Advisory locks of intake, apart from those of other writers (PostgreSQL).
_LOCKS: Final = 0x696E

_UNFINISHED: Final = frozenset({Status.OPENED, Status.ENRICHED})


def start_intake(
    session: Session, incoming: Incoming, name: str, by: Provenance, now: datetime
) -> Intake:
    """Begin an intake, or take up again one that was stopped: its counts say how far it came.

    One that had failed is running again.

    Raises:
        Conflict: it was begun with another source or mapping.
    """
    mapping_digest = incoming.mapping.digest
    found = session.get(Intake, incoming.intake_id, with_for_update=True)
    if found is not None:
        if (found.source, found.mapping_digest) != (incoming.source, mapping_digest):
            raise Conflict(
                f"intake {found.id} was begun with another source or mapping",
                hint="begin a new intake: cases are opened once however often they are read",
            )
        return _resumed(session, found, by, now)
    intake = Intake(
        id=incoming.intake_id,
        source=incoming.source,
        name=name,
        mapping_digest=mapping_digest,
        status="running",
        started_at=now,
    )
    session.add(intake)
    session.flush()
    data = {"source": incoming.source, "name": name, "mapping": mapping_digest}
    append(session, [Draft(intake.id, Action.INTAKE_STARTED, data)], by, now)
    return intake


def finish_intake(session: Session, intake_id: str, by: Provenance, now: datetime) -> Intake:
    """Mark an intake as read to its end; safe to repeat.

    Raises:
        NotFound: there is no such intake.
    """
    intake = _held(session, intake_id)
    if intake.status == "finished":
        return intake
    intake.status, intake.finished_at = "finished", now
    session.add(intake)
    data = counts_of(intake).as_dict()
    append(session, [Draft(intake.id, Action.INTAKE_FINISHED, data)], by, now)
    return intake


def fail_intake(session: Session, intake_id: str, why: str, by: Provenance, now: datetime) -> None:
    """Mark an intake as failed, unless it has ended by now; ``why`` is the code of an error.

    Raises:
        NotFound: there is no such intake.
    """
    intake = _held(session, intake_id)
    if intake.status != "running":
        return
    intake.status = "failed"
    session.add(intake)
    data = {"error": why, "received": intake.received}
    append(session, [Draft(intake.id, Action.INTAKE_FAILED, data)], by, now)


def counts_of(intake: Intake) -> Counts:
    """How many rows an intake has read so far, and what became of them."""
    return Counts(
        received=intake.received,
        opened=intake.opened,
        duplicates=intake.duplicates,
        revised=intake.revised,
        quarantined=intake.quarantined,
    )


def record_batch(
    session: Session,
    incoming: Incoming,
    arrivals: Sequence[Arrival],
    faults: Sequence[BadRow],
    by: Provenance,
    now: datetime,
    *,
    after: int | None = None,
    through: StraightThrough | None = None,
    writing: Callable[[], None] = do_nothing,
) -> Counts:
    """Record a batch of rows: items in the order of the file, and bad rows.

    ``after`` is the number of rows recorded before this batch; a batch that comes twice, or from
    two readers of one intake, is refused. Batches of one source follow one another (they share a
    lock), so two intakes of the same file open each case once.

    Raises:
        NotFound: the intake was not started.
        Conflict: it has been finished, or somebody else has recorded rows of it.
    """
    lock_source(session, incoming.source)
    intake = _held(session, incoming.intake_id)
    if intake.status == "finished" or after not in (None, intake.received):
        raise Conflict(f"intake {intake.id} is being read by somebody else")
    recorded = record_arrivals(session, incoming, arrivals, by, now, through, writing)
    repeated = keep_rows(session, incoming, faults, by, now)
    counts = recorded + Counts(
        received=len(faults), duplicates=repeated, quarantined=len(faults) - repeated
    )
    _count(session, intake.id, counts)
    return counts


def record_arrivals(
    session: Session,
    incoming: Incoming,
    arrivals: Sequence[Arrival],
    by: Provenance,
    now: datetime,
    through: StraightThrough | None = None,
    writing: Callable[[], None] = do_nothing,
) -> Counts:
    """Open and revise the cases of items; the caller holds ``lock_source``.

    With ``through`` the cases that are new, in one revision, are decided here and now; ``writing``
    is called before they are written.
    """
    if not arrivals:
        return Counts()
    cases = _cases(session, {arrival.case_id for arrival in arrivals})
    known = _known(session, cases, arrivals)
    outcomes = settle(((each.case_id, each.digest) for each in arrivals), known)
    changes: list[Change] = [
        (arrival, outcome, revision)
        for arrival, (outcome, revision) in zip(arrivals, outcomes, strict=True)
        if outcome is not Outcome.DUPLICATE
    ]
    new = [change for change in changes if change[0].case_id not in cases]
    revised = [change for change in changes if change[0].case_id in cases]
    straight, new = part(new) if through else ([], new)
    drafts = write_opened(session, incoming, new, now)
    anew = write_revised(session, incoming, revised, cases, now)
    drafts += anew.drafts
    drafts += _adopt(session, incoming, cases, {change[0].case_id for change in revised})
    append(session, drafts, by, now)
    resolve(session, anew.superseded, by, now)
    if through and straight:
        write_straight(session, incoming, through, straight, by, now, writing)
    number = dict.fromkeys(Outcome, 0)
    for outcome, _ in outcomes:
        number[outcome] += 1
    return Counts(received=len(arrivals), **{outcome.value: n for outcome, n in number.items()})


def lock_source(session: Session, source: str) -> None:
    """Keep other intakes of a source waiting until the transaction ends."""
    if not is_sqlite(session):
        statement = text("SELECT pg_advisory_xact_lock(:locks, hashtext(:source))")
        session.execute(statement, {"locks": _LOCKS, "source": source})


def _resumed(session: Session, intake: Intake, by: Provenance, now: datetime) -> Intake:
    if intake.status == "failed":
        intake.status = "running"
        session.add(intake)
        data = {"received": intake.received}
        append(session, [Draft(intake.id, Action.INTAKE_RESUMED, data)], by, now)
    return intake


def _held(session: Session, intake_id: str) -> Intake:
    found = session.get(Intake, intake_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(f"intake {intake_id} was not started")
    return found


def _cases(session: Session, ids: set[str]) -> dict[str, Any]:
    """Those cases that exist, locked, in one order for all writers."""
    columns = (Case.id, Case.revision, Case.status, Case.content_digest, Case.intake_id)
    statement = (
        select(*(col(column) for column in (*columns, Case.received_at)))
        .where(among(session, col(Case.id), ids))
        .order_by(col(Case.id))
        .with_for_update()
    )
    return {row.id: row for row in session.execute(statement)}


def _known(
    session: Session, cases: dict[str, Any], arrivals: Sequence[Arrival]
) -> dict[str, Known]:
    """What is known of the cases; earlier contents are read where the newest is another one."""
    known = {case: Known(row.revision, {row.content_digest}) for case, row in cases.items()}
    differing = {
        arrival.case_id
        for arrival in arrivals
        if (row := cases.get(arrival.case_id))
        and row.content_digest != arrival.digest
        and row.revision > 1
    }
    if differing:
        statement = select(col(CaseRevision.case_id), col(CaseRevision.content_digest)).where(
            among(session, col(CaseRevision.case_id), differing)
        )
        for case, content in session.execute(statement):
            known[case].contents.add(content)
    return known


def _adopt(
    session: Session, incoming: Incoming, cases: dict[str, Any], revised: set[str]
) -> list[Draft]:
    """Take over cases that an earlier intake opened and was stopped before deciding."""
    left = {
        case: row.intake_id
        for case, row in cases.items()
        if row.status in _UNFINISHED and row.intake_id != incoming.intake_id and case not in revised
    }
    if not left:
        return []
    session.execute(
        update(Case)
        .where(among(session, col(Case.id), left))
        .values(intake_id=incoming.intake_id)
        .execution_options(synchronize_session=False)
    )
    data = {"cases": len(left), "from": sorted(set(left.values()))}
    return [Draft(incoming.intake_id, Action.INTAKE_ADOPTED, data)]


def _count(session: Session, intake_id: str, counts: Counts) -> None:
    session.execute(
        update(Intake)
        .where(col(Intake.id) == intake_id)
        .values({name: getattr(Intake, name) + number for name, number in counts.as_dict().items()})
        .execution_options(synchronize_session=False)
    )
