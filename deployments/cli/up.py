"""``casework up``: the embedded stack, until Ctrl-C."""

import asyncio
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from typing import Annotated, Final

import typer

from casework.policy.bundle import load_bundle
from casework.settings import Settings
from deployments.cli.output import err, reported
from deployments.cli.setting import set_up, settled
from deployments.stack import RECEIVER, WORKERS, receiver, server, worker

#: Seconds before a worker that ended by itself is started again.
RESTART_SECONDS: Final = 5.0


def up(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the Prefect server.")
    ] = None,
) -> None:
    """Run the Prefect server and its workers until Ctrl-C; what waits goes on where it stopped."""
    with reported():
        settings = settled()
        load_bundle(settings.bundle_dir)
        set_up(settings)
        stopped = _until_signal()
        with running(settings, _parts(settings), port=port) as (url, check):
            err.print(f"Prefect: {url.removesuffix('/api')}", highlight=False)
            if settings.inbox_file:
                err.print(f"receiver: port {settings.receiver_port}", highlight=False)
            err.print(f"logs: {settings.home / 'logs'}", markup=False, highlight=False)
            err.print("Ctrl-C stops it; what waits for people keeps waiting.")
            # A thread of its own begins without the settings that point Prefect at our server.
            pointed = copy_context()
            threading.Thread(target=pointed.run, args=(_catch_up,), daemon=True).start()
            while not stopped.wait(1.0):
                check()
            err.print("stopping: runs in hand may finish")


def _parts(settings: Settings) -> tuple[str, ...]:
    """The workers, and the receiver where sources are declared; a faulty file is told at once."""
    if settings.inbox_file is None:
        return tuple(WORKERS)
    from deployments.receiver.serve import doors_of

    doors_of(settings)
    return (*WORKERS, RECEIVER)


def _catch_up() -> None:
    """Carry on at once with what was decided or left behind while the stack was down."""
    from tasks.review_runs import bring_together

    steps = asyncio.run(bring_together.fn())
    told = ", ".join(f"{count} {step}" for step, count in sorted(steps.items()) if step != "leave")
    err.print(f"gates and their runs: {told or 'all in order'}")


@contextmanager
def running(
    settings: Settings, parts: tuple[str, ...], *, port: int | None = None
) -> Iterator[tuple[str, "_Check"]]:
    """The server with its deployments and some parts; ``check()`` restarts those that ended."""
    with server(settings, port=port) as url, ExitStack() as stack:
        yield url, _Check(settings, stack, parts)


class _Check:
    """Keeps workers, and the receiver, running."""

    def __init__(self, settings: Settings, stack: ExitStack, kinds: tuple[str, ...]) -> None:
        self._settings, self._stack = settings, stack
        self._ended: dict[str, float] = {}
        self._children = {kind: self._start(kind) for kind in kinds}

    def __call__(self) -> None:
        """Start again the parts that ended by themselves, not at once but soon."""
        for kind, child in self._children.items():
            if child.poll() is None:
                continue
            since = self._ended.setdefault(kind, time.monotonic())
            if time.monotonic() - since >= RESTART_SECONDS:
                err.print(f"the {_called(kind)} had ended ({child.returncode}); started again")
                del self._ended[kind]
                self._children[kind] = self._start(kind)

    def _start(self, kind: str) -> "subprocess.Popen[bytes]":
        part = receiver(self._settings) if kind == RECEIVER else worker(self._settings, kind)
        return self._stack.enter_context(part)


def _called(kind: str) -> str:
    return kind if kind == RECEIVER else f"{kind} worker"


def _until_signal() -> threading.Event:
    """An event that SIGINT and SIGTERM set."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
