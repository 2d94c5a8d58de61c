"""A real HTTP server on the loopback, to hold clients to what they send."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """Its body as JSON."""
        return orjson.loads(self.body)


@dataclass(slots=True)
class Server:
    """Where it listens, and all that it has been asked."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)


#: Status, headers and body of a reply.
Given = tuple[int, dict[str, str], bytes]


def ok(document: Any) -> Given:
    """A reply that is what was hoped for."""
    return 200, {"Content-Type": "application/json"}, orjson.dumps(document)


@contextmanager
def serving(answer: Callable[[Asked], Given]) -> Iterator[Server]:
    """Serve until the block ends."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, self.rfile.read(size))
            server.asked.append(asked)
            status, more, body = answer(asked)
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listening.server_address[1]}/v1"
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
