"""Doing things on another thread while what comes after them is made."""

import sys
from collections.abc import Callable
from threading import Event, get_ident

import pytest

from casework.behind import Behind, short_turns


def fail(*_: object) -> None:
    raise KeyError("the first")


def failing_call_and(then: Callable[[], object]) -> None:
    with Behind() as later:
        later(fail)
        later(then)


def failing_block(given: Event, done: list[int]) -> None:
    with Behind() as later:
        later(given.wait, 5)
        later(done.append, 1)
        given.set()
        raise RuntimeError("the block")


def test_calls_are_made_in_their_order_on_one_other_thread() -> None:
    done: list[tuple[int, int]] = []
    with Behind() as later:
        for number in range(5):
            later(lambda each: done.append((each, get_ident())), number)
    assert [number for number, _ in done] == [0, 1, 2, 3, 4]
    [thread] = {thread for _, thread in done}
    assert thread != get_ident()


def test_the_block_goes_on_while_a_call_is_made() -> None:
    ready = Event()
    with Behind() as later:
        later(ready.wait, 5)
        assert not ready.is_set()
        ready.set()


def test_what_the_first_failing_call_raises_is_raised_at_the_end() -> None:
    done: list[int] = []
    with pytest.raises(KeyError, match="the first"):
        failing_call_and(lambda: done.append(1))
    assert done == [1]


def test_a_failing_block_raises_its_own_error() -> None:
    with pytest.raises(RuntimeError, match="the block"):
        failing_block(Event(), [])


def test_turns_are_as_long_as_before_afterwards() -> None:
    before = sys.getswitchinterval()
    with short_turns():
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before
