"""Zendesk Support: tickets pulled through its incremental export, comments and statuses sent back.

The export is cursor-based: each page names the cursor of the next, and the last page the one to
ask with next time (https://developer.zendesk.com/api-reference/ticketing/ticket-management/
incremental_exports/). Updates bear the effect's key in their audit's custom metadata, which is read
before an update is made, because Zendesk takes an idempotency key for new tickets alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field

from casework.effects import Delivery, EffectKind, Receipt
from casework.ports import Page
from integrations.delivering import checked, told, untaken
from integrations.http import HttpService

#: The name of the effect's key in the metadata of an audit.
MARK: Final = "casework"

#: What Zendesk calls the states of a case; a status that is not listed is sent as it is.
STATUSES: Final[Mapping[str, str]] = {
    "opened": "open",
    "enriched": "open",
    "waiting": "open",
    "closed": "solved",
}


class Exported(BaseModel):
    """The part of an export's page that is used. Tickets stay as they came: the mapping reads."""

    model_config = ConfigDict(strict=True)

    tickets: list[dict[str, Any]]
    after_cursor: str | None
    end_of_stream: bool


class Audit(BaseModel):
    """The part of an audit that is used."""

    metadata: dict[str, Any] | None = None


class Audits(BaseModel):
    """A page of a ticket's audits; those of an archived ticket come all at once, without meta."""

    audits: list[Audit]
    meta: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a ticket, in one update, and the key of the effect that asks for it."""

    key: str
    status: str | None = None
    comment: str = ""
    public: bool = False

    def document(self) -> dict[str, Any]:
        """The body of the request."""
        ticket: dict[str, Any] = {"metadata": {MARK: self.key}}
        if self.status:
            ticket["status"] = self.status
        if self.comment:
            ticket["comment"] = {"body": self.comment, "public": self.public}
        return {"ticket": ticket}


class Zendesk(Protocol):
    """The service. Every method may raise ``ProviderError``."""

    async def export(self, cursor: str | None, since: datetime) -> Exported:
        """The tickets that changed after the cursor or, without one, since a time."""

    async def made(self, ticket: str, key: str) -> bool:
        """Whether a ticket bears the update of an effect already."""

    async def update(self, ticket: str, change: Change) -> None:
        """Change a ticket."""

    async def close(self) -> None:
        """Let go of connections."""


class ZendeskClient:
    """The service over HTTP."""

    def __init__(self, *, service: HttpService) -> None:
        self._service = service

    async def export(self, cursor: str | None, since: datetime) -> Exported:
        """Ask for one page of the export."""
        asked = {"cursor": cursor} if cursor else {"start_time": int(since.timestamp())}
        path = f"api/v2/incremental/tickets/cursor.json?{urlencode(asked)}"
        return checked("zendesk", Exported, (await self._service.call("GET", path)).document)

    async def made(self, ticket: str, key: str) -> bool:
        """Look through the ticket's audits, page by page."""
        asked = {"page[size]": "100"}
        while True:
            path = f"{_ticket(ticket)}/audits.json?{urlencode(asked)}"
            page = checked("zendesk", Audits, (await self._service.call("GET", path)).document)
            if any(_mark(audit) == key for audit in page.audits):
                return True
            after = page.meta.get("after_cursor")
            if not page.meta.get("has_more") or not after or after == asked.get("page[after]"):
                return False
            asked["page[after]"] = str(after)

    async def update(self, ticket: str, change: Change) -> None:
        """Put the change; it is not tried again unseen, for a comment would be made twice."""
        await self._service.call(
            "PUT", f"{_ticket(ticket)}.json", json=change.document(), once=True
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()


class ZendeskTwin:
    """A help desk in memory, with the tickets it is given, for development and tests."""

    def __init__(self, tickets: Sequence[Mapping[str, Any]] = (), page: int = 100) -> None:
        self.tickets, self.page = list(tickets), page
        self.audits: dict[str, list[dict[str, Any]]] = {}

    async def export(self, cursor: str | None, since: datetime) -> Exported:
        """The tickets after the cursor, which counts them."""
        return checked("zendesk", Exported, self.exported(cursor, int(since.timestamp())))

    async def made(self, ticket: str, key: str) -> bool:
        """Whether an update bears the key."""
        audits = checked("zendesk", Audits, self.audited(ticket)).audits
        return any(_mark(audit) == key for audit in audits)

    async def update(self, ticket: str, change: Change) -> None:
        """Keep the update among the ticket's audits."""
        self.updated(ticket, change.document())

    async def close(self) -> None:
        """There is nothing to close."""

    def exported(self, cursor: str | None, since: int) -> dict[str, Any]:
        """A page of the export as the service writes it."""
        changed = [each for each in self.tickets if each["generated_timestamp"] >= since]
        first = int(cursor) if cursor else len(self.tickets) - len(changed)
        tickets = self.tickets[first : first + self.page]
        after = str(first + len(tickets))
        return {
            "tickets": tickets,
            "after_cursor": after,
            "after_url": f"https://twin.example/api/v2/incremental/tickets/cursor.json?cursor={after}",
            "before_cursor": None,
            "before_url": None,
            "end_of_stream": first + len(tickets) >= len(self.tickets),
        }

    def audited(self, ticket: str, after: int = 0) -> dict[str, Any]:
        """A page of a ticket's audits as the service writes it."""
        audits = self.audits.get(ticket, [])[after : after + 100]
        more = len(self.audits.get(ticket, [])) > after + 100
        return {"audits": audits, "meta": {"has_more": more, "after_cursor": str(after + 100)}}

    def updated(self, ticket: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Take an update as the service does."""
        change = document["ticket"]
        custom = {"custom": change.get("metadata", {}), "system": {}}
        audits = self.audits.setdefault(ticket, [])
        audits.append({"id": len(audits) + 1, "metadata": custom, "change": change})
        return {"ticket": {"id": ticket, "status": change.get("status")}, "audit": audits[-1]}


class ZendeskFeed:
    """The help desk as something that items are pulled from.

    ``since`` is where the very first pull begins.
    """

    def __init__(self, zendesk: Zendesk, since: datetime) -> None:
        self._zendesk, self._since = zendesk, since

    async def page(self, cursor: str | None) -> Page:
        """Ask for the next page; an export without a cursor leaves the one there is."""
        found = await self._zendesk.export(cursor, self._since)
        return Page(found.tickets, found.after_cursor or cursor, found.end_of_stream)

    async def close(self) -> None:
        """Close the help desk's connections."""
        await self._zendesk.close()


class ZendeskDestination:
    """The help desk as something that effects are sent to.

    A reply is a public comment, a notice an internal one, a status the ticket's. The effect's data
    name the ticket as ``external_id`` and the status as ``status``; a reply with ``status`` does
    both in one update. Where they name another ``source``, the id is no ticket's.
    """

    def __init__(self, *, zendesk: Zendesk, source: str = "zendesk", name: str = "zendesk") -> None:
        self.name, self._zendesk, self._source = name, zendesk, source

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Update the ticket, unless one of its audits says that this was done before."""
        if delivery.effect.data.get("source", self._source) != self._source:
            raise untaken(self.name, delivery)
        ticket = told(self.name, delivery, "external_id")
        change = self._change(delivery)
        if not await self._zendesk.made(ticket, change.key):
            await self._zendesk.update(ticket, change)
        return Receipt(ticket)

    async def close(self) -> None:
        """Close the help desk's connections."""
        await self._zendesk.close()

    def _change(self, delivery: Delivery) -> Change:
        effect = delivery.effect
        given = effect.data.get("status")
        status = STATUSES.get(given, given) if given else None
        if effect.kind is EffectKind.REPLY and delivery.text:
            return Change(effect.key, status, delivery.text, public=True)
        if effect.kind is EffectKind.NOTIFY:
            text = delivery.text or f"Casework {effect.case_id or ''}".strip()
            return Change(effect.key, None, f"{text}\n{delivery.link}".strip())
        if effect.kind is EffectKind.SET_STATUS and status:
            return Change(effect.key, status)
        raise untaken(self.name, delivery)


def _mark(audit: Audit) -> Any:
    custom = (audit.metadata or {}).get("custom")
    return custom.get(MARK) if isinstance(custom, dict) else None


def _ticket(ticket: str) -> str:
    """The path of a ticket. Ids come from sources, so nothing in one may lead elsewhere."""
    return f"api/v2/tickets/{quote(ticket, safe='').replace('.', '%2E')}"
