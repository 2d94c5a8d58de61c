"""A plan that learns from its earlier rounds draws where they found errors."""

from datetime import timedelta

from sqlalchemy import Engine
from sqlmodel import select

from casework.ledger.entries import Provenance
from casework.qa.drift import Counted
from casework.qa_answering import answer_qa_gate
from casework.store.engine import reading
from casework.store.qa.reports import experience_of
from casework.store.tables import QaGate, QaItem
from tests.factories.qa import CLOSES, LATER, decided, drawn, qa_bundle, qa_payload, staffed

BY = Provenance("casework:test", "test")


def test_what_rounds_before_found_is_known_by_stratum_and_nothing_of_later_ones(
    engine: Engine,
) -> None:
    staffed(engine)
    decided(engine, machine=3, people=["ana"])
    drawn(engine, "all")
    with reading(engine) as session:
        gates = [(each.id, each.item_id) for each in session.scalars(select(QaGate))]
        items = {item: session.get_one(QaItem, item) for _, item in gates}
    for gate, item in gates:
        answer_qa_gate(engine, gate, "mia", qa_payload(items[item].evidence_digest), now=LATER)
    plan = qa_bundle().qa["all"]
    learning = plan.model_copy(
        update={"allocation": plan.allocation.model_copy(update={"earlier_rounds": 5})}
    )
    otherwise = learning.model_copy(update={"strata": ("decider",)})
    with reading(engine) as session:
        after = experience_of(session, "all", learning, CLOSES + timedelta(days=1))
        settled = [each for each in session.scalars(select(QaItem)) if each.status == "settled"]
        assert experience_of(session, "all", learning, CLOSES) == {}
        assert experience_of(session, "all", otherwise, CLOSES + timedelta(days=1)) == {}
    assert sum(each.n for each in after.values()) == len(settled) > 0
    assert after["person", "general"] == Counted(0, 1)
