"""A client that posts as fast as a receiver answers, and says what was acknowledged.

It speaks just enough HTTP/1.1 over plain sockets: a client library would be what is measured.
"""

import asyncio
import base64
import hmac
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import yaml

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_KEY: Final = base64.b64decode(SECRET.removeprefix("whsec_"))

#: Seconds a receiver may take to start.
START_SECONDS: Final = 60.0


def signed_request(source: str, delivery: str, body: bytes) -> bytes:
    """A whole request as Standard Webhooks wants it, signed now."""
    seconds = b"%d" % time.time()
    message = b"%b.%b.%b" % (delivery.encode(), seconds, body)
    signature = base64.b64encode(hmac.digest(_KEY, message, "sha256"))
    return (
        b"POST /in/%b HTTP/1.1\r\nhost: receiver\r\ncontent-type: application/json\r\n"
        b"webhook-id: %b\r\nwebhook-timestamp: %b\r\nwebhook-signature: v1,%b\r\n"
        b"content-length: %d\r\n\r\n%b"
        % (source.encode(), delivery.encode(), seconds, signature, len(body), body)
    )


@dataclass(slots=True)
class Load:
    """Deliveries to be made; what is in ``acknowledged`` was answered with 2xx."""

    source: str
    waiting: deque[tuple[str, bytes]]
    acknowledged: list[str] = field(default_factory=list)
    refused: int = 0

    async def run(self, port: int, connections: int = 32) -> None:
        """Make them all, over some connections at once; one that breaks is made again."""
        await asyncio.gather(*(self._connection(port) for _ in range(connections)))

    async def _connection(self, port: int) -> None:
        while self.waiting:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            try:
                await self._deliver(reader, writer)
            finally:
                writer.close()

    async def _deliver(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self.waiting:
            delivery, body = self.waiting.popleft()
            try:
                writer.write(signed_request(self.source, delivery, body))
                status = await _status(reader)
            except (OSError, EOFError):
                self.waiting.append((delivery, body))
                return
            if status == 200:
                self.acknowledged.append(delivery)
            else:
                self.refused += 1
                self.waiting.append((delivery, body))


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return int(head.split(b" ", 2)[1])


@dataclass(slots=True)
class Receiver:
    """A receiver in a process of its own, which can be killed and started again."""

    home: Path
    database_url: str
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        environment = {
            **os.environ,
            "CASEWORK_HOME": str(self.home),
            "CASEWORK_DATABASE_URL": self.database_url,
            "CASEWORK_INBOX_FILE": str(declare(self.home)),
            "CASEWORK_RECEIVER_PORT": str(self.port),
        }
        environment.pop("PREFECT_API_URL", None)
        with (self.home / "receiver.log").open("ab") as log:
            command = [sys.executable, "-m", "deployments.receiver"]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.home / "receiver.log").read_text())
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut would: nothing is flushed, nobody is told."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """End it as an operator would."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def cpu_seconds(self) -> float:
        """Processor time it has used so far: a busy machine does not change that much."""
        if self.process is None:
            return 0.0
        import psutil  # of the group `bench`; tests use this module without it

        spent = psutil.Process(self.process.pid).cpu_times()
        return float(spent.user + spent.system)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


def declare(home: Path) -> Path:
    """The file that lets source ``load`` in."""
    (home / "load.secret").write_text(SECRET)
    entry = {
        "vendor": "standard",
        "secrets": [{"file": "load.secret"}],
        "rate": 1_000_000,
        "burst": 1_000_000,
    }
    path = home / "inbox.yaml"
    path.write_text(yaml.safe_dump({"sources": {"load": entry}}))
    return path


@contextmanager
def receiving(home: Path, database_url: str, port: int) -> Iterator[Receiver]:
    """A receiver that runs, and is stopped at the end whatever happened."""
    receiver = Receiver(home, database_url, port)
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


def deliveries(number: int, body: bytes, prefix: str = "d") -> deque[tuple[str, bytes]]:
    """So many deliveries with ids of their own; the body begins with the id."""
    names = (f"{prefix}{each}" for each in range(number))
    return deque((name, b'{"external_id":"%b",%b' % (name.encode(), body[1:])) for name in names)


async def with_a_kill(
    load: Load, receiver: Receiver, *, after: int, connections: int = 32
) -> Sequence[str]:
    """Make all deliveries, killing and restarting the receiver once so many were acknowledged.

    Returns:
        Those that had been acknowledged when it was killed.
    """
    running = asyncio.create_task(load.run(receiver.port, connections))
    while len(load.acknowledged) < after:
        await asyncio.sleep(0.001)
    receiver.kill()
    before = list(load.acknowledged)
    await asyncio.to_thread(receiver.start)
    await running
    return before
