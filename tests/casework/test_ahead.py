"""Making the next of many things while those before are worked on."""

from collections.abc import Iterator
from threading import Event

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


def test_nothing_is_made_before_something_is_asked_for() -> None:
    into: list[int] = []
    with Ahead(made(into)):
        pass
    assert into == []


def test_two_items_are_in_hand_at_the_most_however_often_one_is_started() -> None:
    into: list[int] = []
    with Ahead(made(into, 9)) as ahead:
        next(ahead)
        for _ in range(5):
            ahead.start()
    assert into in ([0], [0, 1], [0, 1, 2])


def test_the_next_item_is_made_while_this_one_is_worked_on() -> None:
    begun = Event()

    def second_one() -> Iterator[int]:
        yield 1
        begun.set()
        yield 2

    with Ahead(second_one()) as ahead:
        next(ahead)
        assert begun.wait(timeout=10)


def test_what_the_making_raises_is_raised_where_the_item_is_asked_for() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise KeyError("x")

    with Ahead(broken()) as ahead:
        assert next(ahead) == 1
        with pytest.raises(KeyError):
            next(ahead)
