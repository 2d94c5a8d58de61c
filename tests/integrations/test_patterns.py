"""Patterns: what matches, in any language, and that one bad regex is named."""

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import ConfigurationError
from casework.policy.model import Pattern
from integrations.patterns import PatternProvider
from tests.factories.evidence import evidence

PATTERNS = (
    Pattern("threat", (r"(?i)\bkill (you|him)\b", r"(?i)\bshoot\b")),
    Pattern("digits", (r"\b\d{4}\b",)),
    Pattern("word", (r"(?i)\bcafé\w*",)),
    Pattern("start", (r"^Help", r"(?m)end$")),
    Pattern("verbose", ("(?x) spaced  # a comment", "plain")),
)
PIECES = ["kill you", "KILL HIM", "skill your", "shoot", "1234", "12345", "café", "Cafés", "\n"]
PIECES += ["Help", "end", "é", "日本", " ", "spaced", "plain", "x", "١٢٣٤", "\u212a", "\u017fhoot"]


def signals(title: str = "", body: str = "") -> dict[str, object]:
    [reading] = PatternProvider(PATTERNS).read_now([evidence(title=title, body=body)])
    return dict(reading.values)


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=6))
def test_answers_are_those_of_the_regexes_one_by_one(bodies: list[str]) -> None:
    readings = PatternProvider(PATTERNS).read_now([evidence(body=body) for body in bodies])
    for body, reading in zip(bodies, readings, strict=True):
        assert reading.values == {
            each.signal: any(re.search(regex, f"\n{body}") for regex in each.any_of)
            for each in PATTERNS
        }


def test_title_and_body_are_both_read() -> None:
    assert signals(title="I will shoot")["threat"] is True
    assert signals(body="I will shoot")["threat"] is True
    assert signals(title="I will", body="sit")["threat"] is False


def test_no_match_is_known_to_be_false() -> None:
    assert signals(body="nothing of the kind") == dict.fromkeys(signals(), False)


def test_the_version_is_that_of_the_patterns() -> None:
    same, other = PatternProvider(PATTERNS), PatternProvider(PATTERNS[:2])
    assert same.version == PatternProvider(PATTERNS).version != other.version


def test_a_batch_is_read_in_its_order() -> None:
    batch = [evidence(i, body="shoot" if i % 3 == 0 else "é") for i in range(50)]
    readings = asyncio.run(PatternProvider(PATTERNS).read(batch))
    assert [each.values["threat"] for each in readings] == [i % 3 == 0 for i in range(50)]


def test_no_patterns_give_no_signals() -> None:
    assert PatternProvider(()).read_now([evidence()])[0].values == {}


@pytest.mark.parametrize("regex", ["(", "(?=ahead)", r"(a)\1"])
def test_a_regex_that_is_none_is_named(regex: str) -> None:
    with pytest.raises(ConfigurationError, match="signal odd"):
        PatternProvider((Pattern("odd", (regex,)),))
