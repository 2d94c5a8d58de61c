"""A provider that asks one service about each case: a question, a kept or new answer, a reading.

What differs between services is behind ``Source``: what is asked, how, and what the answer means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from casework.canonical import digest
from casework.cases import Evidence, Reading, Scalar
from casework.errors import ProviderError
from casework.signals import Unknown, nothing_known, reason_of

#: Values by signal, and the reason of each that is unknown.
Meaning: TypeAlias = tuple[dict[str, Scalar], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said to one question: a document, or else why there is none."""

    document: Mapping[str, Any] | None
    reason: Unknown = Unknown.ERROR
    latency_ms: int | None = None


class Source(Protocol):
    """One service, over HTTP or embedded."""

    @property
    def name(self) -> str:
        """Stable name of the provider."""

    @property
    def version(self) -> str:
        """Changes whenever the same question could have another answer."""

    @property
    def signals(self) -> Sequence[str]:
        """Names of the signals it gives."""

    def question(self, evidence: Evidence) -> str | Unknown:
        """What is asked about a case, or why there is nothing to ask."""

    async def answers(self, questions: Sequence[str]) -> Sequence[Answer]:
        """Answer questions, in their order; a failure is an answer without a document."""

    def meaning(self, evidence: Evidence, document: Mapping[str, Any]) -> Meaning:
        """The signals of a case, from the answer to its question."""


class Cache(Protocol):
    """Answers kept by the digest of their question."""

    def get(self, provider: str, version: str, keys: Sequence[str]) -> Mapping[str, Any]:
        """The documents kept under some keys."""

    def put(self, provider: str, version: str, documents: Mapping[str, Any]) -> None:
        """Keep documents under their keys."""


class LookupProvider:
    """Asks each question of a batch once, and only those whose answer is not kept."""

    def __init__(self, source: Source, cache: Cache) -> None:
        self._source, self._cache = source, cache
        self.name, self.version = source.name, source.version
        self.signals: Sequence[str] = source.signals

    async def read(self, evidence: Sequence[Evidence]) -> Sequence[Reading]:
        """Read the signals of a batch of cases."""
        questions = [self._source.question(each) for each in evidence]
        keys = {each: digest(each) for each in questions if not isinstance(each, Unknown)}
        kept = self._cache.get(self.name, self.version, list(keys.values()))
        missing = [question for question, key in keys.items() if key not in kept]
        fresh = await self._asked(missing)
        self._cache.put(
            self.name,
            self.version,
            {keys[q]: a.document for q, a in fresh.items() if a.document is not None},
        )
        readings = []
        for case, question in zip(evidence, questions, strict=True):
            if isinstance(question, Unknown):
                readings.append(self._unknown(question))
            elif question in fresh:
                readings.append(self._reading(case, fresh[question], cached=False))
            else:
                readings.append(self._reading(case, Answer(kept[keys[question]]), cached=True))
        return readings

    async def _asked(self, questions: Sequence[str]) -> dict[str, Answer]:
        if not questions:
            return {}
        answers = await self._source.answers(questions)
        return dict(zip(questions, answers, strict=True))

    def _reading(self, case: Evidence, answer: Answer, *, cached: bool) -> Reading:
        if answer.document is None:
            return self._unknown(answer.reason, answer.latency_ms)
        values, unknown = self._source.meaning(case, answer.document)
        return Reading(self.name, self.version, values, unknown, answer.latency_ms, cached)

    def _unknown(self, reason: Unknown, latency_ms: int | None = None) -> Reading:
        nothing = nothing_known(self.name, self.version, self.signals, reason)
        return Reading(self.name, self.version, {}, nothing.unknown, latency_ms)


def failed(error: ProviderError) -> Answer:
    """The answer that a failed call leaves."""
    return Answer(None, reason_of(error))
