"""Need to know in the store: the policy restricts, the guard's ways in refuse, QA leaves it out."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.errors import Denied, NotFound, PolicyError
from casework.gates import ActorKind
from casework.policy.bundle import bundle_from_files
from casework.policy.evaluate import decide, frame
from casework.store.assignment import claim, hand_over
from casework.store.cases import list_cases
from casework.store.decisions import record_outcomes
from casework.store.engine import reading, transaction
from casework.store.facts import rows_for_policy
from casework.store.gates import gate_by_id
from casework.store.intake_run import run_intake
from casework.store.next_gates import next_gate
from casework.store.people import answering
from casework.store.policy import adopt_bundle
from casework.store.restrictions import is_hidden, let_in, restrict, unrestrict
from casework.store.straight import StraightThrough
from integrations.patterns import PatternProvider
from tests.factories.enriched import enriched_case
from tests.factories.escalation import LEASE, add_everybody, person
from tests.factories.gates import BY, NOW, answer, waiting_case
from tests.factories.intake import row, rows_file
from tests.factories.policy import FILES

KEPT = """\
need_to_know:
  - {signal: threat, people: [lea, leo]}
  - {queue: legal, people: [lou]}
"""


def kept_files(more: str = KEPT) -> dict[str, str]:
    return {**FILES, "bundle.yaml": FILES["bundle.yaml"] + more}


def kept(engine: Engine, case: str) -> list[str] | None:
    with reading(engine) as session:
        return let_in(session, case)


def test_the_policy_restricts_what_it_decides_by_signal_and_by_queue(engine: Engine) -> None:
    add_everybody(engine)
    bundle = bundle_from_files(kept_files())
    threat = enriched_case(engine, "T-1", {"source": {"threat": True}, "patterns": {"spam": False}})
    civil = enriched_case(engine, "T-2", {"source": {"threat": False}, "patterns": {"spam": False}})
    with transaction(engine) as session:
        adopt_bundle(session, bundle, BY, NOW)
        facts = rows_for_policy(session, [threat, civil])
        outcomes = decide(bundle, frame(bundle, [each.row for each in facts]))
        record_outcomes(session, bundle, facts, outcomes, BY, NOW)
    assert kept(engine, threat) == ["lea", "leo", "lou"], "by its signal, and by its queue"
    assert kept(engine, civil) is None


def test_cases_that_go_straight_through_are_restricted_as_they_arrive(
    engine: Engine, tmp_path: Path
) -> None:
    files = kept_files("need_to_know: [{signal: spam, people: [ana]}]\n")
    bundle = bundle_from_files(files)
    chosen = StraightThrough(bundle, [PatternProvider(bundle.patterns)])
    path = rows_file(tmp_path / "rows.jsonl", row("1", body="the casino"), row("2"))
    with transaction(engine) as session:
        adopt_bundle(session, bundle, BY, NOW)
    run_intake(engine, path, "i1", BY, lambda: NOW, source="test", through=chosen)
    with reading(engine) as session:
        kept_ = {c.external_id: let_in(session, c.id) for c in list_cases(session)}
    assert kept_ == {"1": ["ana"], "2": None}


def test_what_is_handed_over_into_such_a_queue_is_for_its_people_from_then_on(
    engine: Engine,
) -> None:
    add_everybody(engine)
    gate = waiting_case(engine, bundle=bundle_from_files(kept_files()))
    with transaction(engine) as session:
        claim(session, gate, LEASE, person("ana"), NOW)
        hand_over(session, gate, "legal", person("ana"), NOW)
        case = gate_by_id(session, gate).case_id
        assert let_in(session, case) == ["lou"]
        assert is_hidden(session, case, "ana")


def test_every_way_in_refuses_as_for_a_gate_that_does_not_exist(engine: Engine) -> None:
    add_everybody(engine)
    gate = waiting_case(engine)
    with transaction(engine) as session:
        case = gate_by_id(session, gate).case_id
        restrict(session, case, ["ben"], "because", BY, NOW, operating=True)
    for ask in (
        lambda: answer_gate(engine, gate, "ana", answer(), now=NOW),
        lambda: claimed(engine, gate, "ana"),
        lambda: restricted(engine, case, "lou"),
    ):
        with pytest.raises(NotFound):
            ask()
    with reading(engine) as session:
        ana, ben = (answering(session, who, ActorKind.PERSON) for who in ("ana", "ben"))
        assert ana is not None
        assert ben is not None
        assert next_gate(session, ana, NOW) is None
        assert next_gate(session, ben, NOW) is not None
    with pytest.raises(Denied, match="only a lead"):
        restricted(engine, case, "ben")
    with transaction(engine) as session:
        assert unrestrict(session, case, BY, NOW, operating=True)
        assert not unrestrict(session, case, BY, NOW, operating=True)
    assert answer_gate(engine, gate, "ana", answer(), now=NOW).decided


def claimed(engine: Engine, gate: str, who: str) -> None:
    with transaction(engine) as session:
        claim(session, gate, LEASE, person(who), NOW)


def restricted(engine: Engine, case: str, who: str) -> None:
    with transaction(engine) as session:
        restrict(session, case, ["ana"], "because", person(who), NOW)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{signal: thret, people: [ana]}", "unknown signal `thret`"),
        ("{queue: legl, people: [ana]}", "unknown queue `legl`"),
        ("{queue: legal, signal: threat, people: [ana]}", "a queue or a signal"),
        ("{people: [ana]}", "a queue or a signal"),
        ("{queue: legal, people: []}", "`people`"),
    ],
)
def test_a_fault_of_the_policy_is_told(entry: str, told: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        bundle_from_files(kept_files(f"need_to_know:\n  - {entry}\n"))
    assert told in refusal.value.message
    assert "bundle.yaml:5" in refusal.value.message or "bundle.yaml:6" in refusal.value.message
