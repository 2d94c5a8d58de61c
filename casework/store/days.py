"""What a person did at their desk since a moment, as the history has it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select, text
from sqlmodel import Session, col

from casework.exposure import Act
from casework.ledger.entries import Action
from casework.policy.model import Bundle
from casework.store.indexes import ATTENDED
from casework.store.lookup import among
from casework.store.policy import stored_bundle
from casework.store.tables import Case, Gate, LedgerEntry

_DECIDED = frozenset({Action.GATE_ANSWERED, Action.QA_ANSWERED})


def acts_of(session: Session, person: str, since: datetime) -> list[Act]:
    """What a person has done since a moment, in order; reveals name their marked category."""
    statement = (
        select(LedgerEntry)
        .where(text(ATTENDED), col(LedgerEntry.actor) == person, col(LedgerEntry.at) >= since)
        .order_by(col(LedgerEntry.at), col(LedgerEntry.id))
    )
    entries = list(session.scalars(statement))
    decided = [each for each in entries if each.action in _DECIDED]
    severities, categories = _decided(session, decided)
    return [_act(each, severities, categories) for each in entries]


def _act(entry: LedgerEntry, severities: Mapping[str, str], categories: Mapping[str, str]) -> Act:
    data: dict[str, Any] = orjson.loads(entry.body)["data"]
    if entry.action == Action.CASE_VIEWED:
        return Act(entry.at, entry.chain, category=data.get("marked") or "", seen=True)
    decides = entry.action in _DECIDED
    return Act(
        entry.at,
        entry.chain,
        decided=decides,
        severity=severities.get(str(data.get("gate")), "") if decides else "",
        category=categories.get(entry.chain, "") if decides else "",
    )


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
