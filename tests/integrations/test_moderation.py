"""The moderation service, over HTTP and embedded, held to the vendor's published contract."""

import asyncio
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from casework.errors import ProviderBadReply
from casework.signals import Unknown
from integrations.lookup import Answer
from integrations.moderation import (
    OVERLAP,
    PIECE,
    PIECES,
    SIGNALS,
    Moderation,
    ModerationClient,
    ModerationSource,
    ModerationTwin,
    pieces_of,
    twin_document,
)
from tests.conftest import SHARED_DATA
from tests.factories.evidence import evidence
from tests.factories.services import KEY, service
from tests.integrations.server import Asked, Given, Server, ok, serving

CONTRACT = SHARED_DATA / "api-specs" / "openai-openapi.yaml.gz"


def answer_as_the_twin(asked: Asked) -> Given:
    return ok(twin_document(asked.document["input"]))


@contextmanager
def client_of_a_server() -> Iterator[tuple[Moderation, Server]]:
    with serving(answer_as_the_twin) as server:
        yield ModerationClient(service=service(url=server.url), model="omni-test"), server


@contextmanager
def twin() -> Iterator[tuple[Moderation, None]]:
    yield ModerationTwin(), None


async def answered(moderation: Moderation, questions: Sequence[str]) -> Sequence[Answer]:
    try:
        return await ModerationSource(moderation).answers(questions)
    finally:
        await moderation.close()


@pytest.mark.parametrize("given", [client_of_a_server, twin], ids=["http", "twin"])
class TestModeration:
    def test_texts_have_scores_in_their_order(self, given: Any) -> None:
        with given() as (moderation, _):
            answers = asyncio.run(answered(moderation, ["hello", "I will kill you"]))
        flagged = [answer.document["flagged"] for answer in answers if answer.document]
        assert flagged == [False, True]

    def test_more_texts_than_fit_one_request_are_all_answered(self, given: Any) -> None:
        texts = [f"text {i}" + (" kill" if i % 7 == 0 else "") for i in range(2 * PIECES + 5)]
        with given() as (moderation, _):
            answers = asyncio.run(answered(moderation, texts))
        flagged = [answer.document["flagged"] for answer in answers if answer.document]
        assert flagged == ["kill" in text for text in texts]

    def test_a_long_text_has_the_highest_score_of_its_pieces(self, given: Any) -> None:
        text = "a" * (3 * PIECE) + " kill " + "b" * PIECE
        with given() as (moderation, _):
            [answer] = asyncio.run(answered(moderation, [text]))
        assert answer.document is not None
        assert answer.document["category_scores"]["violence"] > 0.9

    def test_every_category_is_a_signal(self, given: Any) -> None:
        with given() as (moderation, _):
            source = ModerationSource(moderation)
            [answer] = asyncio.run(answered(moderation, ["hello"]))
        assert answer.document is not None
        values, unknown = source.meaning(evidence(), answer.document)
        assert set(values) == set(source.signals)
        assert unknown == {}


@pytest.mark.data
@pytest.mark.skipif(not CONTRACT.exists(), reason="the shared data folder is not here")
class TestContract:
    def test_requests_and_replies_are_what_the_vendor_publishes(self) -> None:
        contract = yaml.load(gzip.decompress(CONTRACT.read_bytes()), Loader=yaml.CSafeLoader)
        request, reply = (
            Draft202012Validator(
                {"$ref": f"#/components/schemas/{name}", "components": contract["components"]}
            )
            for name in ("CreateModerationRequest", "CreateModerationResponse")
        )
        with client_of_a_server() as (moderation, server):
            asyncio.run(answered(moderation, ["hello", "I will kill you"]))
        [asked] = server.asked
        request.validate(asked.document)
        reply.validate(twin_document(asked.document["input"]))
        assert "/moderations" in contract["paths"]
        assert "post" in contract["paths"]["/moderations"]
        published = contract["components"]["schemas"]["CreateModerationResponse"]["properties"]
        scores = published["results"]["items"]["properties"]["category_scores"]["properties"]
        assert set(SIGNALS) == set(scores)


def test_a_request_names_path_key_model_and_texts() -> None:
    with client_of_a_server() as (moderation, server):
        asyncio.run(answered(moderation, ["hello", "there"]))
    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/moderations")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"] == "application/json"
    assert asked.document == {"model": "omni-test", "input": ["hello", "there"]}


def bad(**change: Any) -> dict[str, Any]:
    document = twin_document(["hello"])
    document["results"][0].update(change)
    return document


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"id": "x", "model": "y"},
        {**bad(), "results": []},
        bad(flagged="no"),
        bad(category_scores={"violence": 1.5}),
        bad(category_scores={"violence": -0.1}),
        bad(category_scores={"violence": "high"}),
        bad(category_scores=None),
    ],
)
def test_a_reply_outside_the_contract_is_refused(document: Any) -> None:
    far_end = service(lambda request: httpx.Response(200, json=document))
    client = ModerationClient(service=far_end, model="m")

    async def ask() -> None:
        with pytest.raises(ProviderBadReply) as caught:
            await client.moderate(["secret words"])
        assert "secret" not in str(caught.value)
        await client.close()

    asyncio.run(ask())


def test_a_category_without_a_score_is_unknown() -> None:
    source = ModerationSource(ModerationTwin())
    scores = {**twin_document(["x"])["results"][0]["category_scores"], "illicit": None}
    document = {"flagged": False, "category_scores": scores}
    values, unknown = source.meaning(evidence(), document)
    assert unknown == {"moderation_illicit": Unknown.NOT_GIVEN}
    assert len(values) == len(source.signals) - 1


def test_one_refused_text_leaves_the_others_their_scores() -> None:
    def answer(asked: Asked) -> Given:
        texts = asked.document["input"]
        return (400, {}, b"") if "poison" in texts else ok(twin_document(texts))

    with serving(answer) as server:
        client = ModerationClient(service=service(url=server.url), model="m")
        texts = [f"text {i}" for i in range(20)] + ["poison"]
        answers = asyncio.run(answered(client, texts))
    assert [answer.document is None for answer in answers] == [text == "poison" for text in texts]
    assert answers[-1].reason is Unknown.REFUSED


def test_a_case_without_text_is_not_sent() -> None:
    assert ModerationSource(ModerationTwin()).question(evidence(title=" ")) is Unknown.NO_TEXT


def test_pieces_cover_the_whole_text_and_overlap() -> None:
    text = "".join(chr(33 + i % 90) for i in range(PIECE * 2 + 77))
    pieces = pieces_of(text)
    assert pieces[0] + "".join(piece[OVERLAP:] for piece in pieces[1:]) == text
    assert max(map(len, pieces)) <= PIECE
    assert pieces_of("a" * PIECE) == ["a" * PIECE]
