"""What open pages and a person's day ask of the store, on both databases."""

from sqlalchemy import Engine

from casework.accounts import SESSION_LONGEST, fingerprint
from casework.gates import ActorKind
from casework.store.accounts import open_session
from casework.store.assignment import claim
from casework.store.cases import note_case_view
from casework.store.days import acts_of, sights_of
from casework.store.engine import reading, transaction
from casework.store.gates import gate_by_id
from casework.store.news import newest_entry, news_since, sessions_in_force
from casework.store.next_gates import next_gate
from casework.store.people import answering
from casework.store.restrictions import restrict
from casework.store.tables import Case
from tests.factories.escalation import LEASE, person
from tests.factories.gates import BY, NOW, add_people, waiting_case
from tests.factories.playbooks import asking_bundle, asking_case


def test_news_are_what_came_behind_an_entry_and_say_no_more_than_where(engine: Engine) -> None:
    add_people(engine)
    gate = waiting_case(engine)
    with reading(engine) as session:
        before = newest_entry(session)
        assert news_since(session, before) == (before, [])
    with transaction(engine) as session:
        claim(session, gate, LEASE, person("ben"), NOW)
        case = gate_by_id(session, gate).case_id
        restrict(session, case, ["ben"], "because", BY, NOW, operating=True)
    with reading(engine) as session:
        newest, told = news_since(session, before)
        assert newest == newest_entry(session)
        assert news_since(session, before, limit=1)[0] == told[0].entry, "the rest comes next"
    assert [(each.action, each.actor, each.queue, each.restricted) for each in told] == [
        ("gate.claimed", "ben", "general", True),
        ("case.restricted", BY.actor, "general", True),
    ]


def test_a_session_goes_on_until_it_is_over(engine: Engine) -> None:
    add_people(engine)
    with transaction(engine) as session:
        ours = fingerprint(open_session(session, "ana", BY, NOW))
    with reading(engine) as session:
        assert sessions_in_force(session, {ours, "none"}, NOW) == {ours}
        assert sessions_in_force(session, {ours}, NOW + SESSION_LONGEST) == frozenset()


def test_a_day_knows_what_was_seen_and_next_can_spare_somebody(engine: Engine) -> None:
    add_people(engine)
    hard = asking_case(engine, "T-1")
    other = waiting_case(engine, "T-2", severity="P4", bundle=asking_bundle())
    with transaction(engine) as session:
        note_case_view(
            session,
            session.get_one(Case, gate_by_id(session, hard).case_id),
            person("ana"),
            NOW,
        )
    with reading(engine) as session:
        assert len(acts_of(session, "ana", NOW)) == 1
        [sight] = sights_of(session, "ana", NOW)
        assert (sight.at, sight.until) == (NOW, None)
        ana = answering(session, "ana", ActorKind.PERSON)
        assert ana is not None
        chosen = [next_gate(session, ana, NOW, sparing=sparing) for sparing in (False, True)]
    assert [gate.id for gate in chosen if gate] == [hard, other]
