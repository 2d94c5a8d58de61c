"""``casework tokens``: what programs act with in the console's API."""

from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from casework.store.engine import reading, transaction
from casework.store.tables import Token
from casework.store.tokens import Request, make_token, revoke_token, tokens
from casework.tokens import LASTS, Scope
from deployments.cli.output import Json, emit, err, out, reported, table_of
from deployments.cli.setting import now, opened, operator, settled

app = typer.Typer(no_args_is_help=True)

COLUMNS: Final = ("id", "person", "name", "scopes", "ends_at", "used_at", "revoked_at")


@app.command()
def create(
    person: Annotated[str, typer.Argument(help="Whom it acts for.")],
    name: Annotated[str, typer.Option(help="What will use it.")],
    scope: Annotated[list[Scope], typer.Option(help="What it allows; may be given again.")],
    days: Annotated[int, typer.Option(help="How long it lasts.")] = LASTS.days,
    as_json: Json = False,
) -> None:
    """Make a token for the API; its secret is shown this once."""
    with reported(as_json), transaction(opened(settled())) as session:
        wanted = Request(person, name, tuple(map(str, scope)), timedelta(days=days))
        token, secret = make_token(session, wanted, operator(), now())
        emit({"token": shown(token), "secret": secret}, as_json)
        if not as_json:
            out.print(secret, markup=False, highlight=False, soft_wrap=True)
            err.print(f"{token.id} acts for {person}; keep the secret, it is not shown again")


@app.command("list")
def list_(
    person: Annotated[str | None, typer.Option(help="Only this person's.")] = None,
    as_json: Json = False,
) -> None:
    """List tokens, the newest first, with their last use; never their secrets."""
    with reported(as_json), reading(opened(settled())) as session:
        rows = [shown(token) for token in tokens(session, person)]
        emit({"tokens": rows}, as_json, table_of(rows, COLUMNS))


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="The token's id.")],
    as_json: Json = False,
) -> None:
    """End a token now."""
    with reported(as_json), transaction(opened(settled())) as session:
        row = shown(revoke_token(session, token, operator(), now()))
        emit({"token": row}, as_json, f"{token} is revoked")


def shown(token: Token) -> dict[str, Any]:
    """A token without what the store keeps of its secret."""
    return token.model_dump(mode="json", exclude={"fingerprint"})
