"""Jira Cloud: an issue in a partner team's own project, comments on it, and moves of its status.

Jira takes no idempotency key. An issue bears the label of its case and that of the effect that
asked for it, and a comment ends with the effect's mark; both are looked for before they are made.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from casework.effects import MARK, Delivery, EffectKind, Receipt
from casework.errors import ProviderRefused
from integrations.delivering import checked, told, untaken
from integrations.http import HttpService
from integrations.jira_issues import document_of, effect_label, issue_body, texts_of

_PAGE: Final = 100


class Issue(BaseModel):
    """The part of an issue that is used."""

    key: str


class Found(BaseModel):
    """The part of a search's result that is used."""

    issues: list[Issue] = []


class Comment(BaseModel):
    """The part of a comment that is used: its document in Atlassian's format."""

    body: Any = None


class Comments(BaseModel):
    """A page of comments."""

    comments: list[Comment] = []
    total: int = 0


class Status(BaseModel):
    """A status by its name, which is what people see."""

    name: str


class Transition(BaseModel):
    """A move that an issue may make now."""

    id: str
    name: str
    to: Status


class Transitions(BaseModel):
    """The moves that an issue may make now."""

    transitions: list[Transition]


class Fields(BaseModel):
    """The one field that is read of an issue."""

    status: Status


class State(BaseModel):
    """An issue, with the field that is read."""

    fields: Fields


class Jira(Protocol):
    """The site, request by request. Every method may raise ``ProviderError``."""

    async def search(self, jql: str) -> Any:
        """Issues that a query finds."""

    async def create(self, body: Mapping[str, Any]) -> Any:
        """Make an issue."""

    async def comments(self, issue: str, start: int) -> Any:
        """A page of an issue's comments."""

    async def comment(self, issue: str, body: Mapping[str, Any]) -> None:
        """Comment on an issue."""

    async def state(self, issue: str) -> Any:
        """An issue's status."""

    async def transitions(self, issue: str) -> Any:
        """The moves that an issue may make now."""

    async def transition(self, issue: str, body: Mapping[str, Any]) -> None:
        """Move an issue."""

    async def close(self) -> None:
        """Let go of connections."""


