"""The intake command's progress, which reads the store on a thread of its own."""

import time

from casework.store.engine import open_engine
from deployments.cli.intake import _progress


def test_a_store_that_goes_away_meanwhile_does_not_break_the_progress() -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:9/none")
    with _progress(engine):
        time.sleep(0.8)
    engine.dispose()
