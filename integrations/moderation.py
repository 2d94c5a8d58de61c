"""Signals from OpenAI's ``POST /v1/moderations``: a score for each kind of harm in the text.

Long text is cut into pieces that overlap; a case has the highest score of its pieces. The twin
answers in the same shape without a network. It knows a few words and is for development and
tests: its scores mean nothing, and it is used only where the URL is ``twin:``.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter
from typing import Annotated, Any, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from casework.batches import in_batches
from casework.canonical import digest
from casework.cases import Evidence
from casework.errors import ProviderBadReply, ProviderError
from casework.signals import Unknown
from integrations.http import HttpService
from integrations.lookup import Answer, Meaning, failed

#: The vendor's categories, in the order of its documentation.
CATEGORIES: Final = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)

#: Category to the signal that carries its score.
SIGNALS: Final[Mapping[str, str]] = {
    category: "moderation_" + re.sub("[-/]", "_", category) for category in CATEGORIES
}
FLAGGED: Final = "moderation_flagged"

#: Pieces in one request, and the characters of a piece and of what two of them share.
PIECES: Final = 32
PIECE: Final = 10_000
OVERLAP: Final = 200

Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]


class Result(BaseModel):
    """What the service says about one text. A category it leaves out or null has no score."""

    model_config = ConfigDict(strict=True)

    flagged: bool
    category_scores: dict[str, Score | None]


class ModerationReply(BaseModel):
    """The part of the service's reply that is used; it is checked before it is."""

    model_config = ConfigDict(strict=True)

    id: str
    model: str
    results: list[Result]


class Moderation(Protocol):
    """The service: texts in, one result for each."""

    @property
    def version(self) -> str:
        """Which model answers."""

    async def moderate(self, texts: Sequence[str]) -> ModerationReply:
        """Classify texts; raises ``ProviderError``."""

    async def close(self) -> None:
        """Let go of connections."""


class ModerationClient:
    """The service over HTTP."""

    def __init__(self, *, service: HttpService, model: str) -> None:
        self._service, self._model = service, model
        self.version = f"{model}/1"

    async def moderate(self, texts: Sequence[str]) -> ModerationReply:
        """Classify texts in one request."""
        body = {"model": self._model, "input": list(texts)}
        reply = await self._service.call("POST", "moderations", json=body)
        return checked_reply(reply.document, len(texts))

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()


class ModerationTwin:
    """A stand-in that scores by a few words. For development; never a judgement on anybody."""

    version = "twin/1"

    async def moderate(self, texts: Sequence[str]) -> ModerationReply:
        """Classify texts by the words in them."""
        return checked_reply(twin_document(texts), len(texts))

    async def close(self) -> None:
        """There is nothing to close."""


class ModerationSource:
    """The moderation service as a source of signals."""

    name = "moderation"
    signals: Sequence[str] = (*SIGNALS.values(), FLAGGED)

    def __init__(self, service: Moderation) -> None:
        self._service = service
        self.version = service.version

    def question(self, evidence: Evidence) -> str | Unknown:
        """Title and body; a case without text has no score."""
        text = f"{evidence.title}\n{evidence.body}".strip()
        return text or Unknown.NO_TEXT

    async def answers(self, questions: Sequence[str]) -> Sequence[Answer]:
        """Classify texts, many in a request, several requests at once."""
        pieces = [(i, piece) for i, text in enumerate(questions) for piece in pieces_of(text)]
        batches = list(in_batches(pieces, PIECES))
        said = await asyncio.gather(*(self._classified([t for _, t in b]) for b in batches))
        found: list[list[Answer]] = [[] for _ in questions]
        for batch, answers in zip(batches, said, strict=True):
            for (i, _), answer in zip(batch, answers, strict=True):
                found[i].append(answer)
        return [_highest(answers) for answers in found]

    async def _classified(self, texts: Sequence[str]) -> list[Answer]:
        """One answer for each text. A request that is refused for one of them is halved."""
        began = perf_counter()
        try:
            reply = await self._service.moderate(texts)
        except ProviderError as error:
            if error.answered not in (400, 413, 422) or len(texts) == 1:
                return [failed(error)] * len(texts)
        else:
            latency = round((perf_counter() - began) * 1000)
            return [Answer(each.model_dump(), latency_ms=latency) for each in reply.results]
        middle = len(texts) // 2
        return [
            *await self._classified(texts[:middle]),
            *await self._classified(texts[middle:]),
        ]

    def meaning(self, evidence: Evidence, document: Mapping[str, Any]) -> Meaning:
        """A score for each category, and whether the service flags the text."""
        scores = document["category_scores"]
        values: dict[str, Any] = {FLAGGED: document["flagged"]}
        unknown: dict[str, str] = {}
        for category, signal in SIGNALS.items():
            if scores.get(category) is None:
                unknown[signal] = str(Unknown.NOT_GIVEN)
            else:
                values[signal] = scores[category]
        return values, unknown


