"""``casework qa agreement`` on files of ratings."""

import csv
import gzip
from itertools import combinations
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from deployments.cli.main import app
from tests.conftest import SHARED_DATA

ANNOTATIONS = SHARED_DATA / "hatecheck" / "all_annotations.csv.gz"

ROWS = [("i1", "ana", "yes"), ("i1", "ben", "yes"), ("i2", "ana", "no"), ("i2", "ben", "no")]


def measured(path: Path, *more: str, code: int = 0) -> Any:
    words = ["qa", "agreement", str(path), "--item", "item", "--rater", "rater", "--value", "value"]
    done = CliRunner().invoke(app, [*words, *more, "--json"])
    assert done.exit_code == code, done.output
    return orjson.loads(done.stdout)


def csv_file(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    lines = ["item,rater,value", *(",".join(row) for row in rows)]
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["ratings.csv", "ratings.csv.gz"])
def test_ratings_in_csv_are_measured(tmp_path: Path, name: str) -> None:
    found = measured(csv_file(tmp_path / name, ROWS))
    assert (found["items"], found["raters"], found["ratings"]) == (2, 2, 4)
    assert found["agreement"]["cohen_kappa"]["value"] == 1.0
    assert found["pairs"][0]["raters"] == ["ana", "ben"]
    for each in found["agreement"].values():
        assert each["method"]
        assert each["source"]
        assert "2 items, 2 raters" in each["population"]


def test_ratings_in_jsonl_may_be_numbers_and_missing(tmp_path: Path) -> None:
    rows = [("i1", "a", 1), ("i1", "b", 2), ("i2", "a", 3), ("i2", "b", 3), ("i3", "a", None)]
    path = tmp_path / "ratings.jsonl"
    keys = ("item", "rater", "value")
    path.write_bytes(
        b"".join(orjson.dumps(dict(zip(keys, row, strict=True))) + b"\n" for row in rows)
    )
    found = measured(path, "--level", "interval")
    assert (found["ratings"], found["items"]) == (4, 2)
    assert 0 < found["agreement"]["krippendorff_alpha"]["value"] < 1
    assert "cohen_kappa_quadratic" in found["agreement"]


def test_people_get_a_table(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "ratings.csv", ROWS)
    words = ["--item", "item", "--rater", "rater", "--value", "value"]
    done = CliRunner().invoke(app, ["qa", "agreement", str(path), *words])
    assert "krippendorff alpha" in done.output


@pytest.mark.parametrize(
    ("rows", "more", "told"),
    [
        ([], (), "holds no ratings"),
        ([("i1", "ana", "yes"), ("i1", "ana", "no")], (), "two values"),
        ([("", "ana", "yes")], (), "line 2 has nothing in `item`"),
        ([("i1", "ana", "high")], ("--level", "ordinal"), "no number"),
        ([("i1", "ana", "yes,no")], (), "line 2 cannot be read"),
        (ROWS, ("--confidence", "1.5"), "confidence"),
    ],
)
def test_what_cannot_be_measured_is_told(
    tmp_path: Path, rows: list[tuple[str, str, str]], more: tuple[str, ...], told: str
) -> None:
    error = measured(csv_file(tmp_path / "r.csv", rows), *more, code=3)["error"]
    assert error["code"] == "input"
    assert told in error["message"]
    assert error["hint"]


def test_a_column_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("item,rater,vlaue\ni1,ana,yes\n")
    error = measured(path, code=3)["error"]
    assert error["message"] == "line 2 has no `value`"
    assert error["hint"] == "did you mean `vlaue`?"


@pytest.mark.data
@pytest.mark.skipif(not ANNOTATIONS.exists(), reason=f"{ANNOTATIONS} is not there")
def test_hatechecks_annotators_agree_as_worked_out_by_hand(tmp_path: Path) -> None:
    with gzip.open(ANNOTATIONS, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    long = [
        (row["case_id"], f"annotator{n}", row[f"label_{n}"])
        for row in rows
        for n in range(1, 11)
        if row[f"label_{n}"]
    ]
    found = measured(csv_file(tmp_path / "hatecheck.csv.gz", long))
    assert (found["items"], found["raters"], found["ratings"]) == (3901, 10, 19505)
    observed, by_chance = by_votes([int(row["count_label_h"]) for row in rows], 5)
    kappa = (observed - by_chance) / (1 - by_chance)
    assert found["agreement"]["observed"]["value"] == pytest.approx(observed)
    assert found["agreement"]["fleiss_kappa"]["value"] == pytest.approx(kappa)
    # With all cells filled alpha is kappa but for a correction of one over all ratings.
    alpha = 1 - (1 - kappa) * (1 - 1 / len(long))
    assert found["agreement"]["krippendorff_alpha"]["value"] == pytest.approx(alpha)
    rated = ([f"annotator{n}" for n in range(1, 11) if row[f"label_{n}"]] for row in rows)
    together = {tuple(sorted(pair)) for raters in rated for pair in combinations(raters, 2)}
    assert together == {tuple(each["raters"]) for each in found["pairs"]}


def by_votes(hateful: list[int], votes: int) -> tuple[float, float]:
    """Agreement of pairs and by chance from the votes that the data set itself counts."""
    pairs = votes * (votes - 1)
    agreeing = [h * (h - 1) + (votes - h) * (votes - h - 1) for h in hateful]
    share = sum(hateful) / (votes * len(hateful))
    return sum(agreeing) / pairs / len(hateful), share**2 + (1 - share) ** 2