class JiraClient:
    """The site over HTTP."""

    def __init__(self, *, service: HttpService) -> None:
        self._service = service

    async def search(self, jql: str) -> Any:
        """Ask for the first of the issues found; a field is named, or keys are left out."""
        body = {"jql": jql, "fields": ["labels"], "maxResults": 1}
        return (await self._service.call("POST", "rest/api/3/search/jql", json=body)).document

    async def create(self, body: Mapping[str, Any]) -> Any:
        """Make an issue; not tried again unseen, for there would be two."""
        reply = await self._service.call(
            "POST", "rest/api/3/issue", json=body, accept=(201,), once=True
        )
        return reply.document

    async def comments(self, issue: str, start: int) -> Any:
        """Ask for a page of comments, the newest first."""
        asked = urlencode({"startAt": start, "maxResults": _PAGE, "orderBy": "-created"})
        return (await self._service.call("GET", f"{_path(issue)}/comment?{asked}")).document

    async def comment(self, issue: str, body: Mapping[str, Any]) -> None:
        """Comment; not tried again unseen."""
        path = f"{_path(issue)}/comment"
        await self._service.call("POST", path, json=body, accept=(201,), once=True)

    async def state(self, issue: str) -> Any:
        """Ask for the status alone."""
        return (await self._service.call("GET", f"{_path(issue)}?fields=status")).document

    async def transitions(self, issue: str) -> Any:
        """Ask which moves there are from where the issue stands."""
        return (await self._service.call("GET", f"{_path(issue)}/transitions")).document

    async def transition(self, issue: str, body: Mapping[str, Any]) -> None:
        """Move; once moved, the same move is not there any more."""
        path = f"{_path(issue)}/transitions"
        await self._service.call("POST", path, json=body, accept=(204,), once=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()


class JiraDestination:
    """A project as something that effects are sent to.

    To open an issue the effect's data may name ``queue`` and ``severity``; the receipt is the
    issue's key. A reply or a notice is a comment on ``issue``, or on the newest issue of the case;
    a status is a move of it to ``status``.
    """

    def __init__(
        self,
        *,
        jira: Jira,
        project: str,
        issue_type: str = "Task",
        statuses: Mapping[str, str] | None = None,
        name: str = "jira",
    ) -> None:
        """``statuses`` says what the project calls ours; one not listed is taken as it is."""
        self.name, self._jira = name, jira
        self._project, self._type = project, issue_type
        self._statuses = dict(statuses or {})

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Make, comment on or move an issue, unless that was done before."""
        kind = delivery.effect.kind
        if kind is EffectKind.OPEN_ISSUE:
            return Receipt(await self._opened(delivery))
        if kind in (EffectKind.REPLY, EffectKind.NOTIFY):
            return Receipt(await self._commented(delivery))
        if kind is EffectKind.SET_STATUS:
            return Receipt(await self._moved(delivery))
        raise untaken(self.name, delivery)

    async def close(self) -> None:
        """Close the connections."""
        await self._jira.close()

    async def _opened(self, delivery: Delivery) -> str:
        if found := await self._labelled(effect_label(delivery.effect.key)):
            return found
        body = issue_body(delivery, self._project, self._type)
        return checked(self.name, Issue, await self._jira.create(body)).key

    async def _labelled(self, label: str) -> str | None:
        """The newest issue of the project that bears a label."""
        jql = f'project = "{_quoted(self._project)}" AND labels = "{_quoted(label)}"'
        found = await self._jira.search(f"{jql} ORDER BY created DESC")
        issues = checked(self.name, Found, found).issues
        return issues[0].key if issues else None

    async def _issue(self, delivery: Delivery) -> str:
        """The issue that an effect names, or else the newest one of its case."""
        effect = delivery.effect
        if effect.case_id and not effect.data.get("issue"):
            found = await self._labelled(f"{MARK}{effect.case_id}")
            if found is not None:
                return found
        return told(self.name, delivery, "issue")

    async def _commented(self, delivery: Delivery) -> str:
        issue, mark = await self._issue(delivery), effect_label(delivery.effect.key)
        if not await self._bears(issue, mark):
            lines = [delivery.text or f"Casework {delivery.effect.case_id or ''}".strip()]
            lines += [delivery.link, mark]
            await self._jira.comment(issue, {"body": document_of(lines)})
        return issue

    async def _bears(self, issue: str, mark: str) -> bool:
        seen = 0
        while True:
            page = checked(self.name, Comments, await self._jira.comments(issue, seen))
            if any(mark in texts_of(comment.body) for comment in page.comments):
                return True
            seen += len(page.comments)
            if not page.comments or seen >= page.total:
                return False

    async def _moved(self, delivery: Delivery) -> str:
        issue, given = await self._issue(delivery), told(self.name, delivery, "status")
        wanted = self._statuses.get(given, given).casefold()
        state = checked(self.name, State, await self._jira.state(issue))
        if state.fields.status.name.casefold() == wanted:
            return issue
        known = checked(self.name, Transitions, await self._jira.transitions(issue))
        for move in known.transitions:
            if wanted in (move.to.name.casefold(), move.name.casefold()):
                await self._jira.transition(issue, {"transition": {"id": move.id}})
                return issue
        raise ProviderRefused(
            f"{self.name} has no move of this issue to the status that was asked for",
            hint="name the status in the destination's statuses as the project calls it",
        )


def _path(issue: str) -> str:
    """The path of an issue; nothing in a key may lead elsewhere."""
    return f"rest/api/3/issue/{quote(issue, safe='').replace('.', '%2E')}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
