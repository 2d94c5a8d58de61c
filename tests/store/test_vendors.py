"""Vendors, teams and placements in the store, and access that ends everywhere."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.errors import Conflict, Denied, InputError, NotFound
from casework.ledger.entries import Provenance
from casework.policy.bundle import bundle_from_files
from casework.store.access import due_access, end_access
from casework.store.accounts import make_link, open_session, signed_in, use_link
from casework.store.assignment import assign, claim
from casework.store.engine import reading, transaction
from casework.store.people import add_person, change_person, limit_access, people_of, place_person
from casework.store.placements import placements
from casework.store.qa.population import read_frame, window_of
from casework.store.tables import Assignment, Person
from casework.store.vendors import add_team, add_vendor, change_vendor
from tests.factories.gates import BY, NOW, add_people, answer, waiting_case
from tests.factories.intake import actions_in
from tests.factories.policy import FILES
from tests.factories.qa import PLANS

DAY = timedelta(days=1)


@pytest.fixture
def ana(engine: Engine) -> str:
    """An analyst of acme's night team since the day before yesterday."""
    add_people(engine)
    with transaction(engine) as session:
        add_vendor(session, "acme", by=BY, now=NOW)
        add_vendor(session, "bolt", by=BY, now=NOW)
        add_team(session, "night", site="manila", vendor="acme", by=BY, now=NOW)
        place_person(
            session, "ana", team="night", since=NOW - 2 * DAY, phase="onboarding", by=BY, now=NOW
        )
    return "ana"


def test_nobody_works_for_a_vendor_or_team_that_is_not_declared(engine: Engine, ana: str) -> None:
    with transaction(engine) as session:
        with pytest.raises(NotFound, match="no vendor acm") as missing:
            change_person(session, ana, vendor="acm", by=BY, now=NOW)
        assert missing.value.hint == "did you mean `acme`?"
        with pytest.raises(NotFound, match="no team"):
            place_person(session, ana, team="day", by=BY, now=NOW)
        with pytest.raises(InputError, match="team night is acme"):
            place_person(session, ana, vendor="bolt", team="night", by=BY, now=NOW)
        with pytest.raises(InputError, match="to come"):
            place_person(session, ana, vendor="bolt", since=NOW + DAY, by=BY, now=NOW)
        with pytest.raises(InputError, match="no such phase"):
            place_person(session, ana, phase="senior", by=BY, now=NOW)
        with pytest.raises(NotFound, match="no vendor"):
            add_person(session, "x", name="x", roles=["qa"], queues=[], vendor="z", by=BY, now=NOW)
        with pytest.raises(Conflict, match="already"):
            add_vendor(session, "acme", by=BY, now=NOW)
        with pytest.raises(InputError, match="a site"):
            add_team(session, "day", site=" ", by=BY, now=NOW)


def test_what_somebody_decided_counts_where_they_worked_then(engine: Engine, ana: str) -> None:
    with transaction(engine) as session:
        place_person(session, ana, vendor="bolt", since=NOW + 5 * DAY, by=BY, now=NOW + 5 * DAY)
    with reading(engine) as session:
        found = placements(session)
        assert [each.id for each in people_of(session, "bolt")] == [ana]
        assert people_of(session, "acme") == people_of(session, team="night") == []
    worked = [found.vendor(ana, NOW + n * DAY) for n in (-9, 0, 4, 5, 99)]
    assert worked == ["acme", "acme", "acme", "bolt", "bolt"]
    assert found.vendor("nobody", NOW) is None
    assert actions_in(engine, "system").count("person.placed") == 2


def test_the_phase_and_the_first_day_are_what_a_ramp_counts(engine: Engine, ana: str) -> None:
    plan = bundle_from_files({**FILES, "qa.yaml": PLANS}).qa["all"]
    with reading(engine) as session:
        tenures = read_frame(session, plan, window_of(plan, NOW + 8 * DAY)).tenures
    assert tenures["person", ana] == 0
    assert tenures["person", "ben"] == pytest.approx(8)
    assert tenures["vendor", "acme"] == pytest.approx(10)


def test_access_that_is_over_ends_answers_claims_and_sessions(engine: Engine, ana: str) -> None:
    gate, kept = waiting_case(engine, "T-1"), waiting_case(engine, "T-2")
    by, after = Provenance(ana, "person", "test"), NOW + timedelta(minutes=2)
    with transaction(engine) as session:
        secret, link = open_session(session, ana, BY, NOW), make_link(session, ana, BY, after)
        claim(session, kept, 10 * DAY, by, NOW)
        limit_access(session, ana, NOW + timedelta(minutes=1), BY, NOW)
    with reading(engine) as session:
        assert signed_in(session, secret, NOW) is not None
        assert due_access(session, NOW) == []
    with pytest.raises(Denied, match="access of ana ended") as refusal:
        answer_gate(engine, gate, ana, answer("T-1"), now=after)
    assert refusal.value.reason == "expired"
    with pytest.raises(Denied, match="access of ana"), transaction(engine) as session:
        claim(session, gate, DAY, by, after)
    with reading(engine) as session:
        assert signed_in(session, secret, after) is None
        assert due_access(session, after) == [ana]
    with transaction(engine) as session:
        assert [end_access(session, ana, BY, after) for _ in range(2)] == [True, False]
    with reading(engine) as session:
        assert session.get_one(Assignment, kept).holder is None
    system = actions_in(engine, "system")
    assert system[-2:] == ["session.ended", "person.access_ended"]
    with pytest.raises(Exception, match="used, or is too old"), transaction(engine) as session:
        use_link(session, link, BY, after)
    with transaction(engine) as session:
        limit_access(session, ana, None, BY, after)
        claim(session, gate, DAY, by, after)


def test_a_vendors_end_is_its_peoples_until_it_is_extended(engine: Engine, ana: str) -> None:
    gate = waiting_case(engine, "T-1")
    lead = Provenance("ben", "person", "test")
    with transaction(engine) as session:
        change_vendor(session, "acme", access_until=NOW, by=BY, now=NOW)
        claim(session, gate, DAY, lead, NOW)
        with pytest.raises(Denied, match="access of ana"):
            assign(session, gate, ana, lead, NOW)
        assert due_access(session, NOW) == [ana]
        end_access(session, ana, BY, NOW)
        change_vendor(session, "acme", access_until=NOW + DAY, by=BY, now=NOW)
        assert session.get_one(Person, ana).access_ended_at is None
        assign(session, gate, ana, lead, NOW)
