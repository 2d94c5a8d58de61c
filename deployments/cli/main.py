"""The command ``casework``.

Exit codes: 0 done; 1 an error nobody foresaw; 2 wrong usage; 3 wrong configuration or input;
4 not found; 5 refused by the guard, or somebody was faster; 6 the store does not answer;
7 Prefect does not answer; 8 the history does not verify.
"""

from importlib.metadata import version as release
from typing import Annotated

import typer

from deployments.cli import (
    approvals,
    assignment,
    audit,
    cases,
    clocks,
    console,
    db,
    demo,
    effects,
    inbox,
    incident,
    intake,
    metrics,
    people,
    playbooks,
    policy,
    pull,
    qa,
    quarantine,
    receiver,
    tokens,
    up,
)
from deployments.cli.output import out

app = typer.Typer(
    help="Review pipelines for Trust & Safety teams.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)
app.command("intake")(intake.intake_file)
app.command("pull")(pull.pull_source)
app.command("up")(up.up)
app.command("console")(console.console)
app.command("demo")(demo.demo)
app.command("receiver")(receiver.receiver)
app.command("metrics")(metrics.metrics)
app.add_typer(cases.app, name="cases", help="Look at cases.")
app.add_typer(quarantine.app, name="quarantine", help="Rows that could not become cases.")
app.add_typer(inbox.app, name="inbox", help="What other systems have posted.")
app.add_typer(approvals.app, name="approvals", help="Gates where people decide.")
app.add_typer(effects.app, name="effects", help="What decisions cause outside.")
app.add_typer(incident.app, name="incident", help="Run an incident, from page to report.")
approvals.app.add_typer(assignment.app)
approvals.app.add_typer(playbooks.app)
app.add_typer(clocks.app, name="clocks", help="What is promised, and what happens meanwhile.")
app.add_typer(people.app, name="people", help="Who may decide.")
app.add_typer(tokens.app, name="tokens", help="What programs act with in the API.")
app.add_typer(policy.app, name="policy", help="Lint, explain and backtest the policy.")
app.add_typer(qa.app, name="qa", help="Sample decisions, look at them again, and conclude.")
app.add_typer(audit.app, name="audit", help="Show, verify and export the history.")
app.add_typer(db.app, name="db", help="The store's schema.")


def _show_version(wanted: bool) -> None:
    if wanted:
        out.print(release("casework"), highlight=False)
        raise typer.Exit


@app.callback()
def casework(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version)
    ] = False,
) -> None:
    """Review pipelines for Trust & Safety teams."""


def main() -> None:
    """Run the command line."""
    app()
