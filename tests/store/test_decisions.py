"""Recording what a policy decided: once, in one transaction, with its history."""

from collections import Counter
from datetime import datetime

import orjson
import pytest
from sqlalchemy import Engine, select
from sqlmodel import col

from casework.cases import Reading
from casework.evidence import evidence_digest
from casework.ledger.entries import Provenance
from casework.policy.evaluate import decide, frame
from casework.policy.model import Bundle
from casework.store.decisions import counts_by_route, record_outcomes
from casework.store.engine import reading, transaction
from casework.store.facts import Facts, enriched_cases, policy_cases, rows_for_policy
from casework.store.ledger import entries_of
from casework.store.tables import Case, Decision, Gate
from tests.factories.enriched import enriched_case, reading_of
from tests.factories.policy import small_bundle

SPAM = {"patterns": {"spam": True}, "source": {"threat": False}}
THREAT = {"patterns": {"spam": False}, "source": {"threat": True}}
UNSURE = {"patterns": {"spam": True}}


@pytest.fixture
def bundle() -> Bundle:
    return small_bundle()


def facts_of(engine: Engine, *cases: str) -> list[Facts]:
    with reading(engine) as session:
        return rows_for_policy(session, cases)


def record(
    engine: Engine, bundle: Bundle, facts: list[Facts], by: Provenance, now: datetime
) -> Counter[tuple[str, str | None, str | None]]:
    outcomes = decide(bundle, frame(bundle, [each.row for each in facts]))
    with transaction(engine) as session:
        return record_outcomes(session, bundle, facts, outcomes, by, now)


def case_of(engine: Engine, case: str) -> Case:
    with reading(engine) as session:
        return session.get_one(Case, case)


def history(engine: Engine, case: str) -> list[str]:
    with reading(engine) as session:
        return [entry.action for entry in entries_of(session, case)]


def test_a_row_has_the_fields_and_every_signal_of_the_current_revision(engine: Engine) -> None:
    case = enriched_case(engine, "T-1", SPAM, revision=2, kind="report", language="en")
    with transaction(engine) as session:
        session.add(reading_of(case, 1, "patterns", {"spam": False, "old": True}))
    [facts] = facts_of(engine, case)
    assert facts.row == {
        "case_id": case,
        "source": "test",
        "kind": "report",
        "channel": None,
        "language": "en",
        "country": None,
        "revision": 2,
        "spam": True,
        "threat": False,
    }
    assert [each.provider for each in facts.readings] == ["patterns", "source"]


def test_rows_come_in_the_order_asked_for_without_those_that_do_not_exist(engine: Engine) -> None:
    one, two = enriched_case(engine, "T-1", SPAM), enriched_case(engine, "T-2", THREAT)
    found = facts_of(engine, two, "cnone", one)
    assert [facts.case_id for facts in found] == [two, one]


def test_a_close_ends_the_case_and_a_person_gets_a_gate(
    engine: Engine, bundle: Bundle, by: Provenance, now: datetime
) -> None:
    spam, threat = enriched_case(engine, "T-1", SPAM), enriched_case(engine, "T-2", THREAT)
    ways = record(engine, bundle, facts_of(engine, spam, threat), by, now)
    assert counts_by_route(ways) == {"closed": 1, "review": 0, "escalated": 1}
    closed, waiting = case_of(engine, spam), case_of(engine, threat)
    assert (closed.status, closed.rule_id, closed.closed_at) == ("closed", "spam", now)
    assert (waiting.status, waiting.queue, waiting.closed_at) == ("waiting", "legal", None)
    assert history(engine, spam) == ["case.opened", "case.decided", "case.closed"]
    assert history(engine, threat) == ["case.opened", "case.decided", "gate.opened"]
    with reading(engine) as session:
        [gate] = session.scalars(select(Gate))
    assert gate.id == f"g{threat[1:]}-1-1"
    assert (gate.status, gate.queue, gate.requested_by) == ("open", "legal", "policy")


def test_the_decision_names_what_was_unknown_and_the_evidence_it_rests_on(
    engine: Engine, bundle: Bundle, by: Provenance, now: datetime
) -> None:
    case = enriched_case(engine, "T-1", UNSURE)
    [facts] = facts_of(engine, case)
    record(engine, bundle, [facts], by, now)
    with reading(engine) as session:
        [decision] = session.scalars(select(Decision))
        [gate] = session.scalars(select(Gate))
    assert (decision.verdict, decision.rule_id, decision.unknown) == (
        "review",
        "threat",
        ["threat"],
    )
    assert (decision.actor, decision.actor_kind) == ("policy", "machine")
    readings = [Reading("patterns", "1", {"spam": True})]
    expected = evidence_digest(facts.content_digest, readings, decision.id)
    assert decision.evidence_digest == gate.evidence_digest == expected


def test_recording_twice_records_once(
    engine: Engine, bundle: Bundle, by: Provenance, now: datetime
) -> None:
    cases = [enriched_case(engine, f"T-{n}", each) for n, each in enumerate((SPAM, THREAT))]
    facts = facts_of(engine, *cases)
    record(engine, bundle, facts, by, now)
    assert record(engine, bundle, facts, by, now) == Counter()
    with reading(engine) as session:
        assert len(list(session.scalars(select(col(Decision.id))))) == 2
    assert [len(history(engine, case)) for case in cases] == [3, 3]


def test_a_case_revised_since_it_was_read_is_passed_over(
    engine: Engine, bundle: Bundle, by: Provenance, now: datetime
) -> None:
    case = enriched_case(engine, "T-1", SPAM)
    facts = facts_of(engine, case)
    with transaction(engine) as session:
        session.get_one(Case, case).revision = 2
    assert record(engine, bundle, facts, by, now) == Counter()
    assert case_of(engine, case).status == "enriched"


def test_the_history_holds_no_content(
    engine: Engine, bundle: Bundle, by: Provenance, now: datetime
) -> None:
    case = enriched_case(engine, "T-1", THREAT)
    record(engine, bundle, facts_of(engine, case), by, now)
    with reading(engine) as session:
        bodies = [orjson.loads(entry.body) for entry in entries_of(session, case)]
    assert "secret" not in str(bodies)
    assert bodies[1]["data"]["rule"] == "threat"
    assert bodies[1]["policy_digest"] == bundle.digest


def test_the_walk_meets_every_waiting_case_once_and_of_one_intake_alone(engine: Engine) -> None:
    cases = {
        intake: {enriched_case(engine, f"{intake}-{n}", SPAM, intake_id=intake) for n in range(3)}
        for intake in ("i1", "i2")
    }
    with reading(engine) as session:
        walked, after = [], None
        while page := enriched_cases(session, None, after, 2):
            walked += [case for _, case in page]
            after = page[-1]
        of_one = [case for _, case in enriched_cases(session, "i2", None, 10)]
        assert policy_cases(session, "", 10) == sorted(cases["i1"] | cases["i2"])
    assert sorted(walked) == sorted(cases["i1"] | cases["i2"])
    assert set(of_one) == cases["i2"]
