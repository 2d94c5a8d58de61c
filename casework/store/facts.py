"""What a policy reads of cases: their fields and the signals of their current revision."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Text, and_, cast, literal, select, tuple_
from sqlmodel import Session, col

from casework.cases import CASE_FIELDS, Reading, Status
from casework.store.lookup import among
from casework.store.tables import Case, SignalReading

#: A place in the walk over the cases of one status: intake and case id.
Place: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a policy reads of one revision of a case, and where each signal came from."""

    case_id: str
    revision: int
    content_digest: str
    row: dict[str, Any]  # case_id, the case fields and every known signal
    readings: list[Reading] = field(default_factory=list)


def enriched_cases(
    session: Session, intake_id: str | None, after: Place | None, limit: int
) -> list[Place]:
    """The next cases that wait for the policy, in the order of their walk."""
    place = (col(Case.intake_id), col(Case.id))
    enriched = literal(Status.ENRICHED.value, literal_execute=True)
    statement = select(*place).where(col(Case.status) == enriched)
    if intake_id is not None:
        statement = statement.where(col(Case.intake_id) == intake_id)
    if after is not None:
        statement = statement.where(tuple_(*place) > tuple_(*map(literal, after)))
    rows = session.execute(statement.order_by(*place).limit(limit))
    return [(intake, case) for intake, case in rows]


def policy_cases(session: Session, after: str, limit: int) -> list[str]:
    """The next cases a policy has or could have decided, by id."""
    statement = (
        select(col(Case.id))
        .where(col(Case.id) > after, col(Case.status) != Status.OPENED)
        .order_by(col(Case.id))
        .limit(limit)
    )
    return list(session.scalars(statement))


def row_for_policy(case: Case, readings: Iterable[SignalReading]) -> dict[str, Any]:
    """What rules may read of a case, of which the readings of its current revision are at hand."""
    row = {name: getattr(case, name) for name in CASE_FIELDS} | {"case_id": case.id}
    for reading in readings:
        row |= reading.known
    return row


def rows_for_policy(session: Session, case_ids: Sequence[str]) -> list[Facts]:
    """Read what rules may read of the current revision of cases, in the order given.

    A case that does not exist is left out.
    """
    names = tuple(CASE_FIELDS)
    columns = [col(getattr(Case, name)) for name in ("id", "content_digest", *names)]
    found: dict[str, Facts] = {}
    for case, content, *values in session.execute(
        select(*columns).where(among(session, col(Case.id), case_ids))
    ):
        row = dict(zip(names, values, strict=True))
        row["case_id"] = case
        found[case] = Facts(case, row["revision"], content, row)
    for case, reading in _readings(session, case_ids):
        if facts := found.get(case):
            facts.readings.append(reading)
            facts.row.update(reading.values)
    for facts in found.values():
        facts.readings.sort(key=attrgetter("provider"))
    return [found[case] for case in case_ids if case in found]


def _readings(session: Session, case_ids: Sequence[str]) -> Iterable[tuple[str, Reading]]:
    """The readings of the current revision, in no order, with the case's id.

    Many cases have the same signals: each different reading is parsed once and shared.
    """
    columns = ("case_id", "provider", "version", "latency_ms", "cached")
    documents = (cast(col(SignalReading.known), Text), cast(col(SignalReading.unknown), Text))
    statement = (
        select(*(col(getattr(SignalReading, name)) for name in columns), *documents)
        .join(
            Case,
            and_(
                col(Case.id) == col(SignalReading.case_id),
                col(Case.revision) == col(SignalReading.revision),
            ),
        )
        .where(among(session, col(SignalReading.case_id), case_ids))
    )
    made: dict[tuple[Any, ...], Reading] = {}
    for case, *rest in session.execute(statement):
        key = tuple(rest)
        if key not in made:
            provider, version, latency, cached, known, unknown = key
            made[key] = Reading(
                provider, version, orjson.loads(known), orjson.loads(unknown), latency, cached
            )
        yield case, made[key]
