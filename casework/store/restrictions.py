"""Need to know: cases that named people alone may know of, and what others are not shown."""

import re
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, delete, exists, select
from sqlmodel import Session, col

from casework.canonical import digest
from casework.denials import Denial
from casework.errors import Denied, InputError, NotFound
from casework.gates import ActorKind, Role
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.cases import find_case
from casework.store.ledger import append
from casework.store.people import answering
from casework.store.tables import Case, CaseGrant, CaseRestriction, LedgerEntry, Person

#: A case's id, as entries of other chains name it.
_CASE_ID: Final = re.compile(r"\bc[0-9a-f]{20}\b")


def kept_from(person: str | None) -> Select[tuple[str]]:
    """The ids of cases that somebody may not know of; None: those that not everybody may."""
    restricted = select(col(CaseRestriction.case_id))
    if person is None:
        return restricted
    let_in = exists().where(
        col(CaseGrant.case_id) == col(CaseRestriction.case_id), col(CaseGrant.person) == person
    )
    return restricted.where(~let_in)


def known_to(column: Any, person: str | None) -> ColumnElement[bool]:
    """Whether the case that a column names is one that somebody may know of."""
    found: ColumnElement[bool] = column.not_in(kept_from(person))
    return found


def known_in_words(column: str, person: str) -> str:
    """The same as ``known_to`` for SQL that is written out; ``person`` names its parameter."""
    return (
        f"{column} NOT IN (SELECT r.case_id FROM case_restrictions r WHERE NOT EXISTS "
        f"(SELECT 1 FROM case_grants k WHERE k.case_id = r.case_id AND k.person = :{person}))"
    )


def mentions_kept(session: Session, person: str, entries: Iterable[LedgerEntry]) -> set[str]:
    """The digests of those entries that name a case of which somebody may not know."""
    kept = set(session.scalars(kept_from(person)))
    return {each.digest for each in entries if not kept.isdisjoint(_CASE_ID.findall(each.body))}


def is_hidden(session: Session, case_id: str, person: str | None) -> bool:
    """Whether somebody may not know of a case; from None, who is not held to it, none is hidden."""
    if person is None:
        return False
    hidden = kept_from(person).where(col(CaseRestriction.case_id) == case_id)
    return session.scalar(hidden) is not None


def check_known(session: Session, case_id: str, gate: str, person: str) -> None:
    """Refuse in the same words as where there is no such gate.

    Raises:
        NotFound: its case is not one that this person may know of.
    """
    if is_hidden(session, case_id, person):
        raise NotFound(f"there is no gate {gate}", hint="casework approvals list")


def let_in(session: Session, case_id: str) -> list[str] | None:
    """Who may know of a case, by id; None where it is not restricted."""
    if session.get(CaseRestriction, case_id) is None:
        return None
    statement = select(col(CaseGrant.person)).where(col(CaseGrant.case_id) == case_id)
    return sorted(session.scalars(statement))


def alias_of(session: Session, case_id: str) -> str | None:
    """What stands for a case where others may read; None where it is not restricted."""
    found = session.get(CaseRestriction, case_id)
    return None if found is None else found.alias


def case_of_alias(session: Session, alias: str) -> str | None:
    """The restricted case for which an alias stands; None for none."""
    statement = select(col(CaseRestriction.case_id)).where(col(CaseRestriction.alias) == alias)
    return session.scalar(statement)


def restrict(
    session: Session,
    reference: str,
    people: Iterable[str],
    reason: str,
    by: Provenance,
    now: datetime,
    *,
    operating: bool = False,
) -> list[str]:
    """Let named people alone know of a case, and nobody else from now on; a lead is among them.

    Whoever is ``operating`` the store need not be one, and is not let in.

    Returns:
        Who may know of it now, by id.

    Raises:
        NotFound: there is no such case, or no such person, or they may not know of it.
        Denied: only a lead may.
        InputError: it names no reason, or nobody.
    """
    case = _permitted(session, reference, by, operating)
    chosen = {*people} if operating else {*people, by.actor}
    if len(reason.strip()) < 3:
        raise InputError("a case is restricted for a reason", hint='--reason "..."')
    if not chosen:
        raise InputError("a case is restricted to somebody", hint="--to ID, which may be repeated")
    _check_people(session, chosen)
    _set(session, case, chosen, reason, "by hand", by, now)
    return sorted(chosen)


def unrestrict(
    session: Session, reference: str, by: Provenance, now: datetime, *, operating: bool = False
) -> bool:
    """Let everybody know of a case again who may otherwise; False where all may already.

    Raises:
        NotFound: there is no such case, or they may not know of it.
        Denied: only a lead may.
    """
    case = _permitted(session, reference, by, operating)
    if (before := let_in(session, case.id)) is None:
        return False
    session.execute(delete(CaseGrant).where(col(CaseGrant.case_id) == case.id))
    session.execute(delete(CaseRestriction).where(col(CaseRestriction.case_id) == case.id))
    append(session, [Draft(case.id, Action.CASE_UNRESTRICTED, {"withdrawn": before})], by, now)
    return True


def restrict_more(
    session: Session,
    case: Case,
    people: Collection[str],
    because: str,
    by: Provenance,
    now: datetime,
) -> None:
    """Restrict a case because the policy says so, or let its people in beside those who are."""
    before = let_in(session, case.id)
    if before is None or not set(people) <= set(before):
        _set(session, case, {*people, *(before or ())}, because, because, by, now)


def _set(
    session: Session,
    case: Case,
    chosen: Collection[str],
    reason: str,
    because: str,
    by: Provenance,
    now: datetime,
) -> None:
    before = let_in(session, case.id)
    if before is None:
        session.add(
            CaseRestriction(
                case_id=case.id,
                alias=f"r{secrets.token_hex(10)}",
                reason=reason,
                restricted_by=by.actor,
                restricted_at=now,
            )
        )
    granted = sorted({*chosen} - {*(before or ())})
    withdrawn = sorted({*(before or ())} - {*chosen})
    gone = col(CaseGrant.case_id) == case.id, col(CaseGrant.person).in_(withdrawn)
    session.execute(delete(CaseGrant).where(*gone))
    for person in granted:
        session.add(CaseGrant(case_id=case.id, person=person, granted_by=by.actor, granted_at=now))
    session.flush()
    data = {
        "granted": granted,
        "withdrawn": withdrawn,
        "because": because,
        "reason_digest": digest(reason),
    }
    append(session, [Draft(case.id, Action.CASE_RESTRICTED, data, case.revision)], by, now)


def _permitted(session: Session, reference: str, by: Provenance, operating: bool) -> Case:
    """The case, held, which who asks may know of and lead."""
    case = session.get_one(Case, find_case(session, reference).id, with_for_update=True)
    if operating:
        return case
    if is_hidden(session, case.id, by.actor):
        raise NotFound(f"there is no case {reference}", hint="casework cases list")
    person = answering(session, by.actor, ActorKind.PERSON)
    if person is None or not person.active or Role.LEAD not in person.roles:
        raise Denied("only a lead restricts cases", reason=str(Denial.ROLE))
    if person.bounded_by is not None:
        raise Denied("who may know of a case is not a vendor's to say", reason=str(Denial.ROLE))
    return case


def _check_people(session: Session, people: Collection[str]) -> None:
    for person in sorted(people):
        if session.get(Person, person) is None:
            raise NotFound(f"there is no person {person}", hint="casework people list")
