"""Taking stock of a real store: days recorded, a trend found with its cases, today looked at."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from casework.clocks.model import ClockKind
from casework.health.alerts import Alert
from casework.health.regions import Region
from casework.health.report import markdown
from casework.health.rows import Row
from casework.store.assignment import claim
from casework.store.clocks import end_clocks
from casework.store.engine import reading, transaction
from casework.store.health.cases import driving_cases
from casework.store.health.days import latest_record, record_day
from casework.store.health.demand import demand_of, load_of, rates, waiting_gates
from casework.store.health.reports import read_health
from casework.store.health.taking import keep_snapshot, snapshot, take_stock
from casework.store.restrictions import restrict
from casework.store.tables import SignalReading
from tests.factories.escalation import HOUR, LEASE, add_everybody, person, timed_bundle, timed_case
from tests.factories.gates import BY, NOW
from tests.factories.qa import decided, qa_bundle, staffed

COUNTRY = Region("country")
TODAY = NOW.date()
START = NOW.replace(hour=0, minute=0)
MORNING = START + timedelta(days=1, hours=2)


def quiet_days(engine: Engine, rows: list[Row], number: int = 22) -> None:
    """Records of days on which nothing was unusual, up to yesterday."""
    figures: dict[str, Any] = {"rows": [row.as_dict() for row in rows], "alerts": []}
    with transaction(engine) as session:
        for back in range(number, 0, -1):
            record_day(session, TODAY - timedelta(days=back), figures, BY, NOW)


def alerts(engine: Engine) -> dict[tuple[str, str, str], dict[str, Any]]:
    with reading(engine) as session:
        record = latest_record(session, TODAY)
    assert record is not None
    return {(a["measure"], a["by"], a["group"]): a for a in record.figures["alerts"]}


def test_a_provider_that_is_down_is_told_with_its_cases_and_what_to_do(engine: Engine) -> None:
    staffed(engine)
    rows = [
        Row("provider_failures", "provider", name, 50, 0.0, 0) for name in ("patterns", "source")
    ]
    quiet_days(engine, rows)
    cases = decided(engine, machine=20)
    with transaction(engine) as session:
        for case in cases[:12]:
            reading_ = session.get_one(SignalReading, (case, 1, "source"))
            reading_.known, reading_.unknown = {}, {"threat": "timeout"}
            session.add(reading_)
    taken = take_stock(engine, qa_bundle(), COUNTRY, BY, MORNING)
    assert taken.recorded == ["2026-03-02"]
    found = alerts(engine)
    told = found["provider_failures", "provider", "source"]
    assert (told["value"], told["worse"], told["series"] >= 2) == (0.6, True, True)
    assert "source fails" in told["proposal"]
    assert len(told["cases"]) == 10
    assert set(told["cases"]) <= set(cases[:12])
    assert ("provider_failures", "provider", "patterns") not in found
    assert take_stock(engine, qa_bundle(), COUNTRY, BY, MORNING).recorded == []


def test_a_queue_that_too_few_work_on_is_told_short(engine: Engine) -> None:
    add_everybody(engine)
    rows = [Row("gates_opened", "queue", "general", 8, 8.0)]
    quiet_days(engine, rows)
    gates = [timed_case(engine, f"T-{n}", opened_at=START + n * HOUR / 5) for n in range(60)]
    for number, gate in enumerate(gates[:10]):
        start = START + HOUR * (13 + number)
        with transaction(engine) as session:
            claim(session, gate, LEASE, person("ana"), start)
            end_clocks(session, gate, start + HOUR)
    taken = take_stock(engine, timed_bundle(), COUNTRY, BY, MORNING)
    told = alerts(engine)["gates_opened", "queue", "general"]
    assert (taken.alerts >= 1, told["value"], told["expected"]) == (True, 60.0, 8.0)
    with reading(engine) as session:
        load = load_of(session, timed_bundle(), "general", START, START + timedelta(days=1))
    assert load is not None
    assert (load.arrivals, load.handling, load.people) == (60, 3600.0, 0)
    assert f"short by {load.short_by}" in told["proposal"]


def test_what_drives_an_alert_is_what_took_longest_or_was_missed(engine: Engine) -> None:
    add_everybody(engine)
    early = timed_case(engine, "T-1", severity="P0", opened_at=START + HOUR)
    late = timed_case(engine, "T-2", severity="P0", opened_at=START + HOUR)
    with transaction(engine) as session:
        claim(session, early, LEASE, person("ana"), START + HOUR + timedelta(minutes=5))
        claim(session, late, LEASE, person("ben"), START + 4 * HOUR)
    end = START + timedelta(days=1)
    with reading(engine) as session:
        times = driving_cases(session, alert("first_touch"), START, end, COUNTRY)
        missed = driving_cases(session, alert("sla_first_touch"), START, end, COUNTRY)
        ours = alert("first_touch", by="vendor", group="acme")
        assert driving_cases(session, ours, START, end, COUNTRY) == []
    assert (len(times), missed) == (2, times[:1])
    with transaction(engine) as session:
        restrict(session, times[0], ["ana"], "because", BY, end, operating=True)
        restricted = driving_cases(session, alert("first_touch"), START, end, COUNTRY)
        opened = driving_cases(session, alert("volume"), START, end, COUNTRY)
    assert restricted == times[1:], "the report is for more people than may know of the other"
    assert times[0] not in opened


def test_today_is_kept_with_its_forecast_and_demand(engine: Engine) -> None:
    add_everybody(engine)
    done, waits = (timed_case(engine, f"T-{n}", opened_at=NOW - 2 * HOUR) for n in range(2))
    with transaction(engine) as session:
        claim(session, done, LEASE, person("ana"), NOW - HOUR)
        end_clocks(session, done, NOW - HOUR / 2)
    bundle = timed_bundle()
    with reading(engine) as session:
        assert rates(session, NOW) == {"general": 1.0}, "the history has only begun"
        assert rates(session, NOW + 10 * HOUR) == {"general": 0.1}
        assert {each.gate for each in waiting_gates(session)} == {waits}
        asked = demand_of(session, bundle, "general", START, NOW, ClockKind.FIRST_TOUCH)
        found = read_health(session, COUNTRY, NOW)
    assert (len(asked.arrivals), asked.handlings, asked.length) == (2, [1800.0], 9.5 * 3600)
    assert asked.arrivals[0].target == 15 * 60
    assert [(risk.gate, risk.chance) for risk in found.risks] == [(waits, 1.0)]
    with transaction(engine) as session:
        keep_snapshot(session, {"report": markdown(found)}, {"flow": "<svg/>"}, NOW)
        keep_snapshot(session, {"report": markdown(found)}, {}, NOW + HOUR)
    with reading(engine) as session:
        kept = snapshot(session)
    assert kept is not None
    assert (kept.day, kept.charts, kept.made_at) == ("2026-03-02", {}, NOW + HOUR)


def alert(measure: str, by: str = "all", group: str = "all") -> Alert:
    return Alert(measure, by, group, 9.0, 1.0, 9, 0.0, 0.0, 1, "m", worse=True)