def pieces_of(text: str) -> list[str]:
    """Cut a text into pieces the service takes, each beginning in the end of the one before."""
    step = PIECE - OVERLAP
    return [text[start : start + PIECE] for start in range(0, max(1, len(text) - OVERLAP), step)]


def checked_reply(document: Any, texts: int) -> ModerationReply:
    """Hold a reply to the contract.

    Raises:
        ProviderBadReply: it has another shape, a score outside 0..1, or not one result a text.
    """
    try:
        reply = ModerationReply.model_validate(document)
    except ValidationError as error:
        where = {".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)}
    else:
        if len(reply.results) == texts:
            return reply
        where = {"results"}
    raise ProviderBadReply(
        f"moderation answered outside its contract at {', '.join(sorted(where))}"
    )


def _highest(answers: Sequence[Answer]) -> Answer:
    """The answer to a whole text from those to its pieces; one missing piece leaves it unknown."""
    documents = []
    for answer in answers:
        if answer.document is None:
            return answer
        documents.append(answer.document)
    if len(documents) == 1:
        return answers[0]
    return Answer(
        {
            "flagged": any(document["flagged"] for document in documents),
            "category_scores": {
                category: _top(document["category_scores"].get(category) for document in documents)
                for category in CATEGORIES
            },
        },
        latency_ms=max(answer.latency_ms or 0 for answer in answers),
    )


def _top(scores: Iterable[float | None]) -> float | None:
    given = list(scores)
    known = [score for score in given if score is not None]
    return max(known) if len(known) == len(given) else None


#: Words the twin knows, by category.
_TWIN_WORDS: Final[Mapping[str, str]] = {
    "harassment": r"idiot|loser|pathetic",
    "harassment/threatening": r"find you|come for you",
    "hate": r"vermin|subhuman",
    "hate/threatening": r"wipe them out",
    "illicit": r"stolen card|counterfeit",
    "illicit/violent": r"pipe bomb",
    "self-harm": r"hurt myself|cutting|suicide",
    "self-harm/intent": r"end my life|kill myself",
    "self-harm/instructions": r"how to overdose",
    "sexual": r"nude|porn",
    "sexual/minors": r"minor.{0,40}nude|nude.{0,40}minor",
    "violence": r"kill|shoot|stab",
    "violence/graphic": r"blood everywhere|dismember",
}


def twin_document(texts: Sequence[str]) -> dict[str, Any]:
    """A reply of the service's whole shape, from the words in some texts; the same every time."""
    return {
        "id": f"modr-twin-{digest(list(texts))[:12]}",
        "model": "casework-twin-1",
        "results": [_twin_result(text) for text in texts],
    }


def _twin_result(text: str) -> dict[str, Any]:
    scores = {
        category: 0.97 if re.search(words, text, re.IGNORECASE) else 0.01
        for category, words in _TWIN_WORDS.items()
    }
    categories = {category: score > 0.5 for category, score in scores.items()}
    return {
        "flagged": any(categories.values()),
        "categories": categories,
        "category_scores": scores,
        "category_applied_input_types": {category: ["text"] for category in CATEGORIES},
    }
