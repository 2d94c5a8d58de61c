"""The embedded stack: a Prefect server and, for ``casework up``, its workers.

Everything it keeps is under the home folder: Prefect's database and logs, and ``stack.json``, which
tells other commands where the server is. Whoever starts the server holds ``stack.lock``; whoever
uses it holds ``stack.users`` shared, so that a server is not stopped under a command in progress.
"""

import asyncio
import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final

import httpx
import orjson

from casework.errors import EngineError
from casework.settings import Settings
from deployments.children import child_process

#: Seconds a server may take to answer: the first start creates Prefect's database.
START_SECONDS: Final = 180.0

#: The port that Prefect's documentation uses; another is taken where it is not free.
USUAL_PORT: Final = 4200


def _worker(name: str, kind: str, pool: str, limit: int) -> tuple[str, ...]:
    command = ("prefect", "worker", "start", "--type", kind, "--pool", pool)
    return (*command, "--name", name, "--limit", str(limit))


#: The parts beside the server, each a process of its own: what ``python -m`` runs for it.
#: Few runs at once, for the embedded Prefect keeps its state in SQLite, and writers that come
#: together wait for seconds.
PARTS: Final = {
    "review-worker": _worker("review-worker", "casework", "casework-review", 2),
    "batch-worker": _worker("batch-worker", "process", "casework-batch", 1),
    "console": ("deployments.console",),
    "receiver": ("deployments.receiver",),
}

#: How much is logged: by commands at a terminal, and by workers, whose runs' logs Prefect's pages
#: show.
QUIET: Final = "WARNING"
TELLING: Final = "INFO"

#: How our own Prefect server differs from one as it comes.
SERVER_SETTINGS: Final = {
    # How long a killed run keeps the only slot of its deployment; five minutes otherwise.
    "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": "60",
    # Each of the three events of a task run would be a transaction of its own.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "100",
    # Each run that waits in a long queue would be marked, which is one transition more.
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "120",
    # On PostgreSQL: past five connections each one is opened anew for one request, and what is
    # prepared on it again.
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE": "20",
}


