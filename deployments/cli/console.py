"""``casework console``: the web pages where people work."""

from typing import Annotated

import typer

from casework.store.engine import transaction
from deployments.cli.output import err, reported
from deployments.cli.setting import now, operator, set_up, settled


def console(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Its port.")] = None,
    https: Annotated[
        bool, typer.Option("--https", help="It is reached over HTTPS: cookies go nowhere else.")
    ] = False,
    link: Annotated[
        bool, typer.Option("--link/--no-link", help="Print a link that signs in once.")
    ] = True,
) -> None:
    """Serve the console until Ctrl-C."""
    with reported():
        # FastAPI takes a while to import, and no other command needs it.
        from deployments.console import first_link, serve

        settings = settled()
        engine, port = set_up(settings), port or settings.console_port
        if link:
            with transaction(engine) as session:
                person, secret = first_link(session, operator(), now())
            scheme = "https" if https else "http"
            err.print(f"console: {scheme}://{host}:{port}/sign-in/{secret}", soft_wrap=True)
            err.print(f"The link signs {person} in, once; others: casework people link-in ID")
        serve(settings, engine, host=host, port=port, secure=https)
