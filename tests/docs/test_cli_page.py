"""The page on the command line and the code say the same."""

from collections.abc import Iterator
from typing import Any

import typer

from casework.errors import CaseworkError
from deployments.cli.main import app
from tests.docs.pages import rows

PAGE = "docs/cli.md"

#: Exit codes that are not an error's: done, and Click's for wrong usage.
PLAIN_EXITS = {"0", "2"}


def test_the_page_lists_every_command_with_its_options() -> None:
    written = {c[0]: c[1] for c in rows(PAGE) if c[0].startswith("casework ")}
    declared = {" ".join(["casework", *path]): options for path, options in _commands()}
    assert written == declared


def test_the_page_lists_every_error_code_with_its_exit_and_status() -> None:
    written = [tuple(c[:3]) for c in rows(PAGE) if len(c) == 4 and c[0] != "code"]
    declared = [
        (error.code, str(error.exit_code), str(error.status)) for error in _tree(CaseworkError)
    ]
    assert sorted(written) == sorted(declared)


def test_the_page_explains_every_exit_code() -> None:
    written = {cells[0] for cells in rows(PAGE) if len(cells) == 2 and cells[0].isdigit()}
    assert written == {str(error.exit_code) for error in _tree(CaseworkError)} | PLAIN_EXITS


def _commands() -> Iterator[tuple[list[str], str]]:
    yield from _walk(typer.main.get_command(app), [])


def _walk(command: Any, path: list[str]) -> Iterator[tuple[list[str], str]]:
    """Each command under this one, with its options as the page writes them."""
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(below, [*path, name])
    if not hasattr(command, "commands"):
        options = [
            name
            for parameter in command.params
            if parameter.param_type_name == "option"
            for name in (*parameter.opts, *parameter.secondary_opts)
        ]
        yield path, " ".join(options)


def _tree(error: type[CaseworkError]) -> list[type[CaseworkError]]:
    below = [item for child in error.__subclasses__() for item in _tree(child)]
    return [error, *(item for item in below if item.__module__ == "casework.errors")]
