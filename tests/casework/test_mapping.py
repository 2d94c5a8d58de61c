"""Mapping rows to items, and the faults of mapping files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.canonical import canonical
from casework.cases import Item
from casework.errors import MappingError, RowFault
from casework.mapping import Mapping, apply, identity, load_mapping, parse_mapping


def mapping(**parts: Any) -> Mapping:
    fields = {"external_id": "id", **parts.pop("fields", {})}
    return Mapping.model_validate({"fields": fields, **parts})


def attribute(target: Any, row: dict[str, Any]) -> Any:
    """The value that one target gives."""
    made = apply(mapping(attributes={"value": target}), {"id": "1", **row})
    return made.attributes.get("value")


def refusal(target: Any, row: dict[str, Any]) -> str:
    with pytest.raises(RowFault) as refused:
        attribute(target, row)
    return refused.value.reason


def test_a_field_is_taken_by_its_name_or_by_its_path() -> None:
    row = {"a": {"b": [{"c": "deep"}]}, "x.y": "flat", "x": {"y": "not this"}}
    assert attribute("a.b.0.c", row) == "deep"
    assert attribute("x.y", row) == "flat"
    assert attribute("a.b.7.c", row) is None
    assert attribute("a.b.c.d", row) is None


def test_constants_templates_and_joined_fields_make_values() -> None:
    row = {"a": "one", "b": "", "n": 7}
    assert attribute({"constant": 3}, row) == 3
    assert attribute({"template": "{a} ({n})"}, row) == "one (7)"
    assert attribute({"template": "{b}{missing}"}, row) is None
    assert attribute({"concat": ["a", "b", "n"], "separator": " / "}, row) == "one / 7"
    assert attribute({"concat": ["b"]}, row) is None


@pytest.mark.parametrize(
    ("kind", "given_", "expected"),
    [
        ("text", 1_234_567_890_123_456_789, "1234567890123456789"),
        ("text", "007", "007"),
        ("integer", " -12 ", -12),
        ("integer", 3.0, 3),
        ("number", "1.5e3", 1500.0),
        ("number", 2, 2),
        ("boolean", "YES", True),
        ("boolean", 0, False),
        ("boolean", False, False),
        (None, [1, {"a": 2}], '[1,{"a":2}]'),
    ],
)
def test_values_are_read_as_their_type_says(kind: str, given_: Any, expected: Any) -> None:
    value = attribute({"from": "v", **({"type": kind} if kind else {})}, {"v": given_})
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("kind", "given_", "reason"),
    [
        ("text", ["a"], "wrong_type"),
        ("text", True, "wrong_type"),
        ("text", 1.5, "wrong_type"),
        ("integer", "1_000", "wrong_type"),
        ("integer", "١٢", "wrong_type"),
        ("integer", "1.5", "wrong_type"),
        ("integer", True, "wrong_type"),
        ("integer", 2**53, "number_out_of_range"),
        ("integer", 1e300, "number_out_of_range"),
        ("number", "NaN", "wrong_type"),
        ("number", "9e999", "number_out_of_range"),
        ("boolean", "maybe", "wrong_type"),
        ("boolean", 2, "wrong_type"),
        ("time", "2026-02-30", "bad_time"),
        ("time", "2026-01-01T10:00:00", "bad_time"),
        ("time", "0001-01-01T00:00:00+14:00", "bad_time"),
        ("time", 5, "wrong_type"),
        (None, 2**60, "number_out_of_range"),
    ],
)
def test_a_value_of_another_type_is_refused(kind: str | None, given_: Any, reason: str) -> None:
    assert refusal({"from": "v", **({"type": kind} if kind else {})}, {"v": given_}) == reason


@pytest.mark.parametrize(
    ("options", "given_"),
    [
        ({}, "2026-03-02T10:30:00+01:00"),
        ({}, "2026-03-02T09:30:00Z"),
        ({"timezone": "Europe/Berlin"}, "2026-03-02T10:30:00"),
        ({"format": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"}, "02.03.2026 10:30"),
        ({"format": "epoch"}, 1772443800),
        ({"format": "epoch"}, "1772443800.0"),
        ({"format": "epoch_ms"}, 1772443800000),
    ],
)
def test_times_in_any_format_and_zone_become_utc(options: dict[str, Any], given_: Any) -> None:
    made = apply(
        mapping(fields={"received_at": {"from": "at", **options}}), {"id": "1", "at": given_}
    )
    assert made.received_at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert made.received_at.utcoffset() == datetime.now(UTC).utcoffset()


@pytest.mark.parametrize("given_", [1e20, -1e20, "1e300"])
def test_an_epoch_no_calendar_has_is_refused(given_: Any) -> None:
    assert refusal({"from": "v", "type": "time", "format": "epoch"}, {"v": given_}) == "bad_time"


def test_a_value_map_translates_and_says_what_becomes_of_other_values() -> None:
    values = {"hate": True, "fine": False, "?": None, 2: "two", True: "yes"}
    for given_, expected in (("hate", True), ("?", None), (2, "two"), (True, "yes")):
        assert attribute({"from": "v", "values": values}, {"v": given_}) == expected
    other = {"v": "other"}
    assert refusal({"from": "v", "values": values}, other) == "unmapped_value"
    assert attribute({"from": "v", "values": values, "unmapped": "keep"}, other) == "other"
    assert attribute({"from": "v", "values": values, "unmapped": "unknown"}, other) is None


@pytest.mark.parametrize("absent", [{}, {"s": None}, {"s": ""}, {"s": "  "}, {"s": "n/a"}])
def test_a_signal_whose_source_value_is_absent_or_empty_is_unknown(absent: dict[str, Any]) -> None:
    target = {"from": "s", "type": "boolean", "empty": ["n/a"]}
    made = apply(mapping(signals={"label": target}), {"id": "1", **absent})
    assert made.signals == {}


def test_a_signal_that_is_false_is_known() -> None:
    target = {"from": "s", "type": "boolean"}
    assert apply(mapping(signals={"label": target}), {"id": "1", "s": 0}).signals == {
        "label": False
    }


def test_required_and_default_rule_on_what_is_missing() -> None:
    assert refusal({"from": "v", "required": True}, {}) == "missing_field"
    assert attribute({"from": "v", "default": "none"}, {"v": " "}) == "none"


def test_a_long_value_is_refused_or_cut_as_the_mapping_says() -> None:
    assert refusal({"from": "v", "max_length": 3}, {"v": "four"}) == "value_too_long"
    cut = {"from": "v", "max_length": 3, "too_long": "cut"}
    assert attribute(cut, {"v": "four"}) == "fou"
    with pytest.raises(RowFault) as refused:
        apply(mapping(fields={"title": "t"}), {"id": "1", "t": "x" * 2001})
    assert refused.value.reason == "value_too_long"


@pytest.mark.parametrize("missing", [{}, {"id": None}, {"id": "  "}])
def test_a_row_without_an_external_id_is_refused(missing: dict[str, Any]) -> None:
    with pytest.raises(RowFault) as refused:
        apply(mapping(), missing)
    assert refused.value.reason == "missing_field"


def test_without_a_mapping_fields_are_ours_and_nothing_is_lost() -> None:
    made = apply(
        identity(),
        {
            "external_id": 17,
            "body": "text",
            "received_at": "2026-03-02T09:30:00Z",
            "signals": {"spam": True, "score": None},
            "attributes": {"a": 1},
            "country": "",
            "plan": "free",
            "nested": {"b": [1]},
            "empty": "",
        },
    )
    assert made == Item(
        external_id="17",
        body="text",
        received_at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        signals={"spam": True},
        attributes={"a": 1, "plan": "free", "nested": '{"b":[1]}'},
    )


def test_a_mapping_drops_what_it_does_not_name_unless_told_to_keep_it() -> None:
    row = {"id": "1", "extra": "x"}
    assert apply(mapping(), row).attributes == {}
    assert apply(mapping(rest="keep"), row).attributes == {"extra": "x"}


def test_what_is_read_from_within_a_rows_signals_leaves_them_kept() -> None:
    made = apply(
        mapping(fields={"kind": "signals.topic"}, rest="keep"),
        {"id": "1", "signals": {"topic": "refund", "spam": True}},
    )
    assert (made.kind, made.signals) == ("refund", {"topic": "refund", "spam": True})


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
NAMES = st.sampled_from([*Item.model_fields, "extra", "Ünusual"])


def outcome_of(row: dict[str, Any]) -> tuple[Item | None, str]:
    try:
        return apply(identity(), row), ""
    except RowFault as fault:
        return None, fault.message


@given(st.dictionaries(NAMES, VALUES))
def test_any_row_becomes_an_item_that_can_be_kept_or_is_refused_without_a_quote(
    row: dict[str, Any],
) -> None:
    secret = "gehörtniemandem"
    row = {**row, "title": [secret]} if row.get("title") is None else row
    made, fault = outcome_of(row)
    if made is not None:
        assert canonical(made.content())
    assert secret not in fault


FAULTS = """\
source: x
source: y
fields:
  bodyy: text
  title: {form: a}
  kind: {from: a, constant: 3}
  received_at: {from: at, timezone: Mars/Olympus}
