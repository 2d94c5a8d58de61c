"""Quarantined rows: looked at, retried, discarded."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from casework.cases import Item, case_id
from casework.errors import Conflict, InputError, NotFound, RowFault
from casework.mapping import Mapping
from casework.rows import KEPT_LIMIT
from casework.store.engine import reading, transaction
from casework.store.quarantine import discard_row, list_rows, reasons_of, row_by_id, row_id
from casework.store.retrying import Correction, Retried, retry_row
from casework.store.tables import Case, CaseRevision, Quarantined
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


def quarantined(engine: Engine, tmp_path: Path, *rows: Any, **options: Any) -> list[str]:
    """Read a file of bad rows; return their ids."""
    taken_in(engine, rows_file(tmp_path / "a.jsonl", *rows), **options)
    with reading(engine) as session:
        return [each.id for each in list_rows(session)]


def retried(engine: Engine, identity: str, **correction: Any) -> Retried:
    with transaction(engine) as session:
        return retry_row(session, identity, Correction(**correction), BY, NOW)


def row_now(engine: Engine, identity: str) -> Quarantined:
    with reading(engine) as session:
        return row_by_id(session, identity)


def content_of(engine: Engine, case: str) -> Item:
    with reading(engine) as session:
        return Item.model_validate(session.get_one(CaseRevision, (case, 1)).content)


def test_a_bad_row_is_kept_with_its_line_its_reason_and_its_bytes(
    engine: Engine, tmp_path: Path
) -> None:
    [identity] = quarantined(engine, tmp_path, row("T-1"), b'{"a": \xff')
    found = row_now(engine, identity)
    assert (found.line, found.reason, found.status) == (2, "invalid_utf8", "waiting")
    assert found.raw == b'{"a": \xff'
    assert found.raw_size == len(found.raw)
    assert identity == row_id("test", 2, found.raw_digest)
    assert actions_in(engine, "i1")[1:2] == ["row.quarantined"]


def test_rows_are_listed_by_status_source_and_reason(engine: Engine, tmp_path: Path) -> None:
    first, second = quarantined(engine, tmp_path, b"broken", b"[]")
    with transaction(engine) as session:
        discard_row(session, first, "a test", BY, NOW)
    with reading(engine) as session:
        assert [each.id for each in list_rows(session)] == [second]
        assert [each.id for each in list_rows(session, status="discarded")] == [first]
        assert len(list_rows(session, status=None)) == 2
        assert [each.id for each in list_rows(session, reason="not_an_object")] == [second]
        assert list_rows(session, source="other") == []
        assert len(list_rows(session, status=None, limit=1)) == 1
        assert reasons_of(session, "i1") == {"broken_json": 1, "not_an_object": 1}


def test_corrected_fields_make_a_case_of_a_row(engine: Engine, tmp_path: Path) -> None:
    [identity] = quarantined(engine, tmp_path, {"body": "no id", "score": 1})
    done = retried(engine, identity, fields={"external_id": "T-9", "score": "2.5"})
    assert done == Retried(case_id("test", "T-9"), "opened")
    item = content_of(engine, done.case_id)
    assert (item.external_id, item.attributes) == ("T-9", {"score": 2.5})
    found = row_now(engine, identity)
    assert (found.status, found.case_id, found.resolved_by) == (
        "retried",
        done.case_id,
        BY.actor,
    )
    assert actions_in(engine, "i1")[-1] == "row.retried"
    assert actions_in(engine, done.case_id) == ["case.opened"]
    assert "no id" not in entry_bodies(engine)


def test_corrected_bytes_make_a_case_of_a_row(engine: Engine, tmp_path: Path) -> None:
    [identity] = quarantined(engine, tmp_path, b'{"external_id": "T-1", "body": "\xff"}')
    done = retried(engine, identity, raw=b'{"external_id": "T-1", "body": "y"}\r\n')
    assert content_of(engine, done.case_id).body == "y"


def test_a_corrected_mapping_makes_a_case_of_a_row(engine: Engine, tmp_path: Path) -> None:
    def mapping(values: dict[str, str]) -> Mapping:
        kind = {"from": "type", "values": values}
        return Mapping.model_validate({"fields": {"external_id": "id", "kind": kind}})

    rows = [{"id": "T-1", "type": "new"}]
    [identity] = quarantined(engine, tmp_path, *rows, mapping=mapping({"old": "o"}))
    with pytest.raises(RowFault) as refused:
        retried(engine, identity)
    assert refused.value.reason == "unmapped_value"
    assert row_now(engine, identity).status == "waiting"
    done = retried(engine, identity, mapping=mapping({"old": "o", "new": "n"}))
    assert content_of(engine, done.case_id).kind == "n"


def test_a_row_of_csv_is_read_again_with_the_columns_of_its_file(
    engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"external_id;body\nT-1;x;y\nT-2;ok\n")
    mapping = Mapping.model_validate(
        {"fields": {"external_id": "external_id", "body": "body"}, "csv": {"delimiter": ";"}}
    )
    taken_in(engine, file, mapping=mapping)
    with reading(engine) as session:
        [identity] = [each.id for each in list_rows(session)]
    with pytest.raises(RowFault):
        retried(engine, identity)
    done = retried(engine, identity, raw=b'T-1;"x;y"\n', fields={"body": "7"})
    assert content_of(engine, done.case_id).body == "7"


def test_a_row_that_is_still_bad_says_why_and_waits_on(engine: Engine, tmp_path: Path) -> None:
    [identity] = quarantined(engine, tmp_path, b"broken")
    with pytest.raises(RowFault) as refused:
        retried(engine, identity)
    assert refused.value.reason == "broken_json"
    assert row_now(engine, identity).status == "waiting"
    assert number_of(engine, Case) == 0


def test_a_row_whose_case_is_there_already_is_a_duplicate_of_it(
    engine: Engine, tmp_path: Path
) -> None:
    [identity] = quarantined(engine, tmp_path, row("T-1"), {"body": "body of T-1"})
    assert retried(engine, identity, fields={"external_id": "T-1"}).outcome == "duplicates"


def test_a_row_is_retried_or_discarded_once(engine: Engine, tmp_path: Path) -> None:
    first, second = quarantined(engine, tmp_path, {"body": "a"}, {"body": "b"})
    retried(engine, first, fields={"external_id": "T-1"})
    with transaction(engine) as session:
        discard_row(session, second, "test data", BY, NOW)
    for identity in (first, second):
        with pytest.raises(Conflict):
            retried(engine, identity, fields={"external_id": "T-2"})
        with pytest.raises(Conflict), transaction(engine) as session:
            discard_row(session, identity, "again", BY, NOW)
    assert actions_in(engine, "i1")[-2:] == ["row.retried", "row.discarded"]


def test_a_row_is_not_discarded_without_a_reason(engine: Engine, tmp_path: Path) -> None:
    [identity] = quarantined(engine, tmp_path, b"broken")
    with pytest.raises(InputError), transaction(engine) as session:
        discard_row(session, identity, "  ", BY, NOW)


def test_a_row_that_was_dealt_with_counts_as_a_duplicate_when_its_file_comes_again(
    engine: Engine, tmp_path: Path
) -> None:
    first, _ = quarantined(engine, tmp_path, b"broken", b"[]")
    with transaction(engine) as session:
        discard_row(session, first, "test data", BY, NOW)
    counts = taken_in(engine, tmp_path / "a.jsonl", "i2")
    assert (counts.received, counts.duplicates, counts.quarantined) == (2, 1, 1)
    assert number_of(engine, Quarantined) == 2


def test_a_row_too_long_to_keep_must_be_given_anew(engine: Engine, tmp_path: Path) -> None:
    [identity] = quarantined(engine, tmp_path, b"x" * (KEPT_LIMIT + 1))
    found = row_now(engine, identity)
    assert (len(found.raw), found.raw_size) == (KEPT_LIMIT, KEPT_LIMIT + 1)
    with pytest.raises(InputError, match="were kept"):
        retried(engine, identity)
    assert retried(engine, identity, raw=b'{"external_id": "T-1"}').outcome == "opened"


def test_a_row_nobody_has_seen_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound):
        retried(engine, "q0")
