"""Published data sets through their mappings, counted against a reading of their own."""

import csv
import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlmodel import col

from casework.cases import Item, case_id
from casework.intake import Counts
from casework.mapping import load_mapping
from casework.resources import resource
from casework.store.engine import reading
from casework.store.tables import Case, CaseRevision, SignalReading
from tests.conftest import SHARED_DATA
from tests.factories.intake import number_of, taken_in

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not SHARED_DATA.is_dir(), reason=f"{SHARED_DATA} is not there"),
]

MODERATION = SHARED_DATA / "openai-moderation-eval" / "samples-1680.jsonl.gz"
HATECHECK = SHARED_DATA / "hatecheck" / "all_cases.csv.gz"
ZENDESK = SHARED_DATA / "zendesk-seed-tables" / "ticket_data.csv"

LABELS = {
    "S": "label_sexual",
    "H": "label_hate",
    "V": "label_violence",
    "HR": "label_harassment",
    "SH": "label_self_harm",
    "S3": "label_sexual_minors",
    "H2": "label_hate_threatening",
    "V2": "label_violence_graphic",
}


def through(engine: Engine, path: Path, name: str) -> Counts:
    mapping = load_mapping(resource("samples/mappings") / f"{name}.yaml")
    return taken_in(engine, path, mapping=mapping, source=name, batch_size=700)


def items_of(engine: Engine) -> dict[str, Item]:
    with reading(engine) as session:
        contents = session.scalars(select(col(CaseRevision.content))).all()
    items = [Item.model_validate(content) for content in contents]
    return {item.external_id: item for item in items}


def rows_of_csv(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return list(csv.DictReader(text.splitlines(keepends=True)))


def test_the_moderation_set_opens_a_case_for_each_row_with_its_labels(engine: Engine) -> None:
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in gzip.decompress(MODERATION.read_bytes()).splitlines()
    ]
    assert through(engine, MODERATION, "openai-moderation") == Counts(1680, opened=1680)
    assert number_of(engine, Case) == len(rows) == 1680
    items = items_of(engine)
    told: Counter[tuple[str, Any]] = Counter()
    unknown: Counter[str] = Counter()
    with reading(engine) as session:
        for found in session.scalars(select(SignalReading)):
            told.update(found.known.items())
            unknown.update(list(found.unknown))
    for key, signal in LABELS.items():
        values = Counter(row[key] for row in rows if key in row)
        assert (told[signal, True], told[signal, False]) == (values[1], values[0])
        assert unknown[signal] == len(rows) - sum(values.values())
    assert sum(item.body == "" for item in items.values()) == 86
    assert sum(item.attributes.get("withheld") is True for item in items.values()) == 86
    for row in rows:
        assert items[str(row["row"])].body == (row["prompt"] or "")


def test_the_moderation_set_read_again_changes_nothing(engine: Engine) -> None:
    through(engine, MODERATION, "openai-moderation")
    mapping = load_mapping(resource("samples/mappings/openai-moderation.yaml"))
    again = taken_in(engine, MODERATION, "i2", mapping=mapping, source="openai-moderation")
    assert again == Counts(1680, duplicates=1680)


def test_hatecheck_opens_a_case_for_each_test_with_its_gold_label(engine: Engine) -> None:
    rows = rows_of_csv(HATECHECK)
    assert through(engine, HATECHECK, "hatecheck") == Counts(len(rows), opened=len(rows))
    items = items_of(engine)
    assert len(items) == len(rows) == 3901
    for row in rows:
        item = items[row["case_id"]]
        assert item.body == row["test_case"]
        assert item.signals == {"label_hateful": row["label_gold"] == "hateful"}
        assert item.attributes["functionality"] == row["functionality"]
        assert item.attributes.get("target") == (row["target_ident"] or None)


def test_zendesk_tickets_become_cases_with_times_in_utc_and_empty_values_left_out(
    engine: Engine,
) -> None:
    rows = rows_of_csv(ZENDESK)
    assert through(engine, ZENDESK, "zendesk-tickets") == Counts(len(rows), opened=len(rows))
    items = items_of(engine)
    for row in rows:
        item = items[row["id"]]
        at = datetime.strptime(row["created_at"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        assert item.received_at == at
        assert (item.title, item.body) == (row["subject"], row["description"])
        assert item.kind == (row["type"] or None)
        assert item.attributes.get("priority") == (row["priority"] or None)
        assert item.attributes["public"] is (row["is_public"] == "TRUE")
        merged = row["merged_ticket_ids"]
        assert item.attributes.get("merged_tickets") == (None if merged in ("", "[]") else merged)
    with reading(engine) as session:
        first = session.get_one(Case, case_id("zendesk-tickets", rows[0]["id"]))
    assert first.reporter_id == rows[0]["requester_id"]
