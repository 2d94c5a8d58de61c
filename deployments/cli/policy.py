"""``casework policy``: lint a bundle, show it, explain a case, try a candidate on every case."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import Engine, func, select
from sqlmodel import Session, col

from casework.answering import bundle_of
from casework.cases import Status
from casework.errors import InputError, NotFound
from casework.policy.backtest import Comparison, compare
from casework.policy.bundle import load_bundle
from casework.policy.evaluate import decide, evaluate, frame
from casework.policy.explain import RuleResult, explain
from casework.policy.lint import lint
from casework.policy.model import Bundle
from casework.settings import load_settings
from casework.store.engine import reading
from casework.store.facts import policy_cases, rows_for_policy
from casework.store.qa.blinding import check_sighted
from casework.store.tables import Case
from deployments.cli.output import Json, emit, err, out, reported, table_of
from deployments.cli.setting import opened, settled

app = typer.Typer(help="Lint, show, explain and try policy bundles.", no_args_is_help=True)

Folder = Annotated[
    Path | None, typer.Argument(help="Folder of a bundle; left out: the one in force.")
]


@app.command("lint")
def lint_command(folder: Folder = None, as_json: Json = False) -> None:
    """Report every fault of a bundle at once. Exit code 3 if there is any."""
    with reported(as_json):
        chosen = folder or load_settings().bundle_dir
        faults = lint(chosen)
        document = {"bundle": str(chosen), "faults": [fault.as_dict() for fault in faults]}
        emit(document, as_json)
        if not as_json:
            for fault in faults:
                out.print(fault.render(), markup=False, highlight=False, soft_wrap=True)
        err.print(f"{len(faults)} faults" if faults else "no faults", highlight=False)
        if faults:
            raise typer.Exit(InputError.exit_code)


@app.command("show")
def show_command(folder: Folder = None, as_json: Json = False) -> None:
    """Show what a bundle declares: its rules in order, its queues and its providers."""
    with reported(as_json):
        bundle = load_bundle(folder or load_settings().bundle_dir)
        document = summary(bundle)
        title = f"{bundle.name} {bundle.version}, {bundle.digest[:12]}"
        columns = ("id", "route", "severity", "queue", "action", "when")
        emit(document, as_json, table_of(document["rules"], columns, title))


@app.command("explain")
def explain_command(
    case: Annotated[str, typer.Argument(help="Id of a case.")],
    candidate: Annotated[
        Path | None, typer.Option(help="Folder of a bundle; left out: the one that decided.")
    ] = None,
    person: Annotated[
        str, typer.Option("--as", help="Your id; the default is CASEWORK_ACTOR.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Show each rule true, false or unknown for a case, with the values it read."""
    with reported(as_json):
        settings = settled()
        engine = opened(settings)
        with reading(engine) as session:
            check_sighted(session, person or settings.actor or None, case)
            facts = rows_for_policy(session, [case])
            decided_under = session.scalar(select(col(Case.policy_digest)).where(_is(case)))
        if not facts:
            raise NotFound(f"there is no case {case}", hint="casework cases list")
        bundle = _chosen(engine, candidate, decided_under)
        results = explain(bundle, facts[0].row)
        [outcome] = decide(bundle, frame(bundle, [facts[0].row]))
        document = {
            "case": case,
            "revision": facts[0].revision,
            "policy": bundle.digest,
            "outcome": dict(outcome),
            "rules": [_result(result) for result in results],
        }
        emit(document, as_json, _explained(results))
        if not as_json:
            err.print(f"{outcome['route']}: {outcome['reason']}", markup=False, highlight=False)


@app.command("backtest")
def backtest_command(
    candidate: Annotated[Path, typer.Option(help="Folder of the bundle to try.")],
    as_json: Json = False,
) -> None:
    """Decide every case in the store under the bundle in force and under a candidate."""
    with reported(as_json):
        settings = settled()
        before, after = load_bundle(settings.bundle_dir), load_bundle(candidate)
        engine = opened(settings)
        comparison = backtest(engine, before, after, settings.batch_size)
        changes = [change.as_dict() for change in comparison.changes()]
        document = {
            "before": before.digest,
            "after": after.digest,
            "cases": comparison.cases,
            "changed": comparison.changed,
            "changes": changes,
        }
        emit(document, as_json, _matrix(comparison))
        err.print(f"{comparison.changed} of {comparison.cases} cases change", highlight=False)


def backtest(engine: Engine, before: Bundle, after: Bundle, page: int) -> Comparison:
    """Compare two bundles over every case a policy has decided or could decide, in pages."""
    comparison, last = Comparison(), ""
    with reading(engine) as session, Progress(console=err, transient=True) as progress:
        bar = progress.add_task("backtest", total=_how_many(session))
        while cases := policy_cases(session, last, page):
            last = cases[-1]
            rows = [facts.row for facts in rows_for_policy(session, cases)]
            now, then = (evaluate(bundle, frame(bundle, rows)) for bundle in (before, after))
            compare(now, then, comparison)
            progress.advance(bar, len(cases))
    return comparison


def summary(bundle: Bundle) -> dict[str, Any]:
    """What a bundle declares, as plain data."""
    used: dict[str, list[str]] = {}
    for name, signal in bundle.signals.items():
        used.setdefault(signal.provider, []).append(name)
    columns = ("id", "when", "severity", "queue", "action", "category")
    return {
        "name": bundle.name,
        "version": bundle.version,
        "digest": bundle.digest,
        "providers": {
            name: {"in_use": name not in bundle.unused_providers, "signals": sorted(signals)}
            for name, signals in sorted(used.items())
        },
        "rules": [
            {"route": str(rule.route), **{name: getattr(rule, name) for name in columns}}
            for rule in bundle.rules
        ],
        "queues": {
            name: {"title": queue.title, "approvals": queue.approvals, "partner": queue.partner}
            for name, queue in bundle.queues.items()
        },
    }


def _chosen(engine: Engine, candidate: Path | None, decided_under: str | None) -> Bundle:
    if candidate is not None:
        return load_bundle(candidate)
    if decided_under is not None:
        return bundle_of(engine, decided_under)
    return load_bundle(load_settings().bundle_dir)


def _is(case: str) -> Any:
    return col(Case.id) == case


def _how_many(session: Session) -> int:
    statement = select(func.count()).where(col(Case.status) != Status.OPENED)
    return session.scalar(statement) or 0


def _result(result: RuleResult) -> dict[str, Any]:
    return {
        "rule": result.rule_id,
        "route": result.route,
        "truth": _truth(result),
        "values": dict(result.values),
        "decisive": result.decisive,
        "undecided": result.undecided,
    }


def _truth(result: RuleResult) -> str:
    return {True: "true", False: "false", None: "unknown"}[result.truth]


def _explained(results: list[RuleResult]) -> Table:
    rows = [
        {
            "": "*" if result.decisive else "",
            "rule": result.rule_id,
            "route": result.route,
            "truth": _truth(result),
            "values": ", ".join(
                f"{name}={'unknown' if value is None else value}"
                for name, value in result.values.items()
            ),
        }
        for result in results
    ]
    return table_of(rows, ("", "rule", "route", "truth", "values"))


def _matrix(comparison: Comparison) -> Table:
    rows = [
        {
            "cases": change.count,
            "before": " ".join(part or "-" for part in change.before),
            "after": " ".join(part or "-" for part in change.after),
            "case_ids": ", ".join(change.case_ids[:5]) + (", ..." if change.count > 5 else ""),
        }
        for change in comparison.changes()
    ]
    return table_of(rows, ("cases", "before", "after", "case_ids"))