def prepare_environment(settings: Settings) -> None:
    """Point Prefect at our home folder; to be called before Prefect is imported."""
    home = settings.home.absolute()
    defaults = {
        "PREFECT_HOME": str(home / "prefect"),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": QUIET,
        "PREFECT_CLI_PROMPT": "false",
        "CASEWORK_HOME": str(home),
        **SERVER_SETTINGS,
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    _put_first_in_path(Path(sys.executable).parent)


def _put_first_in_path(folder: Path) -> None:
    """Have a plain ``python``, as the batch pool starts its runs, be the one that runs us."""
    others = os.environ.get("PATH", os.defpath).split(os.pathsep)
    kept = [each for each in others if each != str(folder)]
    os.environ["PATH"] = os.pathsep.join([str(folder), *kept])


def running_api(settings: Settings) -> str | None:
    """The API of the server in use: ``PREFECT_API_URL``, or the embedded one if it answers."""
    if given := os.environ.get("PREFECT_API_URL"):
        return given
    url = noted_api(settings)
    return url if url and api_answers(url) else None


def noted_api(settings: Settings) -> str | None:
    """The API of the embedded server, as whoever started it noted it; None where none was."""
    try:
        return str(orjson.loads(_file(settings, "stack.json").read_bytes())["api_url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def server(settings: Settings, *, port: int | None = None) -> Iterator[str]:
    """Use the server that runs, or start one for as long as it is needed.

    Yields:
        The URL of its API, which ``PREFECT_API_URL`` names meanwhile.

    Raises:
        EngineError: the server that is named does not answer, or none could be started.
    """
    if given := os.environ.get("PREFECT_API_URL"):
        _must_answer()
        yield given
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        lock = stack.enter_context(_file(settings, "stack.lock").open("a"))
        users = stack.enter_context(_file(settings, "stack.users").open("a"))
        url = _join_or_own(settings, lock)
        if url is None:
            url = stack.enter_context(_own_server(settings, port))
            # Runs before the server is stopped: wait for the commands that still use it.
            stack.callback(lambda: fcntl.flock(users, fcntl.LOCK_EX))
        else:
            fcntl.flock(users, fcntl.LOCK_SH)
        stack.enter_context(_pointing_at(url))
        yield url


def _must_answer() -> None:
    """Ask the named server through Prefect's own client, which knows its TLS and credentials."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        if (fault := client.api_healthcheck()) is not None:
            raise EngineError(
                "Prefect does not answer at PREFECT_API_URL",
                hint="check PREFECT_API_URL and that the server is running",
            ) from fault


@contextmanager
def _pointing_at(url: str) -> Iterator[None]:
    """Have this process and its children use a server, whether Prefect is imported yet or not."""
    os.environ["PREFECT_API_URL"] = url
    from prefect.settings import PREFECT_API_URL, temporary_settings

    try:
        with temporary_settings({PREFECT_API_URL: url}):
            yield
    finally:
        os.environ.pop("PREFECT_API_URL", None)


@contextmanager
def part(settings: Settings, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of ``PARTS`` in a process of its own, against the server in use."""
    command = [sys.executable, "-m", *PARTS[name]]
    with child_process(settings, name, command, part_environment(name)) as child:
        yield child


def part_environment(name: str) -> dict[str, str]:
    """The environment of a part: a worker logs more, unless somebody has chosen otherwise."""
    if name.endswith("-worker") and os.environ.get("PREFECT_LOGGING_LEVEL") == QUIET:
        return {**os.environ, "PREFECT_LOGGING_LEVEL": TELLING}
    return dict(os.environ)


def _join_or_own(settings: Settings, lock: IO[str]) -> str | None:
    """The URL of a server somebody else runs, or None once the lock is ours."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if url := running_api(settings):
                return url
            time.sleep(0.2)
            continue
        return None
    raise EngineError(
        "another command is starting or stopping the Prefect server and does not finish",
        hint=f"see {settings.home / 'logs' / 'server.log'}",
    )


@contextmanager
def _own_server(settings: Settings, port: int | None) -> Iterator[str]:
    chosen = port or free_port(USUAL_PORT)
    url = f"http://127.0.0.1:{chosen}/api"
    note = _file(settings, "stack.json")
    with server_process(settings, chosen) as child:
        _deploy(url)
        note.write_bytes(orjson.dumps({"api_url": url, "pid": child.pid}))
        try:
            yield url
        finally:
            note.unlink(missing_ok=True)
            _hand_in()


@contextmanager
def server_process(settings: Settings, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a Prefect server over the database in our home folder, once it answers.

    Raises:
        EngineError: it does not start.
    """
    command = [sys.executable, "-m", "prefect", "server", "start"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with child_process(settings, "server", command) as child:
        _wait_until_up(settings, child, f"http://127.0.0.1:{port}/api")
        yield child


def _hand_in() -> None:
    """Send what Prefect still holds back in this process, while there is a server to take it.

    Left to the end of the process, its event and log workers try for a minute to reach a server
    that has been stopped.
    """
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for kept in (EventsWorker, APILogWorker):
        kept.drain_all(timeout=10)


def _deploy(url: str) -> None:
    """Put every deployment on our own server; on anybody else's an operator does it."""
    from deployments.deploy import deploy_all

    with _pointing_at(url):
        asyncio.run(deploy_all())


def _wait_until_up(settings: Settings, child: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not api_answers(url):
        if child.poll() is not None or time.monotonic() > deadline:
            raise EngineError(
                "the embedded Prefect server does not start",
                hint=f"see {settings.home / 'logs' / 'server.log'}",
            )
        time.sleep(0.1)


def api_answers(url: str) -> bool:
    """Whether a Prefect server answers at a URL."""
    try:
        return httpx.get(f"{url}/health", timeout=2.0).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def free_port(usual: int) -> int:
    """The usual port, or any that is free."""
    for port in (usual, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EngineError("no free port on 127.0.0.1")


def _file(settings: Settings, name: str) -> Path:
    return settings.home / name
