"""``casework audit``: show, verify and export the history."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from casework.errors import InputError, LedgerFault, NotFound
from casework.ledger.checkpoint import Verifier, parse_verifier
from casework.ledger.export import verify_export
from casework.ledger.keys import load_signer, load_verifier
from casework.settings import Settings
from casework.store.audit import verify
from casework.store.export import export
from casework.store.ledger import acts_of
from casework.store.qa.blinding import check_sighted
from casework.store.sealing import seal
from deployments.cli.output import Json, emit, err, reported, table_of
from deployments.cli.setting import now, opened, settled, sighted

app = typer.Typer(no_args_is_help=True)

Key = Annotated[
    str, typer.Option("--key", help="Verifier key, name+id+key; default: that of the key file.")
]


@app.command("show")
def show(
    case: Annotated[str, typer.Argument(help="A case's id, or: system.")],
    person: Annotated[
        str, typer.Option("--as", help="Your id; the default is CASEWORK_ACTOR.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Show what happened to a case, act by act; not to who may have to review it blind."""
    with reported(as_json):
        with sighted(person) as (session, viewer):
            check_sighted(session, viewer, case)
            acts = acts_of(session, case)
        if not acts:
            raise NotFound(f"no history of {case}")
        rows = [{**act, "data": _short(act["data"])} for act in acts]
        columns = ("position", "at", "action", "actor", "revision", "data")
        emit(acts, as_json, table_of(rows, columns))


@app.command("verify")
def verify_history(
    exported: Annotated[
        Path | None, typer.Option("--export", help="Check this export, without the store.")
    ] = None,
    key: Key = "",
    witness: Annotated[
        list[Path] | None,
        typer.Option("--witness", help="A checkpoint kept elsewhere; may be given again."),
    ] = None,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="Take entries not sealed yet for a fault.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the whole history and name the first fault; exit code 8 where there is one."""
    with reported(as_json):
        if exported is not None:
            _verify_export(exported, key, as_json)
            return
        settings = settled()
        report = verify(
            opened(settings),
            _verifier(settings, key),
            witnessed=[_read(path).decode() for path in witness or ()],
            allow_unsealed=not sealed,
        )
        emit(report.as_dict(), as_json, _table(report.as_dict()))
        if report.fault is not None:
            err.print(str(report.fault), style="bold red", markup=False, highlight=False)
            raise typer.Exit(LedgerFault.exit_code)


@app.command("export")
def export_history(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write; - is standard output.")
    ] = Path("-"),
    case: Annotated[str, typer.Option("--case", help="This case alone.")] = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Write sealed entries as JSON lines, each with its proof."""
    with reported(as_json):
        settings = settled()
        engine, verifier = opened(settings), _verifier(settings, key)
        with _writer(output) as write:
            done = export(engine, verifier, write, case or None)
        if str(output) != "-":
            emit({**done.as_dict(), "file": str(output)}, as_json, _table(done.as_dict()))
        if done.unsealed:
            err.print(f"{done.unsealed} entries are not sealed yet: casework audit checkpoint")


@app.command("checkpoint")
def checkpoint(as_json: Json = False) -> None:
    """Seal what is new, now, and print the signed checkpoint: keep it elsewhere."""
    with reported(as_json):
        settings = settled()
        signer = load_signer(settings.key_file, settings.ledger_origin)
        done = seal(opened(settings), signer, now())
        if done is None:
            raise NotFound("the history is empty")
        document = {
            "added": done.added,
            "size": done.size,
            "root": done.root,
            "note": done.note,
            "verifier": str(signer.verifier),
        }
        if as_json:
            emit(document, as_json)
            return
        sys.stdout.write(done.note)
        err.print(f"verifier key: {signer.verifier}", markup=False, highlight=False)


def _short(data: dict[str, Any]) -> dict[str, Any]:
    """An entry's data for people: what is empty is left out, and digests are cut."""
    shown: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            value = value.get("digest", value)
        if value not in (None, [], ""):
            shown[name] = value[:12] if isinstance(value, str) and len(value) >= 32 else value
    return shown


def _verify_export(path: Path, key: str, as_json: bool) -> None:
    try:
        with path.open("rb") as lines:
            report = verify_export(lines, parse_verifier(key) if key else None)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    emit(report.as_dict(), as_json, _table(report.as_dict()))
    if not report.key_given:
        err.print("The key was taken from the file itself: who made it is not proved. Give --key.")


def _verifier(settings: Settings, key: str) -> Verifier:
    if key:
        return parse_verifier(key)
    return load_verifier(settings.key_file, settings.ledger_origin)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


@contextmanager
def _writer(path: Path) -> Iterator[Callable[[bytes], object]]:
    if str(path) == "-":
        yield sys.stdout.buffer.write
        sys.stdout.flush()
        return
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("wb") as file:
            yield file.write
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def _table(document: dict[str, Any]) -> Any:
    rows = [{"what": name.replace("_", " "), "value": value} for name, value in document.items()]
    return table_of(rows, ("what", "value"))
