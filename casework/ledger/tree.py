"""The Merkle tree over the ledger: RFC 6962, section 2.1; verification as in RFC 9162, 2.1.3-2.1.4.

A tree of n leaves is kept as its *frontier*: the roots of the perfect subtrees it is made of, one
for each bit set in n, left to right. That is all it takes to append, so memory does not grow.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf: SHA-256 over 0x00 and the leaf's data."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees: SHA-256 over 0x01 and both."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that leaves can be appended to; it holds a hash for each bit set in its size."""

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} perfect subtrees")

    def append(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        hashes, size = self.hashes, self.size
        while size & 1:
            leaf = sha256(b"\x01" + hashes.pop() + leaf).digest()
            size >>= 1
        hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self.hashes:
            return EMPTY_ROOT
        *rest, root = self.hashes
        for left in reversed(rest):
            root = node_hash(left, root)
        return root


class Tree:
    """A whole tree in memory, to make proofs from: about 64 bytes for each leaf."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self._levels = [bytearray(b"".join(leaves))]
        while len(self._levels[-1]) > 32:
            self._levels.append(_level_above(self._levels[-1]))

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return len(self._levels[0]) // 32

    def root(self) -> bytes:
        """The root."""
        return self._subtree(0, self.size)

    def inclusion(self, index: int) -> list[bytes]:
        """The audit path of a leaf, from the bottom up (RFC 6962, 2.1.1).

        Raises:
            ValueError: the tree has no such leaf.
        """
        if not 0 <= index < self.size:
            raise ValueError(f"a tree of {self.size} leaves has no leaf {index}")
        return self._path(index, 0, self.size)

    def consistency(self, old: int) -> list[bytes]:
        """The proof that the tree of the first ``old`` leaves is a part of it (RFC 6962, 2.1.2).

        Raises:
            ValueError: ``old`` is not between 1 and the tree's size.
        """
        if not 0 < old <= self.size:
            raise ValueError(f"a tree of {self.size} leaves was never one of {old}")
        return self._subproof(old, 0, self.size, True)

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle:
            return [*self._path(index, start, middle), self._subtree(middle, end)]
        return [*self._path(index, middle, end), self._subtree(start, middle)]

    def _subproof(self, old: int, start: int, end: int, whole: bool) -> list[bytes]:
        if old == end:
            return [] if whole else [self._subtree(start, end)]
        middle = start + _split(end - start)
        if old <= middle:
            return [*self._subproof(old, start, middle, whole), self._subtree(middle, end)]
        return [*self._subproof(old, middle, end, False), self._subtree(start, middle)]

    def _subtree(self, start: int, end: int) -> bytes:
        """The root over some leaves; perfect subtrees are on their level already."""
        width = end - start
        if not width:
            return EMPTY_ROOT
        if width & (width - 1) == 0:
            place = (start // width) * 32
            return bytes(self._levels[width.bit_length() - 1][place : place + 32])
        middle = start + _split(width)
        return node_hash(self._subtree(start, middle), self._subtree(middle, end))


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that an audit path leads to (RFC 9162, 2.1.3.2).

    Raises:
        ValueError: the path does not fit a tree of that size.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    place, last, root = index, size - 1, leaf
    for hash_ in path:
        if last == 0:
            raise ValueError("the path is longer than the tree is high")
        if place & 1 or place == last:
            root = node_hash(hash_, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, hash_)
        place, last = place >> 1, last >> 1
    if last:
        raise ValueError("the path is shorter than the tree is high")
    return root


def is_consistent(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether a proof shows that the older tree begins the newer (RFC 9162, 2.1.4.2)."""
    if old == new:
        return old_root == new_root and not path
    if not 0 < old < new or not path:
        return False
    rest = [old_root, *path] if old & (old - 1) == 0 else list(path)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = rest[0]
    for hash_ in rest[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(hash_, first), node_hash(hash_, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, hash_)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(width: int) -> int:
    """The largest power of two below ``width``."""
    return 1 << ((width - 1).bit_length() - 1)


def _level_above(level: bytearray) -> bytearray:
    """The hashes of all whole pairs of a level."""
    pairs = (level[at : at + 64] for at in range(0, len(level) - 63, 64))
    return bytearray(b"".join([sha256(b"\x01" + pair).digest() for pair in pairs]))
