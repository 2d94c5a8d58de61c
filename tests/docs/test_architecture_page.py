"""The page on architecture and the code say the same."""

import re

from casework.ledger.entries import Action
from tests.docs.pages import rows
from tests.source import ROOT

PAGE = "docs/architecture.md"


def test_the_ledger_actions_on_the_page_are_those_in_the_code() -> None:
    written = [cells[0] for cells in rows(PAGE) if re.fullmatch(r"[a-z]+\.[a-z_]+", cells[0])]
    assert written == [str(action) for action in Action]


def test_every_file_the_page_names_exists() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf8")
    named = set(re.findall(r"`((?:casework|integrations|tasks|flows|tests)/[\w/]+\.py)`", text))
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    assert len(named) > 5
