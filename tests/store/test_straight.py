"""Straight through: the same rows and the same history as by the stages, written at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlmodel import Session

from casework.cases import Evidence, Reading, case_id
from casework.health.alerts import Alert
from casework.health.regions import Region
from casework.ledger.acts import acts
from casework.ledger.verify import ChainChecker
from casework.mapping import Mapping
from casework.policy.bundle import bundle_from_files
from casework.policy.evaluate import decide, frame
from casework.policy.model import Bundle
from casework.store.audit import chain_rows
from casework.store.decisions import record_outcomes
from casework.store.engine import open_engine, reading, transaction
from casework.store.facts import enriched_cases, rows_for_policy
from casework.store.health.cases import driving_cases
from casework.store.health.days import rows_between
from casework.store.intake_run import run_intake
from casework.store.ledger import acts_of, search_entries
from casework.store.policy import adopt_bundle
from casework.store.signals import cases_to_enrich, record_readings
from casework.store.straight import StraightThrough
from casework.store.tables import Case, Decision
from integrations.history import HistoryProvider
from integrations.patterns import PatternProvider
from tests.databases import postgres_database
from tests.factories.holds import active_hold, under_incident
from tests.factories.intake import BY, NOW, actions_in, number_of, row, rows_file, taken_in
from tests.factories.policy import FILES

MAPPING = Mapping.model_validate(
    {
        "fields": {
            **{name: name for name in ("external_id", "body", "subject_id", "reporter_id")},
            **{name: name for name in ("received_at", "channel")},
        },
        "signals": {"threat": {"from": "threat", "type": "boolean"}},
    }
)
TABLES = {
    "cases": "*",
    "case_revisions": "*",
    "signal_readings": "case_id, revision, provider, version, known, unknown, cached, read_at",
    "decisions": "*",
    "gates": "*",
    "held_cases": "*",
    "intakes": "*",
}

days = st.integers(1, 28).map(lambda day: f"2026-02-{day:02}T12:00:00Z")
people = st.none() | st.sampled_from(["s1", "s2"])
bodies = st.sampled_from(["casino", "ein Casino für dich", "hello", "casino hello"])
said = st.none() | st.booleans()
tickets = st.builds(
    lambda body, received, subject, reporter, threat, channel: {
        "body": body,
        "received_at": received,
        "subject_id": subject,
        "reporter_id": reporter,
        "threat": threat,
        "channel": channel,
    },
    bodies,
    st.none() | days,
    people,
    people,
    said,
    st.none() | st.just("web"),
)
#: Tickets of their own, some of them twice, and revisions of others. Those are about nobody: what
#: is enriched later sees what was decided before, and the ways part there by what they are.
files = st.tuples(
    st.lists(tickets, max_size=12),
    st.lists(st.integers(0, 11), max_size=3),
    st.lists(st.tuples(st.sampled_from(["R-1", "R-2"]), bodies), max_size=4),
)
#: What is held while a file is taken in.
SCOPES = [("rule", "spam"), ("source", "test"), ("subject", "s1"), ("cases", "")]
held = st.lists(st.sampled_from(SCOPES), max_size=2, unique=True)

SPAM = {
    "body": "casino",
    "received_at": None,
    "subject_id": None,
    "reporter_id": None,
    "threat": False,
    "channel": None,
}
#: Spam about somebody and about nobody, one of it under the incident, and a revised one.
SOME_SPAM = ([SPAM, {**SPAM, "subject_id": "s1"}, SPAM], [], [("R-1", "hello"), ("R-1", "casino")])


def bundle() -> Bundle:
    return bundle_from_files(
        {
            **FILES,
            "bundle.yaml": FILES["bundle.yaml"].replace(
                "source: in_use", "source: in_use, history: in_use"
            ),
            "signals.yaml": FILES["signals.yaml"]
            + "subject_cases_total: {type: integer, provider: history, description: Cases.}\n",
            "rules.yaml": FILES["rules.yaml"].replace(
                "- {id: spam",
                "- {id: often, when: subject_cases_total >= 2, route: review, severity: P2,\n"
                "   queue: general, action: no_action, reason: Often.}\n- {id: spam",
            ),
        }
    )


def through(engine: Engine, policy: Bundle) -> StraightThrough:
    return StraightThrough(policy, [PatternProvider(policy.patterns)], [HistoryProvider(engine)])


@contextmanager
def two_stores(request: pytest.FixtureRequest, database: str) -> Iterator[tuple[Engine, Engine]]:
    """Two empty, migrated stores."""
    if database == "sqlite":
        with TemporaryDirectory() as folder:
            urls = [f"sqlite:///{folder}/{name}.db" for name in ("a", "b")]
            for url in urls:
                copyfile(request.getfixturevalue("migrated_sqlite"), url.removeprefix("sqlite:///"))
            yield from _opened(urls)
        return
    server, template = map(request.getfixturevalue, ("postgres_url", "migrated_postgres"))
    with postgres_database(server, template) as a, postgres_database(server, template) as b:
        yield from _opened([a, b])


def _opened(urls: Sequence[str]) -> Iterator[tuple[Engine, Engine]]:
    first, second = map(open_engine, urls)
    try:
        yield first, second
    finally:
        first.dispose()
        second.dispose()


def by_stages(engine: Engine, policy: Bundle) -> None:
    """Enrich and decide what waits, as the tasks do."""
    chosen = through(engine, policy)
    with transaction(engine) as session:
        page = cases_to_enrich(session, None, 1000)
        given = [each.read_now(page.evidence) for each in (*chosen.ahead, *chosen.within)]
        record_readings(session, page.evidence, given, BY, NOW)
    with transaction(engine) as session:
        adopt_bundle(session, policy, BY, NOW)
        facts = rows_for_policy(
            session, [case for _, case in enriched_cases(session, None, None, 1000)]
        )
        outcomes = decide(policy, frame(policy, [each.row for each in facts]))
        record_outcomes(session, policy, facts, outcomes, BY, NOW)


def hold(engine: Engine, scopes: Sequence[tuple[str, str]]) -> None:
    """Place holds; the one over an incident's cases is over the first ticket and a revised one."""
    with transaction(engine) as session:
        for number, (scope, value) in enumerate(scopes):
            session.add(active_hold(number, scope, value))
        for name in ("T-0", "R-1"):
            session.add(under_incident(case_id("test", name)))


