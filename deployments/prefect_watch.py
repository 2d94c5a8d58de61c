"""Whether Prefect answers, for pages that do not wait for it."""

import os
import threading
import time
from collections.abc import Callable
from typing import Final

from casework.console.ports import Prefect
from casework.settings import Settings
from deployments.stack import api_answers, noted_api

#: Seconds for which what was found is taken to be so still.
FRESH: Final = 5.0


class PrefectWatch:
    """Asks Prefect in a thread of its own where what is known has become old."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._asking = threading.Lock()
        self._asked_at = clock()
        self._found = self._ask()

    def last(self) -> Prefect:
        """What was found last; has it asked again behind whoever wants to know."""
        if self._clock() - self._asked_at >= FRESH and self._asking.acquire(blocking=False):
            threading.Thread(target=self._renew, daemon=True).start()
        return self._found

    def _renew(self) -> None:
        try:
            self._found = self._ask()
            self._asked_at = self._clock()
        finally:
            self._asking.release()

    def _ask(self) -> Prefect:
        api = os.environ.get("PREFECT_API_URL") or noted_api(self._settings)
        if api is None:
            return Prefect(answers=False)
        return Prefect(api_answers(api), f"{api.removesuffix('/api')}/runs/flow-run/{{run}}")
