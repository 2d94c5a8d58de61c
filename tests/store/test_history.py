"""The record of subjects and reporters: what counts, and relative to when."""

from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import Engine, update
from sqlmodel import col

from casework.cases import Evidence, case_id
from casework.store.engine import reading, transaction
from casework.store.history import NONE, Counts, Record, records
from casework.store.tables import Case
from integrations.history import SIGNALS, HistoryProvider
from tests.factories.evidence import RECEIVED, evidence, stored

DAY = timedelta(days=1)


def record_of(engine: Engine, *cases: Evidence) -> list[Record]:
    with reading(engine) as session:
        return records(session, cases)


def test_a_case_never_counts_itself(engine: Engine) -> None:
    stored(engine, [{"subject_id": "u1", "reporter_id": "r1"}])
    case = evidence(1, subject_id="u1", reporter_id="r1")
    assert record_of(engine, case) == [Record(NONE, NONE)]


def test_only_cases_received_before_count(engine: Engine) -> None:
    moments = [RECEIVED - DAY, RECEIVED, RECEIVED + timedelta(microseconds=1)]
    stored(engine, [{"subject_id": "u1", "received_at": moment} for moment in moments])
    [record] = record_of(engine, evidence(2, subject_id="u1"))
    assert record.subject == Counts(total=1, recent=1)


def test_the_recent_counts_look_ninety_days_back(engine: Engine) -> None:
    ages = [89 * DAY, 90 * DAY, 90 * DAY + timedelta(microseconds=1)]
    stored(engine, [{"subject_id": "u1", "received_at": RECEIVED - age} for age in ages])
    [record] = record_of(engine, evidence(9, subject_id="u1"))
    assert record.subject == Counts(total=3, recent=2)


def test_closing_counts_where_something_was_done(engine: Engine) -> None:
    earlier: dict[str, Any] = {"subject_id": "u1", "received_at": RECEIVED - DAY}
    ends = [
        {"status": "closed", "action": "suspend_7_days"},
        {"status": "closed", "action": "close_no_action"},
        {"status": "closed"},
        {"status": "waiting", "action": "suspend_7_days"},
    ]
    stored(engine, [{**earlier, **end} for end in ends])
    [record] = record_of(engine, evidence(9, subject_id="u1"))
    assert record.subject == Counts(total=4, recent=4, acted_on=1)


def test_a_single_earlier_case_that_led_to_an_action_counts(engine: Engine) -> None:
    done = {"reporter_id": "r1", "received_at": RECEIVED - DAY, "status": "closed"}
    stored(engine, [{**done, "action": "warn"}])
    [record] = record_of(engine, evidence(9, reporter_id="r1"))
    assert record.reporter == Counts(total=1, recent=1, acted_on=1)


def test_nobody_has_no_record(engine: Engine) -> None:
    stored(engine, [{}, {}])
    [reading_] = HistoryProvider(engine).read_now([evidence(1)])
    assert reading_.values == dict.fromkeys(SIGNALS, 0)
    assert reading_.unknown == {}


def test_batches_of_any_size_and_order_read_the_same(engine: Engine) -> None:
    dice = Random(7)
    items: list[dict[str, Any]] = [
        {
            "external_id": str(i),
            "subject_id": f"u{dice.randrange(6)}",
            "reporter_id": f"r{dice.randrange(6)}",
            "received_at": RECEIVED - timedelta(hours=dice.randrange(4000)),
            "status": dice.choice(["opened", "closed"]),
            "action": dice.choice([None, "warn", "close_no_action"]),
        }
        for i in range(80)
    ]
    stored(engine, items)
    named = ("subject_id", "reporter_id", "received_at")
    cases = [
        evidence(i, case_id=case_id("desk", str(i)), **{name: item[name] for name in named})
        for i, item in enumerate(items)
    ]
    whole = record_of(engine, *cases)
    assert whole == [_counted(items, item) for item in items]
    assert whole[::-1] == record_of(engine, *cases[::-1])
    assert whole == [record for case in cases for record in record_of(engine, case)]


def _counted(items: list[dict[str, Any]], case: dict[str, Any]) -> Record:
    """The same counts, one case at a time."""

    def counts(name: str) -> Counts:
        before = [
            item
            for item in items
            if item[name] == case[name] and item["received_at"] < case["received_at"]
        ]
        recent = [x for x in before if x["received_at"] >= case["received_at"] - 90 * DAY]
        acted = [x for x in recent if x["status"] == "closed" and x["action"] == "warn"]
        return Counts(len(before), len(recent), len(acted))

    return Record(counts("subject_id"), counts("reporter_id"))


def test_the_record_is_that_of_the_moment_it_is_read(engine: Engine) -> None:
    [earlier, _] = stored(
        engine,
        [{"subject_id": "u1", "received_at": RECEIVED - DAY}, {"subject_id": "u1"}],
    )
    with transaction(engine) as session:
        session.execute(
            update(Case).where(col(Case.id) == earlier).values(status="closed", action="warn")
        )
    [record] = record_of(engine, evidence(2, subject_id="u1"))
    assert record.subject.acted_on == 1
