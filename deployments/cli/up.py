"""``casework up``: the embedded stack, until Ctrl-C."""

import asyncio
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from typing import Annotated, Final

import typer
from sqlalchemy import Engine

from casework.policy.bundle import load_bundle
from casework.settings import Settings, load_settings
from casework.store.accounts import has_password
from casework.store.engine import transaction
from deployments.cli.output import err, reported
from deployments.cli.setting import now, operator, set_up, settled
from deployments.stack import PARTS, free_port, part, server

#: Seconds before a part that ended by itself is started again.
RESTART_SECONDS: Final = 5.0


def up(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the Prefect server.")
    ] = None,
    console_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the console.")
    ] = None,
) -> None:
    """Run the Prefect server, its workers and the console until Ctrl-C.

    What waits for people goes on where it stopped.
    """
    with reported():
        settings = _with_console(settled(), console_port)
        load_bundle(settings.bundle_dir)
        engine = set_up(settings)
        stopped = _until_signal()
        with running(settings, _parts(settings), port=port) as (url, check):
            err.print(f"Prefect: {url.removesuffix('/api')}", highlight=False)
            _tell_of_console(settings, engine)
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


def _with_console(settings: Settings, port: int | None) -> Settings:
    """The settings with the console's port, as the parts, which read the environment, see them."""
    chosen = port or free_port(settings.console_port)
    os.environ["CASEWORK_CONSOLE_PORT"] = str(chosen)
    # Where nobody has named another address, links in what is sent lead to this console.
    os.environ.setdefault("CASEWORK_CONSOLE_URL", f"http://127.0.0.1:{chosen}")
    return load_settings()


def _tell_of_console(settings: Settings, engine: Engine) -> None:
    """Say where the console is; until somebody has a password, with a link that signs in once."""
    address = f"http://127.0.0.1:{settings.console_port}"
    # FastAPI takes a while to import, and no other command needs it.
    from deployments.console import first_link

    with transaction(engine) as session:
        if has_password(session):
            err.print(f"console: {address}", highlight=False)
            return
        person, secret = first_link(session, operator(), now())
    err.print(f"console: {address}/sign-in/{secret}", highlight=False, soft_wrap=True)
    err.print(f"The link signs {person} in, once; others: casework people link-in ID")


def _parts(settings: Settings) -> tuple[str, ...]:
    """All parts, the receiver only where sources are declared; a faulty file is told at once."""
    if settings.inbox_file is None:
        return tuple(name for name in PARTS if name != "receiver")
    from deployments.receiver.serve import doors_of

    doors_of(settings)
    return tuple(PARTS)


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
    """Keeps the parts running."""

    def __init__(self, settings: Settings, stack: ExitStack, names: tuple[str, ...]) -> None:
        self._settings, self._stack = settings, stack
        self._ended: dict[str, float] = {}
        self._children = {name: self._start(name) for name in names}

    def __call__(self) -> None:
        """Start again the parts that ended by themselves, not at once but soon."""
        for name, child in self._children.items():
            if child.poll() is None:
                continue
            since = self._ended.setdefault(name, time.monotonic())
            if time.monotonic() - since >= RESTART_SECONDS:
                err.print(f"the {name} had ended ({child.returncode}); started again")
                del self._ended[name]
                self._children[name] = self._start(name)

    def _start(self, name: str) -> "subprocess.Popen[bytes]":
        return self._stack.enter_context(part(self._settings, name))


def _until_signal() -> threading.Event:
    """An event that SIGINT and SIGTERM set."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
