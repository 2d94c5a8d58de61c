"""Pages from templates, each with a context of its own type."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from unicodedata import category

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup

from casework.console import urls
from casework.console.access import Capability
from casework.console.identity import Visit
from casework.console.standing import due, length, standing
from casework.store.desk import COUNTED

#: A command, or an option of one.
_IN_A_TERMINAL: Final = re.compile(r"\bcasework [a-z]|(^|\s)--[a-z]")

FOLDER: Final = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Page:
    """What every page of somebody who has signed in has, around its own context."""

    title: str
    visit: Visit
    now: datetime
    idle_minutes: int
    near: str = ""  # what is used up of the budget of hard content, where it is near its end

    def may(self, capability: str) -> bool:
        """Whether the viewer is shown what needs a capability."""
        return self.visit.viewer.may(Capability(capability))


def render(name: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """Fill in a template; a name that the context lacks is an error."""
    return HTMLResponse(_environment().get_template(name).render(context), status)


def ago(moment: datetime, now: datetime) -> str:
    """How long ago something was, in its largest whole unit."""
    return length(now - moment)


def spent(span: timedelta) -> str:
    """A length of time in hours and minutes."""
    hours, minutes = divmod(span // timedelta(minutes=1), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def shown(value: object) -> str:
    """A signal's value: yes and no for what is true and false."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def counted(number: int) -> str:
    """A number of a board, which is counted no further than COUNTED."""
    return f"{COUNTED:,}+" if number > COUNTED else f"{number:,}"


def at(moment: datetime | None) -> str:
    """A moment to the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""


@lru_cache(maxsize=256)
def markdown(text: str) -> Markup:
    """Markdown of the policy bundle as HTML; HTML in it is shown, not taken."""
    return Markup(_markdown().render(text))  # raw HTML is off in the renderer


def on_a_page(hint: str) -> str:
    """What of a hint somebody can follow who has no terminal; empty where nothing is."""
    before, _, command = hint.partition(": casework ")
    if command:
        return "" if before.endswith(("run", "then", "with")) else before
    return "" if _IN_A_TERMINAL.search(hint) else hint


def sentence(words: str) -> str:
    """Words with a full stop, where they do not end in a mark of their own."""
    return words if words.endswith((".", "?", "!")) else words + "."


def legible(text: object) -> str:
    """A stranger's text with what hides or turns characters made visible."""
    given = str(text)
    if given.replace("\n", "").replace("\t", "").isprintable():
        return given
    return "".join(each if _is_plain(each) else f"⟨U+{ord(each):04X}⟩" for each in given)


def _is_plain(letter: str) -> bool:
    return letter in "\n\t\N{ZERO WIDTH JOINER}" or category(letter) not in {"Cc", "Cf", "Cs", "Co"}


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).disable(["image"])


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        auto_reload=False,  # read once: a page has twenty files
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "ago": ago,
        "at": at,
        "counted": counted,
        "due": due,
        "standing": standing,
        "sentence": sentence,
        "shown": shown,
        "spent": spent,
        "markdown": markdown,
        "on_a_page": on_a_page,
        "legible": legible,
    }
    environment.globals["urls"] = urls
    return environment
