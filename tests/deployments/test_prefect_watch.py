"""Whether Prefect answers is asked behind the pages, and what is found is what they say."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from casework.settings import Settings
from deployments.prefect_watch import FRESH, PrefectWatch


class Health(BaseHTTPRequestHandler):
    """Prefect's answer to who asks whether it is well."""

    def do_GET(self) -> None:
        """Say that it is, at its own path alone."""
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, *told: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """A server that answers until it is shut down."""
    server = HTTPServer(("127.0.0.1", 0), Health)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server.server_port}/api")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_pages_learn_that_prefect_went_away_without_waiting_for_it(server: HTTPServer) -> None:
    moment = [0.0]
    watch = PrefectWatch(Settings(), clock=lambda: moment[0])
    assert watch.last().answers
    assert watch.last().run_page == f"http://127.0.0.1:{server.server_port}/runs/flow-run/{{run}}"
    server.shutdown()
    server.server_close()
    assert watch.last().answers, "what is known is still fresh"
    moment[0] += FRESH
    until = time.monotonic() + 30
    while watch.last().answers and time.monotonic() < until:
        time.sleep(0.01)
    assert not watch.last().answers


def test_where_no_prefect_is_named_none_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path))
    found = PrefectWatch(Settings()).last()
    assert (found.answers, found.run_page) == (False, "")
