"""Slack: answering whoever has pressed a button, at the address that came with the press.

``POST`` to the payload's ``response_url``, which is good for thirty minutes and five answers. Only
addresses below Slack's own are posted to, whatever a payload says: it is signed, but what it names
is not ours. https://docs.slack.dev/interactivity/handling-user-interaction
"""

from typing import Any

import httpx

from casework.errors import ProviderRefused
from casework.inbox.pressed import Said
from integrations.http import HttpService
from integrations.slack_messages import headline_of, section


class SlackAnswers:
    """Where answers to presses go."""

    def __init__(self, *, service: HttpService, base_url: str) -> None:
        """``base_url`` is Slack's, and that of the service."""
        self._service, self._base = service, httpx.URL(base_url)

    async def tell(self, said: Said) -> None:
        """Replace the message, or tell the person alone.

        Raises:
            ProviderError: Slack did not take it, or the address is not Slack's.
        """
        url = self._checked(said.url)
        await self._service.call("POST", url, json=document(said), once=True, reads=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    def _checked(self, address: str) -> str:
        """An address, if it is below Slack's own."""
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL:
            url = httpx.URL("")
        ours = (self._base.scheme, self._base.host, self._base.port, b"")
        below = url.path.startswith(self._base.path.rstrip("/") + "/") and ".." not in url.path
        if (url.scheme, url.host, url.port, url.userinfo) != ours or not below:
            raise ProviderRefused(
                "slack_answers was given an address that is not Slack's",
                hint="if your Slack answers elsewhere, set CASEWORK_SLACK_HOOKS_URL",
            )
        return str(url)


def document(said: Said) -> dict[str, Any]:
    """The body of an answer."""
    text = headline_of(said.about, said.what)
    if said.replaces:
        return {"replace_original": True, "text": text, "blocks": [section(text)]}
    return {"response_type": "ephemeral", "replace_original": False, "text": text}
