"""``casework receiver``: the webhook receiver alone, for production."""

import logging
from typing import Annotated

import typer

from casework.settings import load_settings
from deployments.cli.output import err, reported


def receiver(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Its port.")] = None,
) -> None:
    """Take what other systems post, until Ctrl-C; casework up does so too."""
    with reported():
        given = {"receiver_host": host, "receiver_port": port}
        settings = load_settings().model_copy(
            update={name: value for name, value in given.items() if value is not None}
        )
        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
        from deployments.receiver.serve import serve

        address = f"http://{settings.receiver_host}:{settings.receiver_port}/in/SOURCE"
        err.print(f"receiver: {address}", markup=False, highlight=False)
        serve(settings)
