"""Analysts at work, in a process of their own: ``python -m benchmarks.analysts FILE``.

Each has a browser's worth of HTTP: a session that began with a one-time link, a cookie, the token
of the forms read from the pages. They take the next case, read it, decide, and look at lists.
"""

import asyncio
import random
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

#: Seconds that pass on the average, by an exponential distribution: reading a case and writing the
#: reason, looking at what became of it, and reading a list.
READING: Final = 20.0
LOOKING: Final = 3.0

#: A server closes what is idle for five seconds; a client that lets go first meets no closed one.
KEPT: Final = httpx.Limits(keepalive_expiry=3)

#: The share of cases before which somebody looks at their queues and one of them.
LISTS: Final = 0.2


@dataclass(slots=True)
class Seen:
    """What was measured: milliseconds by what was asked for, and what went wrong."""

    began: float
    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def note(self, what: str, began: float, answer: httpx.Response, wanted: int) -> None:
        """Keep one answer; those of the time before the measuring are checked alone."""
        if answer.status_code != wanted:
            self.errors.append(f"{what}: {answer.status_code}")
        if began >= self.began:
            self.times.setdefault(what, []).append((time.perf_counter() - began) * 1000)


@dataclass(slots=True)
class Analyst:
    """One person with a browser."""

    client: httpx.AsyncClient
    seen: Seen
    chance: random.Random
    csrf: str = ""

    async def work(self, link: str, until: float) -> None:
        """Sign in and work until it is time to go."""
        await self._post("sign in", link, {})
        home = await self._get("lists", "/")
        self.csrf = _found(r'name="csrf" value="([^"]+)"', home)
        await asyncio.sleep(self.chance.uniform(0, READING + LOOKING))
        while time.perf_counter() < until:
            if self.chance.random() < LISTS:
                await self._look()
            await self._case()

    async def _look(self) -> None:
        home = await self._get("lists", "/")
        await self._think(LOOKING)
        await self._get("lists", _found(r'href="(/queues/[^"]+)"', home))
        await self._think(LOOKING)

    async def _case(self) -> None:
        taken = await self._post("next", "/next", {})
        page = await self._get("read", taken.headers["location"])
        gate = _found(r'action="(/gates/[^"/]+/answer)"', page)
        evidence = _found(r'name="evidence" value="([^"]+)"', page)
        await self._think(READING)
        answer = {"verdict": "approve", "action": "close_no_action", "rationale": "I have read it."}
        decided = await self._post("decide", gate, {**answer, "evidence": evidence})
        await self._get("read", decided.headers["location"])
        await self._think(LOOKING)

    async def _think(self, seconds: float) -> None:
        await asyncio.sleep(self.chance.expovariate(1 / seconds))

    async def _get(self, what: str, path: str) -> str:
        began = time.perf_counter()
        answer = await self.client.get(path)
        self.seen.note(what, began, answer, 200)
        return answer.text

    async def _post(self, what: str, path: str, fields: dict[str, str]) -> httpx.Response:
        began = time.perf_counter()
        answer = await self.client.post(path, data={"csrf": self.csrf, **fields})
        self.seen.note(what, began, answer, 303)
        return answer


def _found(pattern: str, page: str) -> str:
    found = re.search(pattern, page)
    if found is None:
        raise LookupError(f"a page lacks {pattern}")
    return found[1]


async def work(asked: dict[str, Any]) -> Seen:
    """Let everybody work for some seconds, of which the first are not measured."""
    began = time.perf_counter()
    seen, until = Seen(began + asked["warm_up"]), began + asked["warm_up"] + asked["seconds"]

    async def one(number: int, link: str) -> None:
        url = asked["consoles"][number % len(asked["consoles"])]
        async with httpx.AsyncClient(base_url=url, timeout=30, limits=KEPT, verify=False) as client:
            try:
                await Analyst(client, seen, random.Random(number)).work(link, until)
            except (httpx.HTTPError, LookupError) as error:
                seen.errors.append(f"{type(error).__name__}: {error}")

    await asyncio.gather(*(one(number, link) for number, link in enumerate(asked["links"])))
    return seen


if __name__ == "__main__":
    found = asyncio.run(work(orjson.loads(Path(sys.argv[1]).read_bytes())))
    sys.stdout.buffer.write(orjson.dumps({"times": found.times, "errors": found.errors}))