signals:
  spam: {from: s, type: bool}
restt: keep
"""


def test_every_fault_of_a_mapping_is_told_with_its_line_and_what_was_meant() -> None:
    with pytest.raises(MappingError) as refused:
        parse_mapping(FAULTS, "m.yaml")
    told = refused.value.message
    assert "m.yaml:2:1: source: source is given twice" in told
    assert "m.yaml:5:11: fields.title.form: there is no form here; did you mean format?" in told
    assert "m.yaml:6:3: fields.kind: it comes from one place, not from from and constant" in told
    assert "m.yaml:9:19: signals.spam.type: input should be" in told
    assert "m.yaml:10:1: restt: there is no restt here; did you mean rest?" in told
    assert "   10 | restt: keep\n      | ^" in told


def test_what_is_well_formed_but_wrong_is_told_the_same_way() -> None:
    text = FAULTS.replace("source: y\n", "").replace("restt", "rest").replace("bool}", "boolean}")
    text = text.replace("{form: a}", "{from: a, format: epoch}").replace(", constant: 3", "")
    with pytest.raises(MappingError) as refused:
        parse_mapping(text, "m.yaml")
    told = refused.value.message
    assert "m.yaml:2:1: fields: external_id is missing" in told
    assert "m.yaml:3:3: fields.bodyy: a case has no bodyy; did you mean body?" in told
    assert "m.yaml:4:20: fields.title.format: format belongs to a time" in told
    assert "m.yaml:6:27: fields.received_at.timezone: there is no time zone Mars/Olympus" in told


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text", "fields: [", "a: b: c", "\t"])
def test_what_is_no_mapping_at_all_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(MappingError) as refused:
        parse_mapping(text, "m.yaml")
    assert refused.value.message.startswith("m.yaml:1")


def test_a_default_that_does_not_fit_its_type_is_a_fault_of_the_mapping() -> None:
    text = "fields: {external_id: id}\nsignals:\n  s: {from: s, type: boolean, default: perhaps}\n"
    with pytest.raises(MappingError, match="the default does not fit"):
        parse_mapping(text)


def test_a_mapping_survives_being_kept_as_json() -> None:
    text = """\
fields: {external_id: id, received_at: {from: at, format: "%Y", timezone: UTC}}
signals: {s: {from: s, values: {true: 1, no: null}, unmapped: unknown}}
csv: {delimiter: ";"}
"""
    made = parse_mapping(text)
    again = Mapping.model_validate(made.document)
    assert again == made
    assert again.digest == made.digest
    row = {"id": "1", "at": "2026", "s": "true"}
    assert apply(again, row) == apply(made, row)


def test_another_mapping_has_another_digest() -> None:
    assert mapping().digest != mapping(rest="keep").digest


def test_a_missing_mapping_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="cannot be read"):
        load_mapping(tmp_path / "none.yaml")
