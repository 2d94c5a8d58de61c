"""Signals from the regular expressions of the policy bundle, evaluated here, column-wise.

The regexes are Rust's, which run in time linear in the text: no ticket can make one hang. Each
signal's alternatives are joined into one regex. Signals are taken in groups, and for a text that
is plain ASCII the whole group is first asked in one regex: most texts match nothing and are done
after one pass.
"""

import asyncio
import re
from collections.abc import Sequence
from itertools import chain
from time import perf_counter
from typing import Final, TypeAlias

import polars as pl

from casework.batches import in_batches
from casework.canonical import digest
from casework.cases import Evidence, Reading
from casework.errors import ConfigurationError
from casework.policy.model import Pattern

#: Raised when the same patterns could give another answer: text built otherwise, another engine.
_METHOD: Final = "1"

#: Signals asked together before each is asked alone.
_GROUP: Final = 10

#: A regex in verbose mode can end in a comment, which would swallow what is joined to it.
_VERBOSE: Final = re.compile(r"\(\?[a-wyzA-Z]*x")

_TEXT: Final = "text"
_ROW: Final = "row"
_ASCII: Final = "ascii"

#: What was found in one text: for each group, for each of its signals.
_Found: TypeAlias = tuple[tuple[bool, ...], ...]


class PatternProvider:
    """One boolean signal for each pattern: whether any of its regexes matches title or body."""

    name = "patterns"

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Compile the patterns.

        Raises:
            ConfigurationError: a regex is not one; the message names its signal.
        """
        self.signals: tuple[str, ...] = tuple(pattern.signal for pattern in patterns)
        self.version = digest(
            {"method": _METHOD, "patterns": {each.signal: list(each.any_of) for each in patterns}}
        )[:16]
        self._groups = [_Group(batch) for batch in in_batches(patterns, _GROUP)]

    async def read(self, evidence: Sequence[Evidence]) -> Sequence[Reading]:
        """Read the signals of a batch, on another thread: Polars leaves the interpreter free."""
        return await asyncio.to_thread(self.read_now, evidence)

    def read_now(self, evidence: Sequence[Evidence]) -> list[Reading]:
        """Read the signals of a batch; cases that match the same patterns share one reading."""
        began = perf_counter()
        found = self.matches([f"{each.title}\n{each.body}" for each in evidence])
        latency = round((perf_counter() - began) * 1000)
        made: dict[_Found, Reading] = {}
        for key in found:
            if key not in made:
                values = dict(zip(self.signals, chain.from_iterable(key), strict=True))
                made[key] = Reading(self.name, self.version, values, latency_ms=latency)
        return [made[key] for key in found]

    def matches(self, texts: Sequence[str]) -> list["_Found"]:
        """For each text and each group of signals, whether each signal's pattern matches."""
        if not self._groups:
            return [()] * len(texts)
        column = pl.DataFrame({_TEXT: pl.Series(_TEXT, texts, dtype=pl.String)})
        frame = column.with_row_index(_ROW).with_columns(_is_ascii().alias(_ASCII))
        return list(zip(*(group.matches(frame) for group in self._groups), strict=True))


class _Group:
    """Some signals, with one regex for all of them where they can be joined."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        _check(patterns)
        self._tests = {each.signal: _any_of(each.any_of) for each in patterns}
        self._nothing = (False,) * len(patterns)
        regexes = [regex for each in patterns for regex in each.any_of]
        self._joined = _joinable(regexes)

    def matches(self, frame: pl.DataFrame) -> list[tuple[bool, ...]]:
        """For each row of text, whether each signal's pattern matches."""
        suspects = frame if self._joined is None else self._suspects(frame, self._joined)
        rows = [self._nothing] * frame.height
        asked = [test.alias(signal) for signal, test in self._tests.items()]
        answers = suspects.select(asked).rows()
        for row, answer in zip(suspects[_ROW].to_list(), answers, strict=True):
            rows[row] = answer
        return rows

    @staticmethod
    def _suspects(frame: pl.DataFrame, joined: str) -> pl.DataFrame:
        """The rows that may match something; only plain ASCII can be told beforehand.

        Unicode's word boundaries leave the fast path of the regex engine on other text, and are
        a great deal slower in a group's regex than in one signal's.
        """
        plain = frame.filter(_ASCII).filter(pl.col(_TEXT).str.contains(joined))
        return pl.concat([plain, frame.filter(~pl.col(_ASCII))])


def _is_ascii() -> pl.Expr:
    text = pl.col(_TEXT)
    return text.str.len_bytes() == text.str.len_chars()


def _any_of(regexes: Sequence[str]) -> pl.Expr:
    """Whether any of some regexes matches the text, in one regex where they can be joined."""
    text = pl.col(_TEXT)
    joined = _joinable(regexes)
    if joined is None:
        return pl.any_horizontal([text.str.contains(regex) for regex in regexes])
    return text.str.contains(joined)


def _joinable(regexes: Sequence[str]) -> str | None:
    """One regex for several; None where that would change them or be too large to compile."""
    if any(map(_VERBOSE.search, regexes)):
        return None
    joined = _join(regexes)
    return joined if _fault(joined) is None else None


def _join(regexes: Sequence[str]) -> str:
    return "|".join(f"(?:{regex})" for regex in dict.fromkeys(regexes))


def _check(patterns: Sequence[Pattern]) -> None:
    """Compile each regex on its own, so that a fault is named and joining cannot hide one."""
    for pattern in patterns:
        for regex in pattern.any_of:
            if fault := _fault(regex):
                raise ConfigurationError(
                    f"a pattern of signal {pattern.signal} is not a regular expression: {fault}",
                    hint="patterns are written in the syntax of Rust's regex crate",
                )


def _fault(regex: str) -> str | None:
    """What is wrong with a regex; None if nothing is."""
    nothing = pl.DataFrame({_TEXT: pl.Series(_TEXT, [""], dtype=pl.String)})
    try:
        nothing.select(pl.col(_TEXT).str.contains(regex))
    except pl.exceptions.ComputeError as error:
        return str(error)
    return None
