"""Keeping what was decided from whoever may still be asked to look at it again, blind."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.denials import Denial
from casework.errors import Conflict, Denied
from casework.gates import ActorKind
from casework.incidents.story import Story
from casework.ledger.entries import Action, Draft, Provenance
from casework.qa.reviews import GateKind
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.people import answering
from casework.store.qa.gates import may_review
from casework.store.tables import QaGate, QaRecusal


def hidden_from(session: Session, person: str | None, cases: Collection[str]) -> frozenset[str]:
    """Of some cases those whose decisions somebody must not see: they may have to review them.

    Of whom nothing is known, ``None`` or an account that is nobody's, may be anyone: every case
    under review is hidden from them.
    """
    if not cases:
        return frozenset()
    statement = select(col(QaGate.case_id)).where(
        col(QaGate.status) == "open",
        col(QaGate.kind) == GateKind.REVIEW,
        among(session, col(QaGate.case_id), cases),
    )
    under_review = frozenset(session.scalars(statement.distinct()))
    known = answering(session, person, ActorKind.PERSON) if person and under_review else None
    if known is None:
        return under_review
    return frozenset(session.scalars(statement.where(*may_review(session, known)).distinct()))


def hidden_in_story(session: Session, person: str | None, story: Story) -> frozenset[str]:
    """Of the cases of an incident's story those whose decisions somebody must not see."""
    return hidden_from(session, person, {*story.cases, *(each.chain for each in story.moments)})


def check_sighted(session: Session, person: str | None, case: str) -> None:
    """Refuse to show what was decided about a case to somebody who may have to review it.

    Raises:
        Denied: they may, or nobody knows who they are.
    """
    if not hidden_from(session, person, [case]):
        return
    hint = f"answer it first, casework qa queue; or give it up: casework qa recuse {case}"
    if person is None or answering(session, person, ActorKind.PERSON) is None:
        hint = "say who you are: --as ID, or CASEWORK_ACTOR"
    raise Denied(
        f"{case} is under blind re-review: what was decided is kept from who may review it",
        reason=str(Denial.BLIND),
        hint=hint,
    )


def recuse(session: Session, case: str, by: Provenance, now: datetime) -> None:
    """Take somebody off the re-reviews of a case, for good, so that they may see it.

    Raises:
        Conflict: they have none of it to answer.
    """
    known = answering(session, by.actor, ActorKind.PERSON)
    if known is None or not hidden_from(session, by.actor, [case]):
        raise Conflict(
            f"{by.actor} has no open re-review of {case}", hint="casework qa queue lists them"
        )
    session.add(QaRecusal(case_id=case, person=by.actor, at=now))
    append(session, [Draft(case, Action.QA_RECUSED)], by, now)
