"""What commands print for people."""

from datetime import UTC, datetime

import pytest
from rich.console import Console

from deployments.cli.output import table_of


def printed(value: object) -> str:
    console = Console(width=120, color_system=None)
    with console.capture() as captured:
        console.print(table_of([{"what": value}], ("what",)))
    return captured.get().splitlines()[1].strip()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("[red]alarm[/red]", "[red]alarm[/red]"),
        ("[/nothing]", "[/nothing]"),
        ("\x1b[2Jgone", "\N{REPLACEMENT CHARACTER}[2Jgone"),
        ("a\u202eb", "a\N{REPLACEMENT CHARACTER}b"),
        (["a", "b"], "a, b"),
        ({"a": 1}, "a=1"),
        (datetime(2026, 3, 2, 9, 30, 1, 500, UTC), "2026-03-02 09:30:01Z"),
    ],
)
def test_what_strangers_wrote_is_shown_as_it_is_and_commands_nothing(
    value: object, shown: str
) -> None:
    assert printed(value) == shown
