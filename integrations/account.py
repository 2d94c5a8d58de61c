"""Signals from the operator's own account service: ``GET {base}/accounts/{subject_id}``.

The reply's schema is ``account_schema()``, which ``docs/integrations/account.md`` shows. The twin
makes up accounts from their ids, for development and tests; it is used only where the URL is
``twin:``.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import perf_counter
from typing import Annotated, Any, Final, Protocol
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from casework.cases import Evidence
from casework.errors import ProviderBadReply, ProviderError
from casework.signals import Unknown
from integrations.http import HttpService
from integrations.lookup import Answer, Meaning, failed

#: Signal to the field of the reply that it is; the age is made of ``created_at``.
_FIELDS: Final[Mapping[str, str]] = {
    "account_verified": "verified",
    "account_suspended": "suspended",
    "account_paid": "paid",
    "account_payment_disputes": "payment_disputes",
    "account_country": "country",
}
_AGE: Final = "account_age_days"


class Account(BaseModel):
    """One account. What the service does not know it leaves out or gives as null."""

    model_config = ConfigDict(title="Account", extra="ignore")

    id: str = Field(description="The id that was asked for.")
    created_at: AwareDatetime | None = Field(None, description="RFC 3339, with its zone.")
    verified: Annotated[bool, Field(strict=True)] | None = Field(
        None, description="Whether the holder's identity or address has been confirmed."
    )
    suspended: Annotated[bool, Field(strict=True)] | None = Field(
        None, description="Whether the account is suspended or banned now."
    )
    paid: Annotated[bool, Field(strict=True)] | None = Field(
        None, description="Whether it is on a paid plan."
    )
    payment_disputes: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] | None = Field(
        None, description="Chargebacks and payment disputes so far."
    )
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] | None = Field(
        None, description="ISO 3166-1 alpha-2, in capitals."
    )


def account_schema() -> dict[str, Any]:
    """The JSON Schema of a reply."""
    return Account.model_json_schema()


class Accounts(Protocol):
    """The service: an id in, an account out, or None where there is none."""

    @property
    def version(self) -> str:
        """Which contract, and whether it is the twin."""

    async def find(self, account_id: str) -> Account | None:
        """Look an account up; raises ``ProviderError``."""

    async def close(self) -> None:
        """Let go of connections."""


class AccountClient:
    """The service over HTTP."""

    version = "1"

    def __init__(self, *, service: HttpService) -> None:
        self._service = service

    async def find(self, account_id: str) -> Account | None:
        """Look an account up; 404 means that there is none."""
        reply = await self._service.call("GET", account_path(account_id), accept=(200, 404))
        return None if reply.status == 404 else checked_account(reply.document, account_id)

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()


class AccountTwin:
    """A stand-in that makes up an account from its id, the same one every time.

    Ids that begin with ``unknown`` have none.
    """

    version = "twin/1"

    async def find(self, account_id: str) -> Account | None:
        """Make an account up."""
        if account_id.startswith("unknown"):
            return None
        return checked_account(twin_account(account_id), account_id)

    async def close(self) -> None:
        """There is nothing to close."""


class AccountSource:
    """The account service as a source of signals."""

    name = "account"
    signals: Sequence[str] = (_AGE, *_FIELDS)

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self.version = accounts.version

    def question(self, evidence: Evidence) -> str | Unknown:
        """The subject's id; a case that names no subject has no account to look at."""
        return evidence.subject_id or Unknown.NO_SUBJECT

    async def answers(self, questions: Sequence[str]) -> Sequence[Answer]:
        """Look accounts up, several at once."""
        return await asyncio.gather(*map(self._answer, questions))

    async def _answer(self, account_id: str) -> Answer:
        began = perf_counter()
        try:
            account = await self._accounts.find(account_id)
        except ProviderError as error:
            return failed(error)
        latency = round((perf_counter() - began) * 1000)
        if account is None:
            return Answer(None, Unknown.NO_SUCH_ACCOUNT, latency)
        return Answer(account.model_dump(mode="json", exclude={"id"}), latency_ms=latency)

    def meaning(self, evidence: Evidence, document: Mapping[str, Any]) -> Meaning:
        """The account as it is, and its age in whole days when the case was received."""
        values: dict[str, Any] = {}
        if document.get("created_at") is not None:
            age = evidence.received_at - datetime.fromisoformat(document["created_at"])
            values[_AGE] = max(0, age.days)
        for signal, field in _FIELDS.items():
            if document.get(field) is not None:
                values[signal] = document[field]
        unknown = {name: str(Unknown.NOT_GIVEN) for name in self.signals if name not in values}
        return values, unknown


def account_path(account_id: str) -> str:
    """The path of an account. Ids come from tickets, so nothing in one may lead elsewhere."""
    # A segment of dots alone would be taken for a step up even where its slashes are encoded.
    encoded = quote(account_id, safe="")
    return f"accounts/{encoded.replace('.', '%2E') if not encoded.strip('.') else encoded}"


def checked_account(document: Any, account_id: str) -> Account:
    """Hold a reply to the schema.

    Raises:
        ProviderBadReply: it has another shape, or is about another account.
    """
    try:
        account = Account.model_validate(document)
    except ValidationError as error:
        where = {".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)}
    else:
        if account.id == account_id:
            return account
        where = {"id"}
    raise ProviderBadReply(f"account answered outside its schema at {', '.join(sorted(where))}")


def twin_account(account_id: str) -> dict[str, Any]:
    """A reply of the service's shape, made up from an id."""
    dice = sha256(account_id.encode()).digest()
    created = datetime(2025, 1, 1, tzinfo=UTC) - timedelta(days=dice[0] * 10)
    return {
        "id": account_id,
        "created_at": created.isoformat(),
        "verified": dice[1] < 128,
        "suspended": dice[2] < 16,
        "paid": dice[3] < 64,
        "payment_disputes": dice[4] // 100,
        "country": ("DE", "US", "BR", "IN")[dice[5] % 4],
    }
