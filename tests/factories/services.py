"""HTTP services whose far end is a function."""

from collections.abc import Callable
from typing import Any

import httpx
from pydantic import SecretStr

from integrations.http import HttpService

KEY = "key-that-nobody-may-see"


class Waits:
    """Takes the place of sleeping, and remembers for how long."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def service(
    answer: Callable[[httpx.Request], httpx.Response] | None = None,
    *,
    url: str = "https://service.example/v1",
    name: str = "moderation",
    key: str = KEY,
    **more: Any,
) -> HttpService:
    """A service; without ``answer`` it is over the network."""
    given: dict[str, Any] = {
        "timeout": 5.0,
        "attempts": 3,
        "concurrency": 4,
        "sleep": Waits(),
        **more,
    }
    transport = httpx.MockTransport(answer) if answer else None
    return HttpService(name=name, base_url=url, token=SecretStr(key), transport=transport, **given)
