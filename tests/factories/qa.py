"""Decisions taken by the machine and by people, and a bundle with plans to look at them again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine
from sqlmodel import select

from casework.answering import answer_gate
from casework.ledger.entries import Provenance
from casework.policy.bundle import bundle_from_files
from casework.policy.evaluate import decide, frame
from casework.policy.model import Bundle
from casework.store.carrying import carry_out
from casework.store.decisions import record_outcomes
from casework.store.engine import reading, transaction
from casework.store.facts import rows_for_policy
from casework.store.gates import gate_by_id, waiting_gates
from casework.store.people import add_person
from casework.store.policy import adopt_bundle
from casework.store.qa.drawing import draw_round
from casework.store.tables import Case, QaRound
from casework.store.vendors import add_vendor
from tests.factories.enriched import enriched_case
from tests.factories.policy import FILES

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CLOSES = datetime(2026, 3, 3, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
BY = Provenance(actor="casework:test", code_version="test")

PLANS = """\
all:
  title: Everything
  window_days: 1
  strata: [decider, queue]
  allocation: {size: 6}
  expected_error: 0.1
  reviewers: [qa]
  adjudicators: [senior]
machine:
  title: The machine alone
  window_days: 1
  deciders: [machine]
  allocation: {size: 3}
  reviewers: [qa]
  adjudicators: [senior]
twice:
  title: Two see each
  window_days: 1
  deciders: [person]
  allocation: {size: 2}
  overlap: {reviewers: 2, share: 1.0}
  golden: 0.5
  reviewers: [qa]
  adjudicators: [senior]
"""

#: ana and ben decide; mia, max and moe review; sam adjudicates.
PEOPLE = {
    "ana": (["analyst"], "acme"),
    "ben": (["analyst"], None),
    "mia": (["qa"], None),
    "max": (["qa"], None),
    "moe": (["qa"], None),
    "sam": (["senior"], None),
}


@lru_cache(maxsize=1)
def qa_bundle() -> Bundle:
    """The small bundle with three plans."""
    return bundle_from_files({**FILES, "qa.yaml": PLANS})


def staffed(engine: Engine) -> None:
    """Add everybody in ``PEOPLE``, ten days ago."""
    with transaction(engine) as session:
        add_vendor(session, "acme", by=BY, now=NOW - timedelta(days=10))
        for person, (roles, vendor) in PEOPLE.items():
            add_person(
                session,
                person,
                name=person,
                roles=roles,
                queues=["*"],
                by=BY,
                now=NOW - timedelta(days=10),
                vendor=vendor,
            )


def decided(
    engine: Engine,
    *,
    machine: int = 0,
    handed: int = 0,
    people: Sequence[str] = (),
    action: str = "suspend",
    bundle: Bundle | None = None,
) -> list[str]:
    """Cases the machine closed, those it handed over, then one for each of ``people``.

    People decide with ``action``.

    Returns the ids of the cases.
    """
    spam = [enriched_case(engine, f"M-{n}", _signals(spam=True)) for n in range(machine)]
    asked = [enriched_case(engine, f"P-{n}", _signals(spam=False)) for n in range(len(people))]
    threats = [
        enriched_case(engine, f"H-{n}", _signals(spam=False, threat=True)) for n in range(handed)
    ]
    bundle = bundle or qa_bundle()
    with transaction(engine) as session:
        adopt_bundle(session, bundle, BY, NOW)
        facts = rows_for_policy(session, [*spam, *threats, *asked])
        outcomes = decide(bundle, frame(bundle, [each.row for each in facts]))
        record_outcomes(session, bundle, facts, outcomes, BY, NOW)
    with reading(engine) as session:
        gates = {row["case_id"]: row["id"] for row in waiting_gates(session, limit=1000)}
    for case, person in zip(asked, people, strict=True):
        answer_at(engine, gates[case], person, action)
    return [*spam, *threats, *asked]


def mark_cases(engine: Engine) -> None:
    """Say of every case that a rule of a marked category brought it where it stands."""
    rules = FILES["rules.yaml"].replace("A threat.}", "A threat., category: conduct}")
    categories = FILES["categories.yaml"].replace("civil.}}", "civil.}, covered: true}")
    marked = {**FILES, "qa.yaml": PLANS, "rules.yaml": rules, "categories.yaml": categories}
    bundle = bundle_from_files(marked)
    with transaction(engine) as session:
        adopt_bundle(session, bundle, BY, NOW)
        for case in session.scalars(select(Case)):
            case.rule_id, case.policy_digest = "threat", bundle.digest


def answer_at(engine: Engine, gate: str, person: str, action: str | None) -> None:
    """Decide at a gate as somebody, and carry it out."""
    with reading(engine) as session:
        evidence = gate_by_id(session, gate).evidence_digest
    answer_gate(engine, gate, person, qa_payload(evidence, action=action), now=NOW)
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)


def qa_payload(evidence: str, **fields: Any) -> dict[str, Any]:
    """An answer's fields: approving to suspend, unless told otherwise."""
    return {
        "verdict": "approve",
        "action": "suspend",
        "rationale": "because of the test",
        "evidence_digest": evidence,
        **fields,
    }


def drawn(engine: Engine, plan: str, bundle: Bundle | None = None, **more: Any) -> QaRound:
    """A round of a plan over the day of the tests."""
    found = draw_round(engine, bundle or qa_bundle(), plan, CLOSES, BY, LATER, **more)
    assert found is not None
    return found


def _signals(*, spam: bool, threat: bool = False) -> dict[str, dict[str, Any]]:
    return {"patterns": {"spam": spam}, "source": {"threat": threat}}
