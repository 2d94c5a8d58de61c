"""Making the next of many things while the one before is worked on."""

from collections.abc import Iterator

import pytest

from casework.ahead import Ahead


def made(into: list[int], number: int = 3) -> Iterator[int]:
    for each in range(number):
        into.append(each)
        yield each


def test_items_come_in_order_whoever_starts_them() -> None:
    with Ahead(made([])) as ahead:
        first = next(ahead)
        ahead.start()
        ahead.start()
        assert [first, *ahead] == [0, 1, 2]


def test_nothing_is_made_before_it_is_started_or_asked_for() -> None:
    into: list[int] = []
    with Ahead(made(into)) as ahead:
        next(ahead)
        assert into == [0]


def test_what_the_making_raises_is_raised_where_the_item_is_asked_for() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise KeyError("x")

    with Ahead(broken()) as ahead:
        assert next(ahead) == 1
        with pytest.raises(KeyError):
            next(ahead)
