"""Macros: every place filled, and nothing in a value taken for a place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import InputError
from casework.macros import fill, places


def test_each_place_gets_its_value() -> None:
    assert fill("Case {{ case }}: {{said}}, {{case}}.\n\n", {"case": "c1", "said": "x"}) == (
        "Case c1: x, c1.\n"
    )
    assert places("{{b}} {{a}} {{b}}") == ["b", "a"]


def test_a_place_without_a_value_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="until, why") as refusal:
        fill("{{until}} {{why}} {{known}}", {"known": "x"})
    assert refusal.value.hint == "give --set until=..."


@given(st.text().filter(str.strip))
def test_a_value_comes_out_as_it_was_given(value: str) -> None:
    assert fill("<{{a}}>", {"a": value, "b": "never"}) == f"<{value}>\n"