def contents(engine: Engine) -> dict[str, list[Any]]:
    """All that a store holds, but for what says how long something took."""
    with reading(engine) as session:
        rows: dict[str, list[Any]] = {
            table: sorted(map(repr, session.execute(text(f"SELECT {columns} FROM {table}"))))
            for table, columns in TABLES.items()
        }
        return rows | {"acts": told(session)}


def told(session: Session) -> list[dict[str, Any]]:
    """All acts of a ledger whose chains hold, chain by chain, without their places in them."""
    assert ChainChecker().fault_in(chain_rows(session)) is None
    return [
        {name: act[name] for name in act if name not in ("position", "previous", "within")}
        for row in chain_rows(session)
        for act in acts(row.body)
    ]


@pytest.mark.parametrize(("database", "examples"), [("sqlite", 40), ("postgresql", 8)])
def test_a_file_gives_the_same_by_the_stages_and_straight_through(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, examples: int
) -> None:
    policy = bundle()

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @example(SOME_SPAM, SCOPES[:1])
    @example(SOME_SPAM, SCOPES[1:2])
    @example(SOME_SPAM, SCOPES[2:3])
    @example(SOME_SPAM, SCOPES[3:])
    @given(files, held)
    def check(
        file: tuple[list[dict[str, Any]], list[int], list[tuple[str, str]]],
        scopes: list[tuple[str, str]],
    ) -> None:
        single, again, revised = file
        rows = [{"external_id": f"T-{n}", **each} for n, each in enumerate(single)]
        rows += [rows[n] for n in again if n < len(single)]
        rows += [row(name, body=body, threat=False) for name, body in revised]
        path = rows_file(tmp_path / "a.jsonl", *rows)
        with two_stores(request, database) as (staged, straight):
            for engine in (staged, straight):
                hold(engine, scopes)
            taken_in(staged, path, mapping=MAPPING)
            chosen = through(straight, policy)
            run_intake(
                straight,
                path,
                "i1",
                BY,
                lambda: NOW,
                mapping=MAPPING,
                source="test",
                through=chosen,
            )
            for engine in (staged, straight):
                by_stages(engine, policy)
            assert contents(staged) == contents(straight)

    check()


