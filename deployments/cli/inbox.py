"""``casework inbox``: what other systems have posted."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from casework.errors import ConfigurationError, EngineError, InputError
from casework.inbox.load import load_sources, secrets_of
from casework.inbox.sources import Source
from casework.settings import Settings
from casework.store.engine import reading, transaction
from casework.store.inbox import (
    DISCARDED,
    DONE,
    FAILED,
    WAITING,
    discard_message,
    list_messages,
    message_by_id,
    retry_message,
)
from casework.store.tables import InboxMessage
from deployments.cli.output import Json, emit, err, out, reported, table_of
from deployments.cli.setting import now, opened, operator, settled
from deployments.stack import running_api

app = typer.Typer(no_args_is_help=True)

COLUMNS = ("id", "source", "received_at", "status", "outcome", "detail", "case_id", "repeats")
_SHOWN = ("number", "id", "source", "vendor", "received_at", "size", "digest", "repeats", "status")
_RESOLVED = ("outcome", "detail", "case_id", "reference", "handled_at", "handled_by")
_STATUSES = (WAITING, DONE, FAILED, DISCARDED)

Message = Annotated[str, typer.Argument(help="The message's id.")]


@app.command("list")
def list_(
    status: Annotated[str, typer.Option(help=f"{', '.join(_STATUSES)} or all.")] = FAILED,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Only this outcome.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out the first so many.")] = 0,
    as_json: Json = False,
) -> None:
    """List messages, the newest first, without what they say; by default those that failed."""
    with reported(as_json):
        if status not in (*_STATUSES, "all"):
            raise InputError(f"there is no status {status}", hint=f"{FAILED} is the default")
        wanted = None if status == "all" else status
        with reading(opened(settled())) as session:
            found = list_messages(
                session, status=wanted, source=source, outcome=outcome, limit=limit, offset=offset
            )
            rows = [_document(message) for message in found]
        emit({"messages": rows}, as_json, table_of(rows, COLUMNS))


@app.command()
def show(message: Message, as_json: Json = False) -> None:
    """Show a message with its body; what is not UTF-8 is escaped."""
    with reported(as_json):
        with reading(opened(settled())) as session:
            found = message_by_id(session, message)
            body = found.body.decode("utf-8", "backslashreplace")
            document = {**_document(found), "headers": found.headers, "body": body}
        emit(document, as_json)
        if not as_json:
            for name, value in document.items():
                if value is not None:
                    out.print(f"{name}: {value}", markup=False, highlight=False)


@app.command()
def retry(message: Message, as_json: Json = False) -> None:
    """Let a message that failed be read again, with the next round."""
    with reported(as_json):
        with transaction(opened(settled())) as session:
            document = _document(retry_message(session, message, operator(), now()))
        emit(document, as_json, f"{message}: it is read with the next round")


@app.command()
def discard(
    message: Message,
    reason: Annotated[str, typer.Option(help="Why it may be given up; kept in the history.")],
    as_json: Json = False,
) -> None:
    """Give a message up that failed."""
    with reported(as_json):
        with transaction(opened(settled())) as session:
            document = _document(discard_message(session, message, reason, operator(), now()))
        emit(document, as_json, f"{message}: discarded")


@app.command()
def drain(as_json: Json = False) -> None:
    """Read what waits now, without waiting for the next minute; cases are decided as ever."""
    with reported(as_json):
        settings = settled()
        opened(settings)
        if url := running_api(settings):
            # Before Prefect is imported: it reads its settings once.
            os.environ["PREFECT_API_URL"] = url
        from tasks.context import surroundings
        from tasks.inbox import drain, reader_of
        from tasks.pressing import tell_pressers

        drained = drain(reader_of(surroundings("inbox")))
        asyncio.run(tell_pressers(settings, drained.answers))
        woken = url is not None and _follow(drained.gates)
        document = {"outcomes": drained.counts, "decided": drained.gates, "woken": woken}
        told = ", ".join(f"{number} {name}" for name, number in sorted(drained.counts.items()))
        emit(document, as_json, told or "nothing waits")


@app.command()
def sources(as_json: Json = False) -> None:
    """List the sources that may post, and whether their secrets are there."""
    with reported(as_json):
        settings = settled()
        path = _declared(settings)
        rows = [_source(source, path.parent) for source in load_sources(path).values()]
        columns = ("id", "vendor", "secrets", "missing", "rate", "max_bytes", "mapping")
        emit({"sources": rows}, as_json, table_of(rows, columns))


def _follow(gates: list[str]) -> bool:
    """Wake the runs of decided gates; the reconciler does it where this fails."""
    if not gates:
        return False
    from tasks.review_runs import follow

    try:
        asyncio.run(follow(gates))
    except EngineError as error:
        err.print(f"the runs were not woken: {error.message}", markup=False)
        return False
    return True


def _declared(settings: Settings) -> Path:
    if settings.inbox_file is None:
        raise ConfigurationError(
            "no sources are declared", hint="set CASEWORK_INBOX_FILE; see docs/receiver.md"
        )
    return settings.inbox_file


def _source(source: Source, folder: Path) -> dict[str, Any]:
    keys = secrets_of(source, os.environ, folder)
    return {
        "id": source.id,
        "vendor": str(source.vendor),
        "secrets": len(keys.secrets),
        "missing": sorted(keys.missing),
        "rate": source.entry.rate,
        "max_bytes": source.entry.max_bytes,
        "mapping": str(source.entry.mapping) if source.entry.mapping else None,
    }


def _document(message: InboxMessage) -> dict[str, Any]:
    return {name: getattr(message, name) for name in (*_SHOWN, *_RESOLVED)}
