"""The console under load: 200 analysts over HTTP while a million cases wait, on PostgreSQL.

``CASEWORK_BENCH_POSTGRES_URL`` names a server with a user who may create databases. Two console
processes, as behind a proxy; the analysts are in a process of their own (``benchmarks.analysts``,
which also says how long they think). All of it and PostgreSQL share the machine.
"""

import asyncio
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import psycopg
from sqlalchemy import Engine

from benchmarks.backlog import QUEUES, backlog, waits
from benchmarks.processor import processor_seconds
from benchmarks.servers import database
from benchmarks.table import row
from benchmarks.waiting import BY, now
from casework.gates import ActorKind
from casework.settings import load_settings
from casework.store.accounts import make_link
from casework.store.engine import open_engine, reading, transaction
from casework.store.next_gates import next_gate
from casework.store.people import add_person, answering
from casework.store.schema import upgrade

POSTGRES: Final = os.environ.get(
    "CASEWORK_BENCH_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/postgres"
)
CASES: Final = 1_000_000
ANALYSTS: Final = 200
CONSOLES: Final = 2
WARM_UP: Final = 30.0
SECONDS: Final = 60.0
PAGES: Final = 100
START_SECONDS: Final = 60.0


def run() -> list[dict[str, Any]]:
    """Measure; rows of figure, value, unit, limit and peer."""
    try:
        psycopg.connect(POSTGRES, connect_timeout=3).close()
    except psycopg.Error as error:
        return [row("console: not measured", "no PostgreSQL", type(error).__name__)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(database(POSTGRES, "casework_bench_console"))
        return measured(folder, url)


def measured(folder: Path, url: str) -> list[dict[str, Any]]:
    """Fill a database of our own, and measure pages alone, then analysts at work."""
    os.environ |= {"CASEWORK_HOME": str(folder), "CASEWORK_DATABASE_URL": url}
    os.environ.pop("PREFECT_API_URL", None)
    engine = open_engine(load_settings().store_url)
    try:
        upgrade(engine)
        asyncio.run(backlog(engine, folder, CASES))
        with consoles(folder) as urls:
            return [*pages(engine, urls[0]), *_load(engine, folder, urls)]
    finally:
        engine.dispose()
        del os.environ["CASEWORK_HOME"], os.environ["CASEWORK_DATABASE_URL"]


@contextmanager
def consoles(folder: Path) -> Iterator[list[str]]:
    """Console processes that listen; they are ended at the end whatever happened."""
    with ExitStack() as stack:
        yield [stack.enter_context(_console(folder)) for _ in range(CONSOLES)]


@contextmanager
def _console(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**os.environ, "CASEWORK_CONSOLE_PORT": str(port)}
    with (folder / f"console-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.console"], env=environment, stdout=log, stderr=log
        )
    try:
        _await(process, f"http://127.0.0.1:{port}/sign-in")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(url, timeout=5)
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError("a console did not start")


def pages(engine: Engine, url: str) -> list[dict[str, Any]]:
    """A lead alone in the console while everything waits."""
    lead = "bench-lead"
    with transaction(engine) as session:
        add_person(session, lead, name="Lead", roles=["lead"], queues=["*"], by=BY, now=now())
        link = make_link(session, lead, BY, now())
        waiting = waits(session)
    with httpx.Client(base_url=url, timeout=60) as client:
        client.post(f"/sign-in/{link}")
        turns = _turns(client, QUEUES[0])

        def page_of(path: str) -> Callable[[], object]:
            return lambda: _got(client, path)

        found = {
            "a queue's first page": _timed(page_of(f"/queues/{QUEUES[0]}")),
            "a queue's later pages": _timed(lambda: next(turns)),
            "the leads' board": _timed(page_of("/leads")),
            "the clocks": _timed(page_of("/leads/clocks")),
            "the next case, in the store": _timed(lambda: _next(engine, lead)),
        }
    rows = [row("console: cases that wait", waiting, "cases")]
    for name, times in found.items():
        rows.append(row(f"console: {name}, p50", round(times[49], 1), "ms", "< 100"))
        rows.append(row(f"console: {name}, p99", round(times[98], 1), "ms", "< 100"))
    return rows


def _turns(client: httpx.Client, queue: str) -> Iterator[None]:
    """From page to page of a queue."""
    path = f"/queues/{queue}"
    while True:
        following = re.search(r'href="([^"]+)" rel="next"', _got(client, path))
        assert following, "a million cases have more than a hundred pages"
        path = following[1].replace("&amp;", "&")
        yield


def _got(client: httpx.Client, path: str) -> str:
    answer = client.get(path)
    answer.raise_for_status()
    return answer.text


def _next(engine: Engine, who: str) -> None:
    with reading(engine) as session:
        asking = answering(session, who, ActorKind.PERSON)
        assert asking is not None
        assert next_gate(session, asking, now()) is not None


def _timed(ask: Callable[[], object]) -> list[float]:
    """Percentiles of what something takes, in milliseconds."""
    times = []
    for _ in range(PAGES + 5):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(times[5:], n=100, method="inclusive")


def _load(engine: Engine, folder: Path, urls: list[str]) -> list[dict[str, Any]]:
    """Analysts at work; what the consoles answered, how fast, and for how much processor time."""
    asked = {"consoles": urls, "links": _links(engine), "warm_up": WARM_UP, "seconds": SECONDS}
    (folder / "asked.json").write_bytes(orjson.dumps(asked))
    before = processor_seconds()
    command = [sys.executable, "-m", "benchmarks.analysts", str(folder / "asked.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as analysts:
        said, _ = analysts.communicate()
    seen = orjson.loads(said)
    spent = processor_seconds() - before
    times = [each for those in seen["times"].values() for each in those]
    rows = [row(f"console: {ANALYSTS} analysts, errors", len(seen["errors"]), "errors", "0")]
    sys.stderr.write("".join(f"  {error}\n" for error in seen["errors"][:5]))
    for name, those in [("all requests", times), *sorted(seen["times"].items())]:
        cuts = statistics.quantiles(those, n=100, method="inclusive")
        rows.append(row(f"console: {name}, p50", round(cuts[49], 1), "ms"))
        rows.append(row(f"console: {name}, p99", round(cuts[98], 1), "ms", "< 150"))
    rows.append(row("console: requests", round(len(times) / SECONDS, 1), "requests/s"))
    cost = spent / len(times) * SECONDS / (SECONDS + WARM_UP) * 1000
    return [*rows, row("console: processor time of a request, consoles", round(cost, 1), "ms")]


def _links(engine: Engine) -> list[str]:
    links = []
    with transaction(engine) as session:
        for number in range(ANALYSTS):
            name = f"analyst-{number}"
            roles, queues = ["analyst"], ["*"]
            add_person(session, name, name=name, roles=roles, queues=queues, by=BY, now=now())
            links.append(f"/sign-in/{make_link(session, name, BY, now())}")
    return links
