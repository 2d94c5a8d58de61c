"""Signals in the store: which cases wait, what is written once, and answers that expire."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, select, update
from sqlmodel import col

from casework.cases import Evidence, Reading
from casework.ledger.entries import Provenance
from casework.store import signals
from casework.store.engine import reading, transaction
from casework.store.ledger import entries_of
from casework.store.signals import (
    Cursor,
    cached,
    cases_to_enrich,
    forget_expired,
    record_readings,
    remember,
)
from casework.store.tables import Case, SignalReading
from tests.factories.evidence import RECEIVED, stored

PATTERNS = Reading("patterns", "v1", {"spam": True, "threat": False}, latency_ms=3)
ACCOUNT = Reading("account", "v1", {}, {"account_age_days": "timeout"})


def waiting(engine: Engine, intake_id: str | None = None) -> list[Evidence]:
    with reading(engine) as session:
        return list(cases_to_enrich(session, intake_id, 1000).evidence)


def recorded(
    engine: Engine, cases: list[Evidence], by: Provenance, now: datetime, *said: Reading
) -> int:
    with transaction(engine) as session:
        return record_readings(session, cases, [[each] * len(cases) for each in said], by, now)


def test_pages_walk_over_every_opened_case_once(engine: Engine) -> None:
    items: list[dict[str, Any]] = [{"intake_id": f"i{n % 3}"} for n in range(25)]
    items.append({"status": "enriched"})
    ids = stored(engine, items)
    seen: list[str] = []
    after: Cursor | None = None
    with reading(engine) as session:
        while (page := cases_to_enrich(session, None, 4, after)).evidence:
            seen += [each.case_id for each in page.evidence]
            after = page.after
    assert sorted(seen) == sorted(ids[:25])


def test_one_intake_is_walked_alone(engine: Engine) -> None:
    ids = stored(engine, [{"intake_id": f"i{n % 2}"} for n in range(6)])
    assert {each.case_id for each in waiting(engine, "i1")} == set(ids[1::2])


def test_evidence_is_the_newest_content(engine: Engine) -> None:
    stored(engine, [{"title": "Hello", "body": "World", "subject_id": "u1"}])
    [case] = waiting(engine)
    assert (case.title, case.body, case.subject_id, case.reporter_id) == (
        "Hello",
        "World",
        "u1",
        None,
    )
    assert case.received_at == RECEIVED


def test_a_page_ends_early_where_content_is_large(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "PAGE_CHARACTERS", 25)
    stored(engine, [{"body": "x" * 10} for _ in range(7)])
    with reading(engine) as session:
        first = cases_to_enrich(session, "i1", 100)
        second = cases_to_enrich(session, "i1", 100, first.after)
    assert (len(first.evidence), len(second.evidence)) == (3, 3)


def test_what_providers_said_is_kept_and_the_case_moves_on(
    engine: Engine, by: Provenance, now: datetime
) -> None:
    [case_id] = stored(engine, [{"body": "private words"}])
    assert recorded(engine, waiting(engine), by, now, PATTERNS, ACCOUNT) == 1
    with reading(engine) as session:
        kept = {each.provider: each for each in session.scalars(select(SignalReading))}
        [entry] = entries_of(session, case_id)
        assert session.get_one(Case, case_id).status == "enriched"
    assert kept["patterns"].known == {"spam": True, "threat": False}
    assert (kept["patterns"].latency_ms, kept["patterns"].cached) == (3, False)
    assert kept["account"].unknown == {"account_age_days": "timeout"}
    document = orjson.loads(entry.body)
    assert (document["action"], document["revision"]) == ("case.enriched", 1)
    assert document["data"]["account"]["unknown"] == ["account_age_days"]
    assert set(document["data"]["patterns"]) == {"version", "digest", "unknown"}
    assert "private" not in entry.body


def test_recording_twice_changes_nothing(engine: Engine, by: Provenance, now: datetime) -> None:
    [case_id] = stored(engine, [{}])
    cases = waiting(engine)
    assert recorded(engine, cases, by, now, PATTERNS) == 1
    assert recorded(engine, cases, by, now, ACCOUNT) == 0
    with reading(engine) as session:
        assert [each.provider for each in session.scalars(select(SignalReading))] == ["patterns"]
        assert len(entries_of(session, case_id)) == 1


def test_a_case_with_newer_content_is_left_alone(
    engine: Engine, by: Provenance, now: datetime
) -> None:
    revised, other = stored(engine, [{}, {}])
    cases = waiting(engine)
    with transaction(engine) as session:
        session.execute(update(Case).where(col(Case.id) == revised).values(revision=2))
    assert recorded(engine, cases, by, now, PATTERNS) == 1
    with reading(engine) as session:
        assert session.get_one(Case, revised).status == "opened"
        assert session.get_one(Case, other).status == "enriched"
        assert [each.case_id for each in session.scalars(select(SignalReading))] == [other]


def test_a_reading_that_is_there_already_stays(
    engine: Engine, by: Provenance, now: datetime
) -> None:
    [case_id] = stored(engine, [{}])
    with transaction(engine) as session:
        first = SignalReading(
            case_id=case_id,
            revision=1,
            provider="patterns",
            version="v0",
            known={"spam": False},
            unknown={},
            read_at=now,
        )
        session.add(first)
    assert recorded(engine, waiting(engine), by, now, PATTERNS) == 1
    with reading(engine) as session:
        [kept] = session.scalars(select(SignalReading))
        assert kept.version == "v0"


def test_answers_are_kept_until_they_expire(engine: Engine, now: datetime) -> None:
    later = now + timedelta(hours=1)
    with transaction(engine) as session:
        remember(session, "account", "1", {"a": {"paid": True}, "b": {"paid": False}}, later)
    with reading(engine) as session:
        assert cached(session, "account", "1", ["a", "z"], now) == {"a": {"paid": True}}
        assert cached(session, "account", "2", ["a"], now) == {}
        assert cached(session, "moderation", "1", ["a"], now) == {}
        assert cached(session, "account", "1", ["a"], later) == {}


def test_a_newer_answer_takes_the_place_of_an_older(engine: Engine, now: datetime) -> None:
    for paid in (True, False):
        with transaction(engine) as session:
            remember(session, "account", "1", {"a": {"paid": paid}}, now + timedelta(hours=1))
    with reading(engine) as session:
        assert cached(session, "account", "1", ["a"], now) == {"a": {"paid": False}}


def test_expired_answers_are_dropped(engine: Engine, now: datetime) -> None:
    hour = timedelta(hours=1)
    with transaction(engine) as session:
        remember(session, "account", "1", {"old": {}}, now - hour)
        remember(session, "account", "1", {"new": {}}, now + hour)
        forget_expired(session, now)
    with reading(engine) as session:
        assert set(cached(session, "account", "1", ["old", "new"], now - 2 * hour)) == {"new"}
