"""Health: how the work goes, as the last run of its flow saw it."""

import re
from collections.abc import Collection
from typing import Final

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from casework.console import urls
from casework.console.access import Capability
from casework.console.identity import TheConsole, TheVisit, allowed
from casework.console.lead_contexts import HealthPage
from casework.console.pages.desk import page
from casework.console.rendering import render
from casework.errors import NotFound
from casework.health.page import as_html
from casework.store.engine import reading
from casework.store.health.taking import snapshot
from casework.store.restrictions import kept_from

router = APIRouter(dependencies=[Depends(allowed(Capability.OVERVIEW))])

#: A case's id, as the report sets it.
_CASE: Final = re.compile(r"<code>(c[0-9a-f]{20})</code>")


@router.get(urls.HEALTH)
def health(console: TheConsole, visit: TheVisit) -> HTMLResponse:
    """The report of the last run, for all queues: counts, trends, forecasts, ids of cases."""
    with reading(console.engine) as session:
        kept = snapshot(session)
        hidden = frozenset(session.scalars(kept_from(visit.viewer.id)))
    sections = kept.figures["sections"] if kept else []
    shown = HealthPage(
        made_at=kept.made_at if kept else None,
        sections=[
            (
                part["title"],
                part["chart"] if kept and part["chart"] in kept.charts else "",
                _linked(part["text"], hidden),
            )
            for part in sections
        ],
    )
    return render("leads_health.html", {"page": page(console, visit, "Health"), "health": shown})


@router.get(urls.HEALTH + "/{chart}.svg")
def picture(console: TheConsole, chart: str) -> Response:
    """One chart of the report, as it was drawn."""
    with reading(console.engine) as session:
        kept = snapshot(session)
    if kept is None or chart not in kept.charts:
        raise NotFound("there is no such chart", hint="the health page lists those there are")
    return Response(kept.charts[chart], media_type="image/svg+xml")


def _linked(text: str, hidden: Collection[str]) -> Markup:
    """A part of the report as HTML, with links to the cases that it names.

    A case that was restricted after it was named is so no more, but to who may know of it.
    """
    # The renderer shows raw HTML and takes none; what is put in here is an id and nothing else.
    return Markup(
        _CASE.sub(
            lambda found: "restricted" if found[1] in hidden else _link(found[1]), as_html(text)
        )
    )


def _link(case: str) -> str:
    return f'<a href="{urls.case(case)}"><code>{case}</code></a>'
