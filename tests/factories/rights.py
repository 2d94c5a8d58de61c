"""People who have answered known items, rightly and wrongly, and a bundle that minds."""

from datetime import datetime

from sqlalchemy import Engine

from casework.canonical import digest
from casework.policy.bundle import bundle_from_files
from casework.policy.model import Bundle
from casework.store.engine import transaction
from casework.store.policy import adopt_bundle
from casework.store.tables import QaGate, QaItem, QaRound
from tests.factories.policy import FILES
from tests.factories.qa import BY, CLOSES, NOW, PLANS, qa_bundle

RIGHTS = """\
known:
  title: Known answers missed
  measure: golden
  below: 0.85
  least: 20
  window_days: 30
  denies: [alone]
  training: {items: 4, right: 0.75}
own:
  title: Decisions that did not stand
  measure: qa
  below: 0.85
  least: 20
  denies: [macros]
"""


def minding_bundle() -> Bundle:
    """The small bundle with plans and thresholds."""
    return bundle_from_files({**FILES, "qa.yaml": PLANS, "rights.yaml": RIGHTS})


def answered_known(
    engine: Engine, person: str, right: int, wrong: int, at: datetime, kind: str = "sample"
) -> None:
    """Known items that somebody has answered in a round, so many rightly, so many not."""
    name = "r" + digest([person, kind, str(at)])[:15]
    with transaction(engine) as session:
        adopt_bundle(session, qa_bundle(), BY, NOW)
        session.add(_round(name, kind, at))
        for number in range(right + wrong):
            item = _item(name, number, "casework:test")
            item.golden = True
            session.add_all([item, _gate(item, person, "suspend" if number < right else "ban", at)])


def decided_wrongly(
    engine: Engine, person: str, right: int, wrong: int, at: datetime, drawn: float = 1.0
) -> None:
    """A settled round of somebody's decisions, so many right, so many not, of more in all."""
    name = "r" + digest([person, "own", str(at)])[:15]
    with transaction(engine) as session:
        adopt_bundle(session, qa_bundle(), BY, NOW)
        found = _round(name, "sample", at)
        found.strata = [
            {"stratum": {"queue": "general"}, "population": round((right + wrong) / drawn)}
        ]
        session.add(found)
        for number in range(right + wrong):
            item = _item(name, number, person)
            item.stratum, item.status, item.settled_at = ["general"], "settled", at
            item.error = "false_positive" if number >= right else None
            session.add(item)


def _round(name: str, kind: str, at: datetime) -> QaRound:
    plan, digests = qa_bundle().qa["all"], ("plan", "policy", "population", "sample")
    return QaRound(
        id=name,
        kind=kind,
        plan="all",
        seed=name,
        opens=at,
        closes=at,
        **{f"{each}_digest": qa_bundle().digest for each in digests},
        population=0,
        sampled=0,
        strata=[],
        document=plan.document(),
        drawn_by="casework:test",
        drawn_at=CLOSES,
    )


def _item(round_id: str, number: int, actor: str) -> QaItem:
    return QaItem(
        id=digest([round_id, number])[:32],
        round_id=round_id,
        decision_id=f"{round_id}-{number}",
        case_id=f"c{number}",
        revision=1,
        stratum=[],
        queue="general",
        origin="general",
        evidence_digest="e" * 64,
        policy_digest=qa_bundle().digest,
        actor=actor,
        actor_kind="person",
        verdict="approve",
        action="suspend",
        status="settled",
    )


def _gate(item: QaItem, person: str, action: str, at: datetime) -> QaGate:
    return QaGate(
        id="q" + item.id[:23],
        item_id=item.id,
        round_id=item.round_id,
        case_id=item.case_id,
        kind="review",
        queue="general",
        status="answered",
        opened_at=at,
        answered_by=person,
        answered_at=at,
        verdict="approve",
        action=action,
    )