def straight_in(engine: Engine, path: Path, chosen: StraightThrough, intake_id: str = "i1") -> None:
    run_intake(
        engine, path, intake_id, BY, lambda: NOW, source="test", batch_size=2, through=chosen
    )


def test_a_new_case_is_decided_when_it_is_read_and_its_history_says_so(
    engine: Engine, tmp_path: Path
) -> None:
    path = rows_file(tmp_path / "a.jsonl", *(row(f"T-{n}", body="casino") for n in range(5)))
    straight_in(engine, path, through(engine, bundle()))
    assert number_of(engine, Case, Case.status == "opened") == 0
    with reading(engine) as session:
        [case, *_] = session.scalars(text("SELECT id FROM cases ORDER BY id"))
    assert actions_in(engine, case)[:3] == ["case.opened", "case.enriched", "case.decided"]


def test_a_case_that_nobody_looks_at_has_one_entry_which_is_found_under_each_of_its_acts(
    engine: Engine, tmp_path: Path
) -> None:
    path = rows_file(tmp_path / "a.jsonl", row("T-1", body="casino", threat=False))
    policy = through(engine, bundle())
    run_intake(engine, path, "i1", BY, lambda: NOW, mapping=MAPPING, source="test", through=policy)
    case = case_id("test", "T-1")
    acts = ["case.opened", "case.enriched", "case.decided", "case.closed"]
    assert actions_in(engine, case) == ["case.completed"]
    with reading(engine) as session:
        assert [act["action"] for act in acts_of(session, case)] == acts
        for act in acts:
            assert len(search_entries(session, action=act)) == 1


def test_a_days_figures_count_what_went_straight_through(engine: Engine, tmp_path: Path) -> None:
    said = [{"body": "casino", "threat": False}, {"body": "hello"}, {"body": "casino"}]
    path = rows_file(tmp_path / "a.jsonl", *(row(f"T-{n}", **each) for n, each in enumerate(said)))
    policy = through(engine, bundle())
    run_intake(engine, path, "i1", BY, lambda: NOW, mapping=MAPPING, source="test", through=policy)
    start, region = NOW.replace(hour=0, minute=0), Region("country")
    end = start + timedelta(days=1)
    alert = Alert("volume", "all", "all", 3.0, 1.0, 3, 0.001, 0.01, 1, "", worse=True)
    with reading(engine) as session:
        found = {each.key: each for each in rows_between(session, start, end, region)}
        drivers = driving_cases(session, alert, start, end, region)
    assert found["volume", "all", "all"].n == 3
    assert found["reopened", "all", "all"].n == 1, "of so many that were closed"
    assert sorted(drivers) == sorted(case_id("test", f"T-{n}") for n in range(3))


def test_cases_of_earlier_batches_are_part_of_the_history(engine: Engine, tmp_path: Path) -> None:
    rows = [
        row(f"T-{n}", subject_id="s1", received_at=f"2026-02-{n + 1:02}T12:00:00Z")
        for n in range(4)
    ]
    straight_in(engine, rows_file(tmp_path / "a.jsonl", *rows), through(engine, bundle()))
    assert number_of(engine, Case, Case.rule_id == "often") == 2


def test_the_same_file_again_decides_nothing_anew(engine: Engine, tmp_path: Path) -> None:
    path = rows_file(tmp_path / "a.jsonl", row("T-1"), row("T-2"), row("T-3"))
    chosen = through(engine, bundle())
    straight_in(engine, path, chosen)
    straight_in(engine, path, chosen, "i2")
    assert number_of(engine, Decision) == number_of(engine, Case) == 3


class _Broken:
    name, version, signals = "patterns", "1", ("spam",)

    def read_now(self, evidence: Sequence[Evidence]) -> Sequence[Reading]:
        raise RuntimeError("secret text")

    def read_within(self, session: Session, evidence: Sequence[Evidence]) -> Sequence[Reading]:
        raise RuntimeError("secret text")


@pytest.mark.parametrize("where", ["ahead", "within"])
def test_a_provider_that_fails_leaves_its_batch_to_the_stages(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    path = rows_file(tmp_path / "a.jsonl", row("T-1"), row("T-2"))
    straight_in(engine, path, StraightThrough(bundle(), **{where: [_Broken()]}))
    assert number_of(engine, Case, Case.status == "opened") == 2
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text
