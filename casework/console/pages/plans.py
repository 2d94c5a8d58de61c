"""Leads: the plans of quality assurance, what each would draw, and drawing it."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from casework.console import urls
from casework.console.access import Capability, Viewer
from casework.console.identity import OurForm, TheConsole, TheVisit, allowed
from casework.console.lead_contexts import PlanPage
from casework.console.pages.desk import page
from casework.console.rendering import render
from casework.errors import NotAllowed
from casework.qa.plans import Plan
from casework.qa.summaries import preview_document
from casework.store.qa.drawing import draw_round, midnight, plan_of, preview_plan
from casework.vendors import EVERY_QUEUE

router = APIRouter(dependencies=[Depends(allowed(Capability.OVERVIEW))])

#: What is wanted of a sample unless something else is asked: points to either side, per cent.
MARGIN: Final = 2.0
CONFIDENCE: Final = 95.0


@router.get(urls.PLANS)
def plans(console: TheConsole, visit: TheVisit) -> HTMLResponse:
    """The plans of the policy in force."""
    context = {"page": page(console, visit, "QA plans"), "plans": console.bundle.qa}
    return render("leads_plans.html", context)


@router.get(urls.PLANS + "/{name}")
def preview(
    console: TheConsole,
    visit: TheVisit,
    name: str,
    margin: Annotated[float, Query(ge=0.1, le=50)] = MARGIN,
    confidence: Annotated[float, Query(ge=50, le=99.9)] = CONFIDENCE,
    drawn: str = "",
) -> HTMLResponse:
    """What a plan would draw from the decisions until last midnight; nothing is drawn."""
    around = page(console, visit, "QA plans")
    plan, closes = plan_of(console.bundle, name), midnight(around.now)
    found = preview_plan(
        console.engine,
        console.bundle,
        name,
        closes,
        around.now,
        margin=margin / 100,
        confidence=confidence / 100,
    )
    document = preview_document(found, plan, margin / 100)
    shown = PlanPage(name, plan, closes, document, _may_draw(visit.viewer, plan), drawn)
    return render("leads_plan.html", {"page": around, "shown": shown})


@router.post(urls.PLANS + "/{name}/draw")
def draw(console: TheConsole, visit: OurForm, name: str) -> RedirectResponse:
    """Draw the plan's sample of the window that ended last midnight: once, however often."""
    plan, now = plan_of(console.bundle, name), console.clock()
    if not _may_draw(visit.viewer, plan):
        raise NotAllowed(
            "this plan looks at queues that are not yours", hint="a lead of all of them may draw it"
        )
    made = draw_round(console.engine, console.bundle, name, midnight(now), visit.by, now)
    return RedirectResponse(urls.further(urls.plan(name), drawn=made.id if made else "none"), 303)


def _may_draw(viewer: Viewer, plan: Plan) -> bool:
    """Whether a lead is in every queue that a plan looks at; one that names none looks at all."""
    return all(map(viewer.is_in, plan.queues or {EVERY_QUEUE}))
