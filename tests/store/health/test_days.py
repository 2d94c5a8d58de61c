"""A day's figures from a real store, on both databases, and its record."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from casework.errors import ConfigurationError
from casework.health.regions import Region, region_of
from casework.health.rows import Row
from casework.policy.bundle import bundle_from_files
from casework.store.assignment import claim
from casework.store.engine import reading, transaction
from casework.store.health.days import (
    days_due,
    latest_record,
    record_day,
    records,
    revise_days,
    rows_between,
)
from casework.store.ledger import entries_of
from casework.store.tables import Decision, SignalReading
from tests.factories.enriched import enriched_case
from tests.factories.escalation import HOUR, LEASE, add_everybody, person, timed_case
from tests.factories.gates import BY, NOW
from tests.factories.policy import FILES
from tests.factories.qa import decided, staffed

START, END = NOW.replace(hour=0, minute=0), NOW.replace(hour=0, minute=0) + timedelta(days=1)
DAY = START.date()
COUNTRY = Region("country")


def figures(engine: Engine, region: Region = COUNTRY) -> dict[tuple[str, str, str], Row]:
    with reading(engine) as session:
        return {row.key: row for row in rows_between(session, START, END, region)}


def test_the_machines_day_is_told_by_rule_provider_and_region(engine: Engine) -> None:
    staffed(engine)
    decided(engine, machine=6, handed=1, people=["ana", "ben"])
    rows = figures(engine)
    assert rows["automation", "all", "all"].value == pytest.approx(6 / 9)
    assert rows["rule_hits", "rule", "spam"].value == pytest.approx(6 / 9)
    assert rows["rule_hits", "rule", "none"].hits == 2
    assert rows["automation", "region", "unknown"].n == 9
    assert rows["provider_failures", "provider", "patterns"].n == 9
    assert rows["gates_decided", "all", "all"].n == 2
    assert {g: r.n for (m, by, g), r in rows.items() if (m, by) == ("gates_decided", "vendor")} == {
        "acme": 1,
        "in-house": 1,
    }
    assert rows["backlog", "all", "all"].n == 1


def test_a_signal_that_failed_makes_its_provider_fail_and_the_rule_indeterminate(
    engine: Engine,
) -> None:
    case = enriched_case(engine, "X-1", {"patterns": {"spam": True}, "source": {"threat": False}})
    with transaction(engine) as session:
        row = session.get_one(SignalReading, (case, 1, "source"))
        row.known, row.unknown = {}, {"threat": "timeout"}
        session.add(row)
        session.add(_machine_decision(case, ["threat"]))
    rows = figures(engine)
    assert rows["provider_failures", "provider", "source"].value == 1.0
    assert rows["provider_failures", "provider", "patterns"].value == 0.0
    assert rows["indeterminate", "all", "all"].value == 1.0
    assert rows["indeterminate", "signal", "threat"].hits == 1


def test_a_region_can_be_a_signal_and_nothing_else_that_is_no_field(engine: Engine) -> None:
    market = "market: {type: text, provider: source, description: Where it was sold.}\n"
    bundle = bundle_from_files({**FILES, "signals.yaml": FILES["signals.yaml"] + market})
    for name, given in (("X-1", {"market": "emea"}), ("X-2", {"market": "apac"}), ("X-3", {})):
        case = enriched_case(engine, name, {"source": given})
        with transaction(engine) as session:
            session.add(_machine_decision(case, []))
    rows = figures(engine, region_of(bundle, "market"))
    regions = {key[2] for key in rows if key[:2] == ("automation", "region")}
    assert regions == {"emea", "apac", "unknown"}
    for name in ("spam", "marke"):
        with pytest.raises(ConfigurationError) as refusal:
            region_of(bundle, name)
    assert refusal.value.hint == "did you mean `market`?"


def test_people_are_told_by_queue_severity_and_vendor(engine: Engine) -> None:
    add_everybody(engine)
    early = timed_case(engine, "T-1", severity="P0", opened_at=START + HOUR)
    late = timed_case(engine, "T-2", severity="P0", opened_at=START + 2 * HOUR)
    with transaction(engine) as session:
        claim(session, early, LEASE, person("ana"), START + HOUR + timedelta(minutes=10))
        claim(session, late, LEASE, person("ben"), START + 4 * HOUR)
    rows = figures(engine)
    touch = rows["first_touch", "queue and severity", "general P0"]
    assert (touch.n, touch.value) == (2, 65 * 60.0)
    assert rows["sla_first_touch", "all", "all"].value == 0.5
    assert rows["backlog", "vendor", "in-house"].n == 2
    assert rows["overdue", "all", "all"].value == 1.0
    assert rows["backlog_age", "queue", "general"].value == 22.5 * 3600


def test_a_day_is_recorded_once_and_late_facts_make_a_revision(engine: Engine) -> None:
    timed_case(engine, "T-1", opened_at=START + HOUR)
    later = END + 2 * HOUR
    with transaction(engine) as session:
        assert days_due(session, later) == [DAY]
        rows = rows_between(session, START, END, COUNTRY)
        figures = {"rows": [row.as_dict() for row in rows], "alerts": []}
        first = record_day(session, DAY, figures, BY, later)
    with transaction(engine) as session:
        assert days_due(session, later) == []
        assert revise_days(session, COUNTRY, BY, later) == []
    timed_case(engine, "T-2", opened_at=START + 3 * HOUR)
    with transaction(engine) as session:
        [second] = revise_days(session, COUNTRY, BY, later + HOUR)
        assert revise_days(session, COUNTRY, BY, later + 8 * timedelta(days=1)) == []
    assert (second.revision, "backlog" in second.changed) == (2, True)
    with reading(engine) as session:
        assert [each.revision for each in records(session, None)] == [2]
        kept = latest_record(session, date(2026, 3, 2))
        entries = [e.body for e in entries_of(session, "system") if e.action == "health.recorded"]
    assert kept is not None
    assert first.digest in entries[0]
    assert kept.digest in entries[1]


def _machine_decision(case: str, unknown: list[str]) -> Decision:
    return Decision(
        id=f"d-{case}",
        case_id=case,
        revision=1,
        actor="policy",
        actor_kind="machine",
        verdict="review",
        queue="general",
        severity="P3",
        unknown=unknown,
        evidence_digest="e",
        policy_digest="p",
        code_version="v",
        decided_at=NOW,
    )
