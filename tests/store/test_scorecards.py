"""What scorecards are read from: decisions, clocks and claims of people who moved in between."""

from datetime import timedelta

from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.qa.scorecard import OURS, scorecard
from casework.store.assignment import claim
from casework.store.engine import reading, transaction
from casework.store.people import place_person
from casework.store.qa.scorecards import read_period
from casework.store.vendors import add_vendor
from tests.factories.escalation import add_everybody, person, timed_case
from tests.factories.gates import BY, NOW, answer
from tests.factories.rights import answered_known, decided_wrongly

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_work_counts_where_somebody_worked_then_with_its_clock_and_claim(engine: Engine) -> None:
    add_everybody(engine)
    with transaction(engine) as session:
        for vendor, since in (("acme", NOW), ("bolt", NOW + DAY)):
            add_vendor(session, vendor, by=BY, now=NOW)
            place_person(session, "ana", vendor=vendor, since=since, by=BY, now=NOW + DAY)
    for name, opened, took in (("T-1", NOW, HOUR / 4), ("T-2", NOW + DAY, 9 * DAY)):
        gate = timed_case(engine, name, severity="P2", opened_at=opened)
        with transaction(engine) as session:
            claim(session, gate, 30 * DAY, person("ana"), opened)
        answer_gate(engine, gate, "ana", answer(name), now=opened + took)
    with reading(engine) as session:
        period = read_period(session, NOW, NOW + 30 * DAY)
        early = read_period(session, NOW, NOW + DAY)
    assert [(w.vendor, w.on_time, w.minutes) for w in period.work] == [
        ("acme", True, 15.0),
        ("bolt", False, 9 * 24 * 60.0),
    ]
    assert [each.vendor for each in early.work] == ["acme"]
    assert period.weights() == {"general, P2": 1.0}
    assert scorecard(OURS, period, None)["volume"] == 0


def test_rounds_and_known_answers_of_the_period_count_and_training_does_not(
    engine: Engine,
) -> None:
    add_everybody(engine)
    decided_wrongly(engine, "ana", 15, 5, NOW + DAY)
    decided_wrongly(engine, "ana", 0, 9, NOW + 40 * DAY)
    answered_known(engine, "ana", 3, 1, NOW + DAY)
    answered_known(engine, "ana", 0, 7, NOW + DAY, kind="training")
    with reading(engine) as session:
        found = scorecard(OURS, read_period(session, NOW, NOW + 30 * DAY), None)
    assert (found["quality"]["as_is"]["value"], found["quality"]["as_is"]["n"]) == (0.75, 20)
    assert (found["golden"]["value"], found["golden"]["n"]) == (0.75, 4)
