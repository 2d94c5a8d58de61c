"""The text of an HTML page, for people and patterns to read; not for showing."""

import re
from html.parser import HTMLParser
from typing import Final

#: What these hold is not read by people.
_UNREAD: Final = frozenset({"script", "style", "head", "template"})

#: What begins on a line of its own.
_BLOCKS: Final = frozenset(
    {
        *("p", "div", "br", "hr", "li", "ul", "ol", "dl", "dt", "dd", "tr", "table", "blockquote"),
        *("pre", "article", "section", "header", "footer", "h1", "h2", "h3", "h4", "h5", "h6"),
    }
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNREAD:
            self._unread += 1
        elif tag in _BLOCKS:
            self.pieces.append("\n")
        elif tag == "body":
            # A head that is never closed would hide the whole of the text.
            self._unread = 0

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNREAD:
            self._unread = max(0, self._unread - 1)
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            # Line feeds of the source mean no more than spaces do.
            self.pieces.append(re.sub(r"\s+", " ", data))


def html_text(page: str) -> str:
    """The text that a reader of the page sees, blocks on lines of their own; links are dropped."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
