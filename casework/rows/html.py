"""The text of an HTML page, for people and patterns to read; not for showing.

The standard library's parser takes minutes over a hundred kilobytes of tags that are never closed.
This one looks at each character once, whatever the page holds.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

#: What these hold is not read by people.
_UNREAD: Final = frozenset({"script", "style", "template", "title"})

#: What begins on a line of its own.
_BLOCKS: Final = frozenset(
    {
        *("p", "div", "br", "hr", "li", "ul", "ol", "dl", "dt", "dd", "tr", "table", "blockquote"),
        *("pre", "article", "section", "header", "footer", "h1", "h2", "h3", "h4", "h5", "h6"),
    }
)

_TAG: Final = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]{0,20})|<[!?]")
_BLANKS: Final = re.compile(r"\s+")


def html_text(page: str) -> str:
    """The text that a reader of the page sees, blocks on lines of their own; links are dropped."""
    lines = (" ".join(line.split()) for line in "".join(_pieces(page)).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _pieces(page: str) -> Iterator[str]:
    """Texts as they are seen, and a line feed for each block that begins or ends."""
    folded, at = page.lower(), 0
    while (start := page.find("<", at)) >= 0:
        # Line feeds of the source mean no more than spaces do.
        yield _BLANKS.sub(" ", unescape(page[at:start]))
        at = start
        tag = _TAG.match(page, start)
        if tag is None:
            yield "<"
            at += 1
            continue
        end = page.find("-->" if page.startswith("<!--", start) else ">", start)
        if end < 0:
            # Nothing is hidden behind a tag that never ends.
            break
        at = page.index(">", end) + 1
        name = (tag[1] or "").lower()
        if name in _UNREAD and page[start + 1] != "/":
            closing = folded.find(f"</{name}", at)
            at = len(page) if closing < 0 else closing
        elif name in _BLOCKS:
            yield "\n"
    yield _BLANKS.sub(" ", unescape(page[at:]))
