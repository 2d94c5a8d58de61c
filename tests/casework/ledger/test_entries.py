"""Entries are canonical JSON, chained by digest."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from casework.ledger.entries import (
    GENESIS,
    Action,
    Draft,
    Head,
    Provenance,
    chain,
    chain_all,
    timestamp,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BY = Provenance(actor="casework:test", code_version="test")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
optional = st.none() | texts
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
provenances = st.builds(
    Provenance,
    actor=texts,
    actor_kind=texts,
    code_version=texts,
    flow_run_id=optional,
    task_run_id=optional,
)
drafts = st.builds(
    Draft,
    chain=st.sampled_from(["c1", "c2", "sys\u00e9\u2028tem", '"']),
    action=st.sampled_from(Action),
    data=st.dictionaries(texts, values, max_size=4),
    revision=st.none() | st.integers(0, 9),
    evidence_digest=optional,
    policy_digest=optional,
)


def document(draft: Draft, head: Head, by: Provenance) -> dict[str, Any]:
    """What an entry says, written the long way."""
    said = {
        "chain": draft.chain,
        "position": head.position,
        "previous": head.digest,
        "action": str(draft.action),
        "actor": by.actor,
        "actor_kind": by.actor_kind,
        "at": timestamp(NOW),
        "code_version": by.code_version,
        "data": dict(draft.data),
    }
    there = {
        "revision": draft.revision,
        "evidence_digest": draft.evidence_digest,
        "policy_digest": draft.policy_digest,
        "flow_run_id": by.flow_run_id,
        "task_run_id": by.task_run_id,
    }
    return said | {name: value for name, value in there.items() if value is not None}


@given(st.lists(drafts, max_size=8), provenances)
def test_a_body_is_the_canonical_form_of_its_document(given: list[Draft], by: Provenance) -> None:
    heads: dict[str, Head] = {}
    for draft, entry in zip(given, chain_all(given, {}, by, NOW), strict=True):
        head = heads.get(draft.chain, Head())
        assert entry.body.encode() == rfc8785.dumps(document(draft, head, by))
        assert entry.digest == sha256(entry.body.encode()).hexdigest()
        heads[draft.chain] = Head(entry.position + 1, entry.digest)


@given(st.lists(drafts, max_size=8), st.integers(0, 8))
def test_where_a_batch_is_cut_makes_no_difference(given: list[Draft], cut: int) -> None:
    whole = chain_all(given, {}, BY, NOW)
    first = chain_all(given[:cut], {}, BY, NOW)
    heads = {entry.chain: Head(entry.position + 1, entry.digest) for entry in first}
    assert [*first, *chain_all(given[cut:], heads, BY, NOW)] == whole


def test_the_first_entry_of_a_chain_names_the_genesis() -> None:
    entry, head = chain(Draft("c1", Action.CASE_OPENED), Head(), BY, NOW)
    assert orjson.loads(entry.body)["previous"] == GENESIS
    assert head == Head(1, entry.digest)


@pytest.mark.parametrize("value", [float("nan"), 2**53, "\ud800", {1: 2}, b"", object()])
def test_what_json_cannot_carry_exactly_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        chain(Draft("c1", Action.CASE_OPENED, {"x": value}), Head(), BY, NOW)
