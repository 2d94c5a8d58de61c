"""What a person did at their desk and was shown since a moment, as the history has it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import ColumnElement, TextClause, func, select, text
from sqlmodel import Session, col

from casework.exposure import Act, Sight
from casework.ledger.entries import Action
from casework.policy.model import Bundle
from casework.store.indexes import ATTENDED
from casework.store.lookup import among
from casework.store.policy import stored_bundle
from casework.store.tables import Case, Gate, LedgerEntry
from casework.store.types import UtcDateTime

_DECIDED: Final = frozenset({Action.GATE_ANSWERED, Action.QA_ANSWERED})
_IN_ORDER: Final = (col(LedgerEntry.at), col(LedgerEntry.id))


def acts_of(session: Session, person: str, since: datetime) -> list[Act]:
    """What a person has done since a moment, in order."""
    statement = select(LedgerEntry).where(*_by(person, since)).order_by(*_IN_ORDER)
    entries = list(session.scalars(statement))
    decided = [each for each in entries if each.action in _DECIDED]
    severities, categories = _decided(session, decided)
    return [_act(each, severities, categories) for each in entries]


def sights_of(session: Session, person: str, since: datetime) -> list[Sight]:
    """What content of marked categories a person was shown since a moment, in order."""
    following = func.lead(col(LedgerEntry.at), type_=UtcDateTime()).over(order_by=_IN_ORDER)
    columns = (LedgerEntry.chain, LedgerEntry.at, LedgerEntry.action, LedgerEntry.body)
    done = select(*map(col, columns), following.label("until")).where(*_by(person, since))
    each = done.subquery().c
    statement = (
        select(each.chain, each.at, each.until)
        .where(each.action == Action.CASE_VIEWED, each.body.contains('"marked":"'))
        .order_by(each.at)
    )
    return [Sight(*row) for row in session.execute(statement)]


def _by(person: str, since: datetime) -> tuple[ColumnElement[bool] | TextClause, ...]:
    return text(ATTENDED), col(LedgerEntry.actor) == person, col(LedgerEntry.at) >= since


def _act(entry: LedgerEntry, severities: Mapping[str, str], categories: Mapping[str, str]) -> Act:
    if entry.action not in _DECIDED:
        return Act(entry.at, entry.chain)
    gate = str(orjson.loads(entry.body)["data"].get("gate"))
    severity, category = severities.get(gate, ""), categories.get(entry.chain, "")
    return Act(entry.at, entry.chain, decided=True, severity=severity, category=category)


def _decided(
    session: Session, entries: Sequence[LedgerEntry]
) -> tuple[dict[str, str], dict[str, str]]:
    """The severity of each gate that was answered, and the marked category of each case."""
    names = sorted({entry.chain for entry in entries})
    if not names:
        return {}, {}
    gates = session.scalars(select(Gate).where(among(session, col(Gate.case_id), names)))
    bundles: dict[str, Bundle] = {}
    categories = {}
    for case in session.scalars(select(Case).where(among(session, col(Case.id), names))):
        digest = case.policy_digest
        if digest is None:
            continue
        bundle = bundles.setdefault(digest, stored_bundle(session, digest))
        if marked := bundle.marked(case.rule_id):
            categories[case.id] = marked
    return {gate.id: gate.severity for gate in gates}, categories
