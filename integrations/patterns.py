"""Signals from the regular expressions of the policy bundle, evaluated here, column-wise.

The regexes are Rust's, which run in time linear in the text: no ticket can make one hang. What
makes them slow is Unicode: word boundaries and ``\\w`` leave the fast path of the engine, by a
factor of a hundred. Neither matters to the answer in a text that is plain ASCII, so there each
regex is asked in an ASCII form that means the same. In other texts it is first asked without its
word boundaries, which can only match more; what matches then is asked exactly.
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
from casework.policy.references import regex_fault

#: Raised when the same patterns could give another answer: text built otherwise, another engine.
_METHOD: Final = "1"

#: A regex in verbose mode can end in a comment, which would swallow what is joined to it.
_VERBOSE: Final = re.compile(r"\(\?[a-wyzA-Z]*x")

#: An escape; ``\b{start}`` and its like are left as they are.
_ESCAPE: Final = re.compile(r"\\(.)(?!\{)")
_IN_ASCII: Final = {
    "b": r"(?-u:\b)",
    "w": "[0-9A-Za-z_]",
    "d": "[0-9]",
    "s": r"[\t\n\v\f\r ]",
}
_UNBOUND: Final = {"b": "(?:)"}

_TEXT: Final = "text"

#: Patterns that are asked as one first: most texts match none of them, and are done with.
_TOGETHER: Final = 4

#: What was found in one text, signal by signal.
_Found: TypeAlias = tuple[bool, ...]


class PatternProvider:
    """One boolean signal for each pattern: whether any of its regexes matches title or body."""

    name = "patterns"

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Compile the patterns.

        Raises:
            ConfigurationError: a regex is not one; the message names its signal.
        """
        _check(patterns)
        self.signals: tuple[str, ...] = tuple(pattern.signal for pattern in patterns)
        self.version = digest(
            {"method": _METHOD, "patterns": {each.signal: list(each.any_of) for each in patterns}}
        )[:16]
        ascii = [_written(each.any_of, _IN_ASCII) for each in patterns]
        self._exact = [_any_of(each.any_of) for each in patterns]
        self._ascii = list(map(_any_of, ascii))
        self._loose = [_any_of(_written(each.any_of, _UNBOUND)) for each in patterns]
        self._groups = [_any_of([*chain(*each)]) for each in in_batches(ascii, _TOGETHER)]

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
                values = dict(zip(self.signals, key, strict=True))
                made[key] = Reading(self.name, self.version, values, latency_ms=latency)
        return [made[key] for key in found]

    def matches(self, texts: Sequence[str]) -> list[_Found]:
        """For each text and each signal, whether its pattern matches."""
        if not self.signals:
            return [()] * len(texts)
        # Python keeps note of which texts are ASCII.
        plain = [text for text in texts if text.isascii()]
        if len(plain) == len(texts):
            return self._plain(_frame(texts)).rows()
        other = [text for text in texts if not text.isascii()]
        answers = iter(self._plain(_frame(plain)).rows()), iter(self._other(_frame(other)).rows())
        return [next(answers[not text.isascii()]) for text in texts]

    def _plain(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Answers for texts that are plain ASCII: each pattern where one of its group matches."""
        suspects = frame.select(test.alias(str(n)) for n, test in enumerate(self._groups))
        asked = in_batches(zip(self.signals, self._ascii, strict=True), _TOGETHER)
        groups = zip(suspects.iter_columns(), asked, strict=True)
        return pl.DataFrame([each for group in groups for each in _confirmed(frame, *group)])

    def _other(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Answers for all other texts: where the loose form matches, the exact one is asked."""
        suspects = frame.select(
            test.alias(name) for name, test in zip(self.signals, self._loose, strict=True)
        )
        asked = zip(suspects.iter_columns(), self.signals, self._exact, strict=True)
        return pl.DataFrame(
            [_confirmed(frame, suspect, [(name, test)])[0] for suspect, name, test in asked]
        )


def _confirmed(
    frame: pl.DataFrame, suspect: pl.Series, asked: Sequence[tuple[str, pl.Expr]]
) -> list[pl.Series]:
    """The answers to some tests, asked of suspects alone: all others match none of them."""
    if not suspect.any():
        return [suspect.alias(name) for name, _ in asked]
    where = suspect.arg_true()
    answers = frame.filter(suspect).select(test.alias(name) for name, test in asked)
    return [
        suspect.clone().scatter(where, each).alias(each.name) for each in answers.iter_columns()
    ]


def _frame(texts: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({_TEXT: pl.Series(_TEXT, texts, dtype=pl.String)})


def _written(regexes: Sequence[str], escapes: dict[str, str]) -> list[str]:
    """Regexes with some escapes written otherwise; one that does not survive that, as it was."""
    written = [_ESCAPE.sub(lambda found: escapes.get(found[1], found[0]), each) for each in regexes]
    # Where all of them compile in one, so does each: compiling is what takes time here.
    if _joinable(written) is None:
        pairs = zip(written, regexes, strict=True)
        written = [old if regex_fault(new) else new for new, old in pairs]
    return written


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
    return None if regex_fault(joined) else joined


def _join(regexes: Sequence[str]) -> str:
    return "|".join(f"(?:{regex})" for regex in dict.fromkeys(regexes))


def _check(patterns: Sequence[Pattern]) -> None:
    """Compile each regex on its own, so that a fault is named and joining cannot hide one."""
    for pattern in patterns:
        for regex in pattern.any_of:
            if fault := regex_fault(regex):
                raise ConfigurationError(
                    f"a pattern of signal {pattern.signal} is not a regular expression: {fault}",
                    hint="patterns are written in the syntax of Rust's regex crate",
                )
