"""Leads: the policy in force, candidates beside it, and what they would change."""

from dataclasses import replace

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse

from casework.console import urls
from casework.console.access import Capability
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.lead_contexts import CandidatePage, PolicyPage
from casework.console.pages.desk import page
from casework.console.ports import Console
from casework.console.rendering import render
from casework.errors import NotFound
from casework.policy.difference import difference
from casework.store.cases import count_by
from casework.store.engine import reading
from casework.store.qa.blinding import hidden_from
from casework.store.restrictions import kept_from
from casework.trials import Trial, Trials
from casework.vendors import EVERY_QUEUE

router = APIRouter(dependencies=[Depends(allowed(Capability.OVERVIEW))])


@router.get(urls.POLICY)
def policy(console: TheConsole, visit: TheVisit) -> HTMLResponse:
    """The rules in force, in order, with the number of cases that each decided."""
    kept = kept_from(visit.viewer.id)
    with reading(console.engine) as session:
        cases = {row["rule_id"]: row["cases"] for row in count_by(session, "rule_id", unless=kept)}
    names = console.trials.names() if console.trials else ()
    shown = PolicyPage(console.bundle, cases, console.lint(), names)
    return render("leads_policy.html", {"page": page(console, visit, "Policy"), "policy": shown})


@router.get(urls.CANDIDATES + "/{name}")
def candidate(console: TheConsole, visit: TheVisit, name: str) -> HTMLResponse:
    """What tells a candidate from the policy in force, and what it would change about the cases."""
    trials, around = _trials(console), page(console, visit, f"Candidate {name}")
    faults = trials.faults(name)
    if faults:
        shown = CandidatePage(name, faults)
    else:
        bundle = trials.candidate(name)
        told = difference(console.bundle, bundle)
        trial = _seen(console, visit, trials.trial(name))
        shown = CandidatePage(name, faults, bundle, told, trial)
    # Ids of cases in queues that are not theirs are shown to nobody, here as in every list.
    context = {
        "page": around,
        "candidate": shown,
        "in_every_queue": visit.viewer.is_in(EVERY_QUEUE),
    }
    return render("leads_candidate.html", context)


@router.post(urls.CANDIDATES + "/{name}/try")
def begin(console: TheConsole, visit: OurForm, name: str) -> RedirectResponse:
    """Begin to try a candidate without faults on every case; it goes on without this page."""
    trials = _trials(console)
    if not trials.faults(name):
        trials.start(name)
    return RedirectResponse(urls.candidate(name), 303)


def _seen(console: Console, visit: Visit, trial: Trial) -> Trial:
    """A trial without the ids of cases of which, or of whose outcome, the viewer may not know."""
    named = {case for change in trial.changes for case in change["case_ids"]}
    if not named:
        return trial
    with reading(console.engine) as session:
        hidden = hidden_from(session, visit.viewer.id, named)
        hidden |= set(session.scalars(kept_from(visit.viewer.id)))
    changes = [
        {**change, "case_ids": [case for case in change["case_ids"] if case not in hidden]}
        for change in trial.changes
    ]
    return replace(trial, changes=changes)


def _trials(console: Console) -> Trials:
    if console.trials is None:
        raise NotFound("no candidates are kept here", hint="see CASEWORK_CANDIDATES_DIR")
    return console.trials
