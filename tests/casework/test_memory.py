"""Garbage collection while many rows are in hand."""

import gc

import pytest

from casework.memory import fewer_collections


def fail_inside() -> None:
    with fewer_collections():
        raise KeyError(gc.get_threshold()[0])


def test_the_collector_is_as_before_afterwards_even_after_an_error() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError) as inside:
        fail_inside()
    assert inside.value.args[0] > before[0]
    assert gc.get_threshold() == before
