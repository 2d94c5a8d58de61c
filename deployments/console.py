"""The console, composed: the store, the policy in force, and Prefect where it answers.

``python -m deployments.console`` is what ``casework up`` starts as a child.
"""

from datetime import UTC, datetime, timedelta
from functools import partial

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session

from casework.console.app import create_app
from casework.console.ports import Console
from casework.gates import Role
from casework.ledger.entries import Provenance
from casework.ledger.keys import load_verifier
from casework.policy.bundle import load_bundle
from casework.policy.lint import lint
from casework.settings import Settings, load_settings
from casework.store.accounts import make_link
from casework.store.engine import open_engine
from casework.store.people import add_person, people
from casework.store.tables import Person
from deployments.prefect_watch import PrefectWatch
from deployments.single_sign_on import single_sign_on
from deployments.trials import FolderTrials
from deployments.waking import wake

#: Who is added where nobody is known yet, so that somebody can sign in and add the others.
FIRST = "admin"


def compose(settings: Settings, engine: Engine, *, secure: bool) -> FastAPI:
    """Make the console's application.

    Raises:
        PolicyError: the bundle in force does not lint.
    """
    prefect = PrefectWatch(settings)

    return create_app(
        Console(
            engine=engine,
            bundle=load_bundle(settings.bundle_dir),
            clock=lambda: datetime.now(UTC),
            wake=partial(wake, settings),
            lint=lambda: lint(settings.bundle_dir),
            verifier=lambda: load_verifier(settings.key_file, settings.ledger_origin),
            secure=secure,
            prefect=prefect.last,
            lease=timedelta(minutes=settings.claim_minutes),
            idle_minutes=settings.console_idle_minutes,
            api_per_minute=settings.api_per_minute,
            single=single_sign_on(settings),
            trials=FolderTrials(settings),
        )
    )


def serve(settings: Settings, engine: Engine, *, host: str, port: int, secure: bool) -> None:
    """Serve the console until it is told to end."""
    app = compose(settings, engine, secure=secure)
    # No access log: its lines hold the ids people look for.
    # Pages that listen never end by themselves, and listen again when they are cut off.
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )


def first_link(session: Session, by: Provenance, now: datetime) -> tuple[str, str]:
    """Make a one-time link for whoever can let the others in; return the person and the secret."""
    person = _who_begins(people(session))
    if person is None:
        roles, queues = [Role.ADMIN, Role.LEAD], ["*"]
        add_person(session, FIRST, name="Admin", roles=roles, queues=queues, by=by, now=now)
        person = FIRST
    return person, make_link(session, person, by, now)


def _who_begins(known: list[Person]) -> str | None:
    active = [person for person in known if person.active]
    for role in (Role.ADMIN, Role.LEAD):
        for person in active:
            if role in person.roles:
                return person.id
    return active[0].id if active else None


if __name__ == "__main__":
    settings = load_settings()
    serve(
        settings,
        open_engine(settings.store_url),
        host="127.0.0.1",
        port=settings.console_port,
        secure=False,
    )
