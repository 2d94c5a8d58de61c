"""Macros: what a case gives stands in its place, and nothing else happens."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import ConfigurationError
from casework.macros import day, loose_braces, places, render

plain = st.text(st.characters(exclude_characters="{}"))


def test_a_field_stands_in_its_place() -> None:
    assert render("m", "until {{ until }}, {{until}}.", {"until": "9 March"}) == (
        "until 9 March, 9 March."
    )


def test_other_words_stand_where_a_case_has_no_such_field() -> None:
    text = 'because {{ clause_text or "our rules say so" }}'
    assert render("m", text, {}) == "because our rules say so"
    assert render("m", text, {"clause_text": ""}) == "because our rules say so"
    assert render("m", text, {"clause_text": "of C1"}) == "because of C1"
    assert render("m", 'end{{ clause or "" }}', {}) == "end"


def test_a_field_without_value_or_other_words_is_an_error_with_a_way_out() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        render("suspended", "until {{ until }} for {{ clause }}", {})
    assert refusal.value.message == (
        "macro `suspended` says clause, until, which this case does not have"
    )
    assert '{{ clause or "..." }}' in refusal.value.hint


@given(plain, plain, st.text())
def test_a_value_is_put_in_as_it_is_whatever_it_says(before: str, after: str, value: str) -> None:
    shown = value or "nothing"
    text = before + '{{ reference or "nothing" }}' + after
    assert render("m", text, {"reference": value}) == before + shown + after


def test_places_and_braces_that_are_none_are_found() -> None:
    text = '{{ clause }} {{ Clause }} {{ until or "then" }} {{ x | y }}'
    assert [(place.field, place.otherwise) for place in places(text)] == [
        ("clause", None),
        ("until", "then"),
    ]
    assert [text[at : at + 4] for at in loose_braces(text)] == ["{{ C", "}} {", "{{ x", "}}"]


def test_a_day_is_written_out_in_utc() -> None:
    late = datetime(2026, 3, 1, 22, 30, tzinfo=timezone(timedelta(hours=-8)))
    assert day(late) == "2 March 2026"
    assert day(datetime(2026, 12, 24, tzinfo=UTC)) == "24 December 2026"
