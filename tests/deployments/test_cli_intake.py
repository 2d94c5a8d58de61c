"""The intake command's progress, which reads the store on a thread of its own."""

import threading

import pytest
from sqlalchemy import Engine

from casework.errors import StoreError
from casework.store.engine import open_engine
from deployments.cli import intake


def test_a_store_that_goes_away_meanwhile_does_not_break_the_progress(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused, again, broken = list[StoreError](), threading.Event(), list[object]()
    look = intake._how_far

    def looked(engine: Engine) -> str:
        try:
            return look(engine)
        except StoreError as error:
            refused.append(error)
            if len(refused) > 1:
                again.set()
            raise

    monkeypatch.setattr(intake, "_how_far", looked)
    monkeypatch.setattr(threading, "excepthook", broken.append)
    engine = open_engine("postgresql://nobody@127.0.0.1:9/none")
    with intake._progress(engine):
        assert again.wait(10), "it looks again after the store has not answered"
    engine.dispose()
    assert broken == []
