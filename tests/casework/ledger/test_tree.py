"""The Merkle tree is that of RFC 6962."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    is_consistent,
    leaf_hash,
    node_hash,
    root_from_inclusion,
)

# The inputs and roots of the Certificate Transparency reference implementation.
LEAVES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def hashes(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % index) for index in range(count)]


def root_by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(root_by_definition(leaves[:split]), root_by_definition(leaves[split:]))


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(data)) for data in LEAVES[:size]]
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    assert frontier.root().hex() == Tree(leaves).root().hex() == ROOTS[size]


def test_an_inclusion_proof_is_that_of_the_reference_implementation() -> None:
    tree = Tree(leaf_hash(bytes.fromhex(data)) for data in LEAVES)
    assert [step.hex() for step in tree.inclusion(0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


@given(st.integers(0, 130), st.data())
def test_the_frontier_can_be_put_down_and_taken_up(size: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, size))
    first = Frontier()
    for leaf in hashes(cut):
        first.append(leaf)
    second = Frontier(first.size, first.hashes)
    for leaf in hashes(size)[cut:]:
        second.append(leaf)
    assert second.root() == root_by_definition(hashes(size))


def test_an_empty_tree_has_the_root_of_nothing() -> None:
    assert Frontier().root() == Tree([]).root() == EMPTY_ROOT


def test_a_frontier_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 perfect subtrees"):
        Frontier(3, [b"x" * 32])


@given(st.integers(1, 130), st.data())
def test_an_inclusion_proof_leads_to_the_root_from_its_own_leaf_alone(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    leaves = hashes(size)
    tree = Tree(leaves)
    path = tree.inclusion(index)
    assert root_from_inclusion(leaves[index], index, size, path) == tree.root()
    assert len(path) <= (size - 1).bit_length()
    if other != index:
        assert root_from_inclusion(leaves[other], index, size, path) != tree.root()


@given(st.integers(2, 130), st.data())
def test_an_inclusion_proof_of_the_wrong_length_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = hashes(size)
    path = Tree(leaves).inclusion(index)
    for wrong in ([*path, path[0]], path[:-1]):
        with pytest.raises(ValueError, match="than the tree is high"):
            root_from_inclusion(leaves[index], index, size, wrong)


@given(st.integers(1, 130), st.data())
def test_a_consistency_proof_holds_for_the_tree_it_grew_from_alone(
    new: int, data: st.DataObject
) -> None:
    old = data.draw(st.integers(1, new))
    leaves = hashes(new)
    tree, before = Tree(leaves), Tree(leaves[:old])
    path = tree.consistency(old)
    assert is_consistent(old, before.root(), new, tree.root(), path)
    rewritten = Tree([leaf_hash(b"x"), *leaves[1:old]])
    assert not is_consistent(old, rewritten.root(), new, tree.root(), path)
    assert not is_consistent(old, before.root(), new, rewritten.root(), path)
    assert not is_consistent(old, before.root(), new, tree.root(), [*path, b"x" * 32])
    if path:
        assert not is_consistent(old, before.root(), new, tree.root(), path[:-1])


@pytest.mark.parametrize("index", [-1, 3])
def test_a_leaf_that_is_not_there_has_no_proof(index: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        Tree(hashes(3)).inclusion(index)
    with pytest.raises(ValueError, match="no leaf"):
        root_from_inclusion(leaf_hash(b""), index, 3, [])


@pytest.mark.parametrize("old", [0, 4])
def test_a_tree_that_never_was_has_no_proof(old: int) -> None:
    with pytest.raises(ValueError, match="never"):
        Tree(hashes(3)).consistency(old)
