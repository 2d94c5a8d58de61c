"""A Jira project in memory, for development and tests."""

import re
from collections.abc import Mapping
from typing import Any, Final

from casework.errors import ProviderRefused

#: The moves of its workflow: from each status, the id of a move, its name and where it leads.
WORKFLOW: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "To Do": (("11", "Start", "In Progress"), ("21", "Finish", "Done")),
    "In Progress": (("21", "Finish", "Done"),),
    "Done": (("31", "Reopen", "To Do"),),
}

_LABEL: Final = re.compile(r'labels = "([^"]+)"')


class JiraTwin:
    """A project that answers as Jira does."""

    def __init__(self, page: int = 100) -> None:
        self.page = page
        self.issues: dict[str, dict[str, Any]] = {}

    async def search(self, jql: str) -> Any:
        """Find the newest issue that bears the label of the query."""
        named = _LABEL.search(jql)
        label = named[1] if named else None
        found = [
            key
            for key, issue in reversed(self.issues.items())
            if label in issue["fields"]["labels"]
        ]
        return {"issues": [{"id": key.split("-")[1], "key": key} for key in found[:1]]}

    async def create(self, body: Mapping[str, Any]) -> Any:
        """Keep an issue under the next key."""
        number = len(self.issues) + 1
        key = f"{body['fields']['project']['key']}-{number}"
        self.issues[key] = {"fields": dict(body["fields"]), "status": "To Do", "comments": []}
        return {"id": str(number), "key": key, "self": f"https://twin.example/{number}"}

    async def comments(self, issue: str, start: int) -> Any:
        """A page of comments, the newest first."""
        known = self._issue(issue)["comments"][::-1]
        shown = known[start : start + self.page]
        page = {"startAt": start, "maxResults": self.page, "total": len(known)}
        return {**page, "comments": [{"body": body} for body in shown]}

    async def comment(self, issue: str, body: Mapping[str, Any]) -> None:
        """Keep a comment."""
        self._issue(issue)["comments"].append(body["body"])

    async def state(self, issue: str) -> Any:
        """The issue's status."""
        number, status = issue.split("-")[-1], self._issue(issue)["status"]
        return {"id": number, "key": issue, "fields": {"status": {"name": status}}}

    async def transitions(self, issue: str) -> Any:
        """The moves of the workflow from there."""
        moves = WORKFLOW[self._issue(issue)["status"]]
        return {
            "transitions": [
                {"id": identity, "name": name, "to": {"name": to}} for identity, name, to in moves
            ]
        }

    async def transition(self, issue: str, body: Mapping[str, Any]) -> None:
        """Make a move that there is."""
        known = self._issue(issue)
        ends = {identity: to for identity, _, to in WORKFLOW[known["status"]]}
        if body["transition"]["id"] not in ends:
            raise ProviderRefused("jira answered 400", answered=400)
        known["status"] = ends[body["transition"]["id"]]

    async def close(self) -> None:
        """There is nothing to close."""

    def _issue(self, key: str) -> dict[str, Any]:
        if key not in self.issues:
            raise ProviderRefused("jira answered 404", answered=404)
        return self.issues[key]
