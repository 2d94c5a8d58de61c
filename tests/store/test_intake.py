"""Intake in the store: each case opened once, whatever happens and however often."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from sqlmodel import col

from casework.cases import Item, case_id
from casework.errors import Conflict, InputError
from casework.intake import Counts
from casework.ledger.acts import telling
from casework.mapping import Mapping, identity
from casework.rows import BadRow, read_rows
from casework.store.arrivals import arrived
from casework.store.engine import open_engine, reading, transaction
from casework.store.incoming import Incoming
from casework.store.intake import record_batch, start_intake
from casework.store.intake_run import run_intake, weighed
from casework.store.ledger import acts_of
from casework.store.schema import upgrade
from casework.store.tables import (
    Case,
    CaseRevision,
    Gate,
    Intake,
    LedgerEntry,
    Quarantined,
    SignalReading,
)
from tests.factories.gates import waiting_case
from tests.factories.intake import (
    BY,
    NOW,
    actions_in,
    entry_bodies,
    number_of,
    row,
    rows_file,
    taken_in,
)

ROOT = Path(__file__).resolve().parents[2]


def case_of(engine: Engine, external_id: str, source: str = "test") -> Case:
    with reading(engine) as session:
        return session.get_one(Case, case_id(source, external_id))


def test_a_row_opens_its_case_with_content_and_history(engine: Engine, tmp_path: Path) -> None:
    at = "2026-01-02T03:04:05+01:00"
    file = rows_file(tmp_path / "a.jsonl", row("T-1", received_at=at, subject_id="s", plan="x"))
    assert taken_in(engine, file) == Counts(received=1, opened=1)
    case = case_of(engine, "T-1")
    assert (case.status, case.revision, case.intake_id) == ("opened", 1, "i1")
    assert case.received_at.isoformat() == "2026-01-02T02:04:05+00:00"
    assert case.opened_at == NOW
    with reading(engine) as session:
        kept = session.get_one(CaseRevision, (case.id, 1))
    item = Item.model_validate(kept.content)
    assert (item.body, item.attributes) == ("body of T-1", {"plan": "x"})
    assert item.content_digest() == kept.content_digest == case.content_digest
    assert actions_in(engine, case.id) == ["case.opened"]
    assert actions_in(engine, "i1") == ["intake.started", "intake.finished"]


def test_a_case_without_a_time_of_its_own_was_received_when_it_was_read(
    engine: Engine, tmp_path: Path
) -> None:
    taken_in(engine, rows_file(tmp_path / "a.jsonl", row("T-1")))
    assert case_of(engine, "T-1").received_at == NOW


def test_the_same_file_twice_opens_nothing_the_second_time(engine: Engine, tmp_path: Path) -> None:
    file = rows_file(tmp_path / "a.jsonl", row("T-1"), row("T-2"), b"broken", row("T-1"))
    assert taken_in(engine, file, "i1") == Counts(4, opened=2, duplicates=1, quarantined=1)
    assert taken_in(engine, file, "i2") == Counts(4, duplicates=3, quarantined=1)
    assert number_of(engine, Case) == number_of(engine, CaseRevision) == 2
    assert number_of(engine, Quarantined) == 1
    assert actions_in(engine, case_id("test", "T-1")) == ["case.opened"]


def test_an_intake_that_is_finished_is_not_read_again(engine: Engine, tmp_path: Path) -> None:
    file = rows_file(tmp_path / "a.jsonl", row("T-1"))
    first = taken_in(engine, file, "i1")
    rows_file(file, row("T-1"), row("T-2"))
    assert taken_in(engine, file, "i1") == first
    assert number_of(engine, Case) == 1


@pytest.mark.parametrize("batch_size", [1, 5000])
def test_other_content_is_a_new_revision_within_a_file_too(
    engine: Engine, tmp_path: Path, batch_size: int
) -> None:
    file = rows_file(
        tmp_path / "a.jsonl", row("T-1"), row("T-1", body="newer"), row("T-1"), row("T-1", kind="k")
    )
    assert taken_in(engine, file, batch_size=batch_size) == Counts(
        4, opened=1, duplicates=1, revised=2
    )
    case = case_of(engine, "T-1")
    assert (case.revision, case.kind, case.status) == (3, "k", "opened")
    assert number_of(engine, CaseRevision) == 3
    assert actions_in(engine, case.id) == ["case.opened", "case.revised", "case.revised"]


def test_replaying_an_older_file_does_not_turn_a_case_back(engine: Engine, tmp_path: Path) -> None:
    older = rows_file(tmp_path / "a.jsonl", row("T-1"))
    newer = rows_file(tmp_path / "b.jsonl", row("T-1", body="newer"))
    assert taken_in(engine, older, "i1").opened == 1
    assert taken_in(engine, newer, "i2").revised == 1
    assert taken_in(engine, older, "i3") == Counts(1, duplicates=1)
    assert case_of(engine, "T-1").revision == 2


def test_one_external_id_in_two_sources_is_two_cases(engine: Engine, tmp_path: Path) -> None:
    file = rows_file(tmp_path / "a.jsonl", row("T-1"))
    assert taken_in(engine, file, "i1", source="one").opened == 1
    assert taken_in(engine, file, "i2", source="two").opened == 1


@pytest.mark.parametrize("status", ["open", "decided", "carried_out"])
def test_a_new_revision_supersedes_gates_that_are_not_carried_out(
    engine: Engine, tmp_path: Path, status: str
) -> None:
    gate = waiting_case(engine, "T-1")
    with transaction(engine) as session:
        session.execute(update(Gate).values(status=status))
    file = rows_file(tmp_path / "a.jsonl", row("T-1", body="newer", queue="x"))
    assert taken_in(engine, file).revised == 1
    with reading(engine) as session:
        found = session.get_one(Gate, gate)
    case = case_of(engine, "T-1")
    assert found.status == ("carried_out" if status == "carried_out" else "superseded")
    assert found.settled_at is None
    superseded = actions_in(engine, case.id).count("gate.superseded")
    assert superseded == (0 if status == "carried_out" else 1)
    assert (case.status, case.revision, case.intake_id) == ("opened", 2, "i1")
    decided = (case.route, case.severity, case.queue, case.action, case.rule_id)
    assert decided == (None,) * 5
    assert case.policy_digest is None


def test_a_duplicate_leaves_a_waiting_case_and_its_gate_alone(
    engine: Engine, tmp_path: Path
) -> None:
    gate = waiting_case(engine, "T-1")
    assert taken_in(engine, rows_file(tmp_path / "a.jsonl", row("T-1"))).duplicates == 1
    case = case_of(engine, "T-1")
    assert (case.status, case.intake_id, case.revision) == ("waiting", "i1", 1)
    with reading(engine) as session:
        assert session.get_one(Gate, gate).status == "open"


def test_cases_that_a_stopped_intake_left_undecided_are_taken_over(
    engine: Engine, tmp_path: Path
) -> None:
    file = rows_file(tmp_path / "a.jsonl", row("T-1"), row("T-2"))
    taken_in(engine, file, "i1")
    with transaction(engine) as session:
        closed = col(Case.id) == case_id("test", "T-2")
        session.execute(update(Case).where(closed).values(status="closed"))
    assert taken_in(engine, file, "i2").duplicates == 2
    assert case_of(engine, "T-1").intake_id == "i2"
    assert case_of(engine, "T-2").intake_id == "i1"
    assert "intake.adopted" in actions_in(engine, "i2")


def test_signals_of_the_source_are_a_reading_and_absent_ones_are_unknown(
    engine: Engine, tmp_path: Path
) -> None:
    mapping = Mapping.model_validate(
        {"fields": {"external_id": "id"}, "signals": {"hate": "H", "spam": "S"}}
    )
    file = rows_file(tmp_path / "a.jsonl", {"id": "T-1", "H": False}, {"id": "T-2"})
    taken_in(engine, file, mapping=mapping)
    with reading(engine) as session:
        first, second = (
            session.get_one(SignalReading, (case_id("test", name), 1, "source"))
            for name in ("T-1", "T-2")
        )
    assert (first.known, list(first.unknown)) == ({"hate": False}, ["spam"])
    assert (second.known, sorted(second.unknown)) == ({}, ["hate", "spam"])
    assert first.version == mapping.digest


def test_the_ledger_and_the_details_of_quarantine_quote_nothing(
    engine: Engine, tmp_path: Path
) -> None:
    secret = "zwetschgendatschi"
    file = rows_file(
        tmp_path / "a.jsonl",
        row("T-1", body=secret, title=secret),
        f'{{"{secret}": "{secret}'.encode(),
        row("T-2", kind=[secret]),
        row("T-3", received_at=secret),
        f'{{"external_id": "T-4", "{secret}": 1, "{secret}": 2}}'.encode(),
    )
    assert taken_in(engine, file).quarantined == 4
    with reading(engine) as session:
        details = session.scalars(select(col(Quarantined.detail))).all()
        raws = session.scalars(select(col(Quarantined.raw))).all()
    assert secret not in entry_bodies(engine) + "".join(details)
    assert all(secret.encode() in raw for raw in raws)


def test_batches_are_recorded_in_turn_and_each_once(engine: Engine) -> None:
    incoming = Incoming("i1", "test", identity())
    items = [arrived("test", 1, Item(external_id="T-1"))]
    with transaction(engine) as session:
        start_intake(session, incoming, "a.jsonl", BY, NOW)
        record_batch(session, incoming, items, [], BY, NOW, after=0)
    with pytest.raises(Conflict), transaction(engine) as session:
        record_batch(session, incoming, items, [], BY, NOW, after=0)
    with reading(engine) as session:
        assert session.get_one(Intake, "i1").received == 1


def test_an_intake_is_not_gone_on_with_under_another_mapping(
    engine: Engine, tmp_path: Path
) -> None:
    file = rows_file(tmp_path / "a.jsonl", row("T-1"))
    taken_in(engine, file, "i1")
    with pytest.raises(Conflict):
        taken_in(engine, file, "i1", source="other")


class Stopped(Exception):
    """Stands for whatever stops a process between two batches."""


@pytest.mark.parametrize("batches", [0, 1, 2, 3])
def test_an_intake_that_was_stopped_goes_on_where_it_was(
    engine: Engine, tmp_path: Path, batches: int
) -> None:
    rows = [row(f"T-{n}") if n % 4 else b"broken %d" % n for n in range(1, 11)]
    file = rows_file(tmp_path / "a.jsonl", *rows)
    seen = 0

    def stop(_: Counts) -> None:
        nonlocal seen
        seen += 1
        if seen > batches:
            raise Stopped

    with pytest.raises(Stopped):
        run_intake(engine, file, "i1", BY, lambda: NOW, source="test", batch_size=3, progress=stop)
    assert taken_in(engine, file, "i1", batch_size=3) == Counts(10, opened=8, quarantined=2)
    assert number_of(engine, Case) == 8
    assert number_of(engine, LedgerEntry, col(LedgerEntry.action) == "case.opened") == 8


def test_an_intake_that_fails_says_so_and_why_until_it_is_gone_on_with(
    engine: Engine, tmp_path: Path
) -> None:
    file = rows_file(tmp_path / "a.jsonl", *(row(f"T-{n}") for n in range(4)))

    def fail(counts: Counts) -> None:
        raise InputError("secret text")

    with pytest.raises(InputError):
        run_intake(engine, file, "i1", BY, lambda: NOW, source="test", batch_size=2, progress=fail)
    with reading(engine) as session:
        assert session.get_one(Intake, "i1").status == "failed"
        [*_, failed] = acts_of(session, "i1")
    assert failed["data"] == {"error": "input", "received": 2}
    assert taken_in(engine, file, "i1", batch_size=2).opened == 4
    assert actions_in(engine, "i1")[1:] == ["intake.failed", "intake.resumed", "intake.finished"]
    with reading(engine) as session:
        assert session.get_one(Intake, "i1").status == "finished"


def test_who_comes_second_to_an_intake_does_not_call_it_failed(
    engine: Engine, tmp_path: Path
) -> None:
    file = rows_file(tmp_path / "a.jsonl", *(row(f"T-{n}") for n in range(4)))

    def overtake(_: Counts) -> None:
        item = arrived("test", 3, Item(external_id="T-2"))
        with transaction(engine) as session:
            record_batch(session, Incoming("i1", "test", identity()), [item], [], BY, NOW)

    with pytest.raises(Conflict):
        run_intake(
            engine, file, "i1", BY, lambda: NOW, source="test", batch_size=2, progress=overtake
        )
    with reading(engine) as session:
        assert session.get_one(Intake, "i1").status == "running"


def test_a_batch_ends_at_a_weight_so_that_long_rows_fit_in_memory() -> None:
    bad = BadRow(1, b"x" * 10_000_000, 10_000_000, "d", "line_too_long", "")
    assert [len(batch) for batch in weighed([bad] * 5, 100)] == [2, 2, 1]
    assert [len(batch) for batch in weighed([bad] * 3, 1)] == [1, 1, 1]


def test_a_file_that_cannot_be_read_starts_no_intake(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        taken_in(engine, tmp_path / "missing.jsonl")
    assert number_of(engine, Intake) == 0


LINES = st.lists(
    st.binary(max_size=40)
    | st.sampled_from(["T-1", "T-2"]).map(lambda name: f'{{"external_id": "{name}"}}'.encode())
    | st.builds(
        lambda name, body: f'{{"external_id":"{name}","body":"{body}"}}'.encode(),
        st.sampled_from(["T-1", "T-2", "T-3", ""]),
        st.sampled_from(["one", "two"]),
    ),
    max_size=15,
)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(lines=LINES, batch_size=st.integers(1, 6), format=st.sampled_from(["jsonl", "csv"]))
def test_every_row_of_any_file_ends_in_exactly_one_way(
    engine: Engine, tmp_path: Path, lines: list[bytes], batch_size: int, format: str
) -> None:
    file = tmp_path / "any.bin"
    file.write_bytes(b"\n".join(lines))
    columns = {"csv": {"columns": ["external_id", "body"]}} if format == "csv" else {}
    mapping = Mapping.model_validate({**identity().document, "format": format, **columns})
    source = f"s{number_of(engine, Intake)}"
    options = {"mapping": mapping, "source": source, "batch_size": batch_size}
    counts = taken_in(engine, file, f"{source}-1", **options)  # type: ignore[arg-type]
    again = taken_in(engine, file, f"{source}-2", **options)  # type: ignore[arg-type]
    with file.open("rb") as stream:
        read = sum(
            1 for _ in read_rows(stream, format=mapping.format, columns=mapping.csv.columns).rows
        )
    assert counts.received == read
    assert counts.opened + counts.duplicates + counts.revised + counts.quarantined == read
    assert again == Counts(
        read, duplicates=read - counts.quarantined, quarantined=counts.quarantined
    )
    assert number_of(engine, Case, col(Case.source) == source) == counts.opened
    revisions = number_of(engine, CaseRevision, col(CaseRevision.intake_id) == f"{source}-1")
    assert revisions == counts.opened + counts.revised
    assert number_of(engine, Quarantined, col(Quarantined.source) == source) == counts.quarantined


READER = """
import sys
from tests.factories.intake import BY, NOW
from tests.store.test_straight import bundle, through
from casework.store.engine import open_engine
from casework.store.intake_run import run_intake
url, path, intake, size = sys.argv[1:]
engine = open_engine(url)
given = {"source": "test", "batch_size": int(size), "through": through(engine, bundle())}
counts = run_intake(engine, path, intake, BY, lambda: NOW, **given)
sys.stdout.write(f"{counts.opened} {counts.duplicates} {counts.revised}")
"""


def reader(url: str, path: Path, intake: str, size: int) -> subprocess.Popen[str]:
    """Another process that reads a file, its new cases straight through."""
    command = [sys.executable, "-c", READER, url, str(path), intake, str(size)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def many_rows(path: Path, number: int) -> Path:
    """Rows half of which a machine closes."""
    bodies, signals = ("casino", "hello"), {"threat": False}
    rows = (row(f"T-{n}", body=bodies[n % 2], signals=signals) for n in range(number))
    return rows_file(path, *rows)


def each_opened_once(engine: Engine, number: int) -> bool:
    opened = col(LedgerEntry.action).in_(telling("case.opened"))
    counts: Sequence[int] = (
        number_of(engine, Case),
        number_of(engine, CaseRevision),
        number_of(engine, LedgerEntry, opened),
    )
    return set(counts) == {number}


@pytest.mark.slow
def test_a_reader_killed_in_the_middle_leaves_nothing_half_done(
    store_url: str, tmp_path: Path
) -> None:
    engine, number = open_engine(store_url), 3000
    file = many_rows(tmp_path / "a.jsonl", number)
    kills = 0
    for wanted in (1, 600, 1500):
        process = reader(store_url, file, "i1", 60)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if number_of(engine, Case) >= wanted:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.005)
        process.communicate()
    assert kills
    assert number_of(engine, LedgerEntry, col(LedgerEntry.action) == "case.completed")
    assert taken_in(engine, file, "i1", batch_size=20) == Counts(number, opened=number)
    assert each_opened_once(engine, number)
    assert taken_in(engine, file, "i2").duplicates == number
    engine.dispose()


@pytest.mark.slow
def test_two_readers_of_the_same_file_open_each_case_once(store_url: str, tmp_path: Path) -> None:
    engine, number = open_engine(store_url), 2000
    upgrade(engine)
    file = many_rows(tmp_path / "a.jsonl", number)
    backwards = rows_file(tmp_path / "b.jsonl", *reversed(file.read_bytes().splitlines()))
    readers = [reader(store_url, path, f"i{n}", 50) for n, path in enumerate((file, backwards))]
    ends = [process.communicate(timeout=240) for process in readers]
    assert [process.returncode for process in readers] == [0, 0], ends
    told = [list(map(int, out.split())) for out, _ in ends]
    assert sum(opened for opened, _, _ in told) == number
    assert sum(duplicates for _, duplicates, _ in told) == number
    assert each_opened_once(engine, number)
    engine.dispose()
