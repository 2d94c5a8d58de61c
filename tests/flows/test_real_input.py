"""Published data sets through the whole pipeline, beside a computation of its own."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlmodel import col

from casework.resources import resource
from casework.store.engine import reading
from casework.store.tables import Case, Gate
from flows.intake import intake
from tests.conftest import SHARED_DATA
from tests.factories.plain_policy import Expected, PlainPolicy

pytestmark = [
    pytest.mark.slow,
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


@pytest.fixture
def policy() -> PlainPolicy:
    return PlainPolicy(resource("policies/default"))


@pytest.fixture
async def pipeline(deployed: None, store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipeline, in batches that cut the data in pieces."""
    monkeypatch.setenv("CASEWORK_BATCH_SIZE", "700")


def moderation_rows() -> list[dict[str, Any]]:
    with gzip.open(MODERATION, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def csv_rows(path: Path) -> list[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as lines:  # type: ignore[operator]
        return list(csv.DictReader(lines))


def decided(engine: Engine) -> dict[str, Case]:
    """Every case by its external id."""
    with reading(engine) as session:
        return {case.external_id: case for case in session.scalars(select(Case))}


async def run(path: Path, name: str) -> dict[str, int]:
    mapping = resource("samples/mappings") / f"{name}.yaml"
    return await intake(str(path), mapping=str(mapping))


def compare(
    engine: Engine, counts: dict[str, int], expected: dict[str, Expected]
) -> dict[str, Case]:
    """Hold counts and every single case to what was worked out for it; returns the cases."""
    cases = decided(engine)
    found = {
        name: Expected(str(case.route), case.rule_id, case.queue) for name, case in cases.items()
    }
    differing = {name for name in expected if found.get(name) != expected[name]}
    assert not differing, [
        (name, found.get(name), expected[name]) for name in sorted(differing)[:5]
    ]
    routes = Counter(each.route for each in expected.values())
    assert found.keys() == expected.keys(), "none lost, none made up"
    assert counts == {
        "received": len(expected),
        "opened": len(expected),
        "duplicates": 0,
        "revised": 0,
        "quarantined": 0,
        "closed": routes["close"],
        "review": routes["review"],
        "escalated": routes["escalate"],
    }
    waiting = {case.id for case in cases.values() if case.status == "waiting"}
    assert waiting == {case.id for case in cases.values() if case.route != "close"}
    with reading(engine) as session:
        assert set(session.scalars(select(col(Gate.case_id)))) == waiting
    return cases


async def test_the_moderation_set_goes_where_its_labels_and_words_send_it(
    store: Engine, pipeline: None, policy: PlainPolicy
) -> None:
    rows = moderation_rows()
    expected = {
        str(row["row"]): policy.expected(
            "",
            row["prompt"] or "",
            {
                "source": "openai-moderation",
                "kind": "moderation-sample",
                "channel": "evaluation",
                "revision": 1,
                **{signal: bool(row[key]) for key, signal in LABELS.items() if key in row},
            },
        )
        for row in rows
    }
    assert len(expected) == 1680
    cases = compare(store, await run(MODERATION, "openai-moderation"), expected)
    closed = {name for name, case in cases.items() if case.status == "closed"}
    assert closed, "some are labelled clean in every category"
    for row in rows:
        if any(row.get(key) for key in LABELS):
            assert str(row["row"]) not in closed, "no machine closes what anybody labelled"
        if any(key not in row for key in LABELS):
            assert str(row["row"]) not in closed, "a label that is missing is no label of clean"


async def test_hatecheck_goes_where_its_labels_and_words_send_it(
    store: Engine, pipeline: None, policy: PlainPolicy
) -> None:
    rows = csv_rows(HATECHECK)
    expected = {
        row["case_id"]: policy.expected(
            "",
            row["test_case"],
            {
                "source": "hatecheck",
                "kind": "functional-test",
                "channel": "evaluation",
                "language": "en",
                "revision": 1,
                "label_hateful": row["label_gold"] == "hateful",
            },
        )
        for row in rows
    }
    assert len(expected) == 3901
    cases = compare(store, await run(HATECHECK, "hatecheck"), expected)
    for row in rows:
        if row["label_gold"] == "hateful":
            assert cases[row["case_id"]].status == "waiting"


async def test_zendesk_tickets_go_where_their_words_send_them(
    store: Engine, pipeline: None, policy: PlainPolicy
) -> None:
    expected = {
        row["id"]: policy.expected(
            row["subject"],
            row["description"],
            {
                "source": "zendesk",
                "kind": row["type"] or None,
                "channel": row["via_channel"] or None,
                "revision": 1,
            },
        )
        for row in csv_rows(ZENDESK)
    }
    compare(store, await run(ZENDESK, "zendesk-tickets"), expected)
