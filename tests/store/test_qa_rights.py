"""From a figure below a threshold to a paused right, and back: a lead rules on each step."""

from datetime import timedelta
from typing import Any

import pytest
from scipy.stats import beta
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.errors import Denied, InputError, NotFound
from casework.pausing import rule
from casework.policy.bundle import load_bundle
from casework.qa.rights import Ruling
from casework.settings import Settings
from casework.store.engine import reading, transaction
from casework.store.people import add_person, limit_access
from casework.store.policy import adopt_bundle
from casework.store.qa.rights import propose_pauses, rights
from casework.store.tables import PausedRight
from casework.store.vendors import add_vendor
from tests.factories.gates import answer, waiting_case
from tests.factories.intake import actions_in
from tests.factories.qa import BY, NOW, staffed
from tests.factories.rights import answered_known, decided_wrongly, minding_bundle

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _people(engine: Engine) -> None:
    """Leads of ours, of acme and of bolt, beside everybody; ana works for acme, ben for us."""
    staffed(engine)
    with transaction(engine) as session:
        add_vendor(session, "bolt", by=BY, now=NOW)
        for person, vendor in (("lea", None), ("acl", "acme"), ("bol", "bolt")):
            add_person(
                session,
                person,
                name=person,
                roles=["lead"],
                queues=["*"],
                by=BY,
                now=NOW,
                vendor=vendor,
            )


def proposed(engine: Engine, at: Any = NOW) -> list[PausedRight]:
    bundle = minding_bundle()
    with transaction(engine) as session:
        adopt_bundle(session, bundle, BY, at)
        return propose_pauses(session, bundle, BY, at)


def test_pausing_is_proposed_once_and_only_where_even_the_upper_limit_is_below(
    engine: Engine,
) -> None:
    answered_known(engine, "ana", 20, 10, NOW - DAY)  # 67 %, at most 83 %
    answered_known(engine, "ben", 24, 6, NOW - DAY)  # 80 %, at most 92 %
    answered_known(engine, "mia", 5, 14, NOW - DAY)  # 26 %, of fewer than asked for
    answered_known(engine, "max", 0, 30, NOW - 31 * DAY)  # out of the window
    answered_known(engine, "moe", 0, 30, NOW - DAY, kind="training")  # told after each
    [found] = proposed(engine)
    assert (found.person, found.threshold, found.status) == ("ana", "known", "proposed")
    assert found.found["high"] == pytest.approx(beta.ppf(0.975, 21, 10))  # Clopper & Pearson 1934
    assert proposed(engine, NOW + DAY) == []
    assert actions_in(engine, "system").count("right.proposed") == 1


def test_own_decisions_count_by_the_weights_of_their_rounds(engine: Engine) -> None:
    decided_wrongly(engine, "ana", 30, 10, NOW - 2 * DAY, drawn=0.5)
    decided_wrongly(engine, "ben", 40, 0, NOW - 2 * DAY)
    decided_wrongly(engine, "ana", 15, 5, NOW - DAY)
    [found] = proposed(engine)
    assert (found.person, found.threshold, found.found["n"]) == ("ana", "own", 60)
    assert found.found["value"] == pytest.approx(0.75)


def test_a_lead_confirms_and_the_guard_refuses_what_is_paused(engine: Engine) -> None:
    answered_known(engine, "ana", 10, 20, NOW - DAY)
    [found] = proposed(engine)
    gate = waiting_case(engine, "T-1")
    for who, reason in (("mia", "role"), ("ana", "role"), ("bol", "vendor"), ("zoe", "role")):
        with pytest.raises(Denied) as refusal:
            rule(engine, found.id, Ruling.CONFIRM, "it is so", who, now=NOW)
        assert refusal.value.reason == reason
    with transaction(engine) as session:
        limit_access(session, "lea", NOW, BY, NOW)
    with pytest.raises(Denied, match="access of lea"):
        rule(engine, found.id, Ruling.CONFIRM, "it is so", "lea", now=NOW)
    with pytest.raises(InputError, match="a reason"):
        rule(engine, found.id, Ruling.CONFIRM, " ", "lea", now=NOW)
    with pytest.raises(NotFound, match="no proposal"):
        rule(engine, "w0", Ruling.CONFIRM, "it is so", "lea", now=NOW)
    assert rule(engine, found.id, Ruling.CONFIRM, "it is so", "acl", now=NOW).status == "paused"
    for fields in ({"verdict": "approve"}, {"verdict": "refuse", "action": None}):
        with pytest.raises(Denied, match="decide alone is paused") as refusal:
            answer_gate(engine, gate, "ana", answer("T-1", **fields), now=NOW)
        assert refusal.value.reason == "paused"
    handed = answer("T-1", "escalate", None, escalate_to="legal")
    assert answer_gate(engine, gate, "ana", handed, now=NOW).decided
    told = [each for each in actions_in(engine, "system") if each.startswith("right.")]
    assert told == ["right.proposed", *["right.denied"] * 5, "right.paused"]


def test_a_right_comes_back_after_training_and_old_errors_count_no_more(engine: Engine) -> None:
    answered_known(engine, "ben", 10, 20, NOW - DAY)
    [found] = proposed(engine)
    rule(engine, found.id, Ruling.CONFIRM, "it is so", "lea", now=NOW)
    answered_known(engine, "ben", 3, 0, NOW + DAY, kind="training")
    with pytest.raises(Denied, match="answered 3 training items since, 3 rightly") as refusal:
        rule(engine, found.id, Ruling.RESTORE, "they learnt", "lea", now=NOW + DAY)
    assert (refusal.value.reason, "qa train" in refusal.value.hint) == ("training", True)
    answered_known(engine, "ben", 2, 0, NOW + 2 * DAY, kind="training")
    back = rule(engine, found.id, Ruling.RESTORE, "they learnt", "lea", now=NOW + 3 * DAY)
    assert (back.status, back.restored_by) == ("restored", "lea")
    gate = waiting_case(engine, "T-1")
    assert answer_gate(engine, gate, "ben", answer("T-1"), now=NOW + 3 * DAY).decided
    assert proposed(engine, NOW + 4 * DAY) == []
    answered_known(engine, "ben", 0, 20, NOW + 5 * DAY)
    assert [each.person for each in proposed(engine, NOW + 6 * DAY)] == ["ben"]
    with reading(engine) as session:
        assert [each.status for each in rights(session, everything=True)] == [
            "proposed",
            "restored",
        ]


def test_a_dismissed_proposal_is_over_and_cannot_be_confirmed(engine: Engine) -> None:
    answered_known(engine, "ben", 10, 20, NOW - DAY)
    [found] = proposed(engine)
    rule(engine, found.id, Ruling.DISMISS, "a broken item", "lea", now=NOW)
    with pytest.raises(Denied, match="it is dismissed: there is nothing to confirm"):
        rule(engine, found.id, Ruling.CONFIRM, "it is so", "lea", now=NOW)
    assert proposed(engine, NOW + DAY) == []
    with reading(engine) as session:
        assert rights(session) == []


def test_the_default_bundle_minds() -> None:
    found = load_bundle(Settings().bundle_dir).rights
    assert {name: each.measure for name, each in found.items()} == {
        "known_answers": "golden",
        "own_decisions": "qa",
    }
