"""Reading tables out of the documentation."""

import re
from collections.abc import Iterator

from tests.source import ROOT


def rows(page: str) -> Iterator[list[str]]:
    """The cells of every table row of a page under the root, without back-ticks and rulers."""
    for line in (ROOT / page).read_text(encoding="utf8").splitlines():
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            yield [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]


def table(page: str, first_heading: str) -> list[list[str]]:
    """The rows of the table whose first heading is this one."""
    found: list[list[str]] = []
    inside = False
    for cells in rows(page):
        if cells[0] == first_heading:
            inside = True
        elif inside and len(cells) >= 2:
            found.append(cells)
    assert found, f"{page} has no table that begins with {first_heading!r}"
    return found
