"""Gathering signals: read a page of cases, ask every provider at once, record what each said."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from casework.cases import Evidence, Reading
from casework.ports import Provider
from casework.signals import FAILURES, Unknown, completed, nothing_known, reason_of
from casework.store.engine import reading, transaction
from casework.store.signals import Cursor, cases_to_enrich, record_readings
from tasks.context import Context, surroundings

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Progress:
    """What one page came to. ``failures`` counts cases by provider and reason."""

    after: Cursor
    read: int = 0
    enriched: int = 0
    failures: Counter[str] = field(default_factory=Counter)


@task(
    name="enrich page",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 15],
)
async def enrich_page(
    crew: Sequence[Provider], intake_id: str | None, after: Cursor | None
) -> Progress:
    """Enrich one page of opened cases; a page that read nothing is the end.

    Safe to repeat: readings are written once, and cases that have moved on are left alone.
    """
    return await enrich(surroundings("enrichment"), crew, intake_id, after)


async def enrich(
    here: Context, crew: Sequence[Provider], intake_id: str | None, after: Cursor | None
) -> Progress:
    """Enrich one page of opened cases, with no transaction open while providers are asked."""
    with reading(here.engine) as session:
        page = cases_to_enrich(session, intake_id, here.settings.batch_size, after)
    if not page.evidence:
        return Progress(page.after)
    said = await asyncio.gather(*(ask(provider, page.evidence) for provider in crew))
    with transaction(here.engine) as session:
        enriched = record_readings(session, page.evidence, said, here.by, here.now)
    return Progress(page.after, len(page.evidence), enriched, _failures(said))


async def ask(provider: Provider, evidence: Sequence[Evidence]) -> list[Reading]:
    """Ask one provider, and have a reading for each case whatever it does.

    A provider may only fail on its own: what it raises becomes a reason, and so does an answer
    that is not one reading for each case.
    """
    name, version, signals = provider.name, provider.version, provider.signals
    try:
        readings = await provider.read(evidence)
        if len(readings) != len(evidence):
            log.error("provider %s gave %d of %d readings", name, len(readings), len(evidence))
            return [nothing_known(name, version, signals, Unknown.ERROR)] * len(evidence)
        return completed(readings, name, version, signals)
    except Exception as error:
        # The message may quote what was asked about, so only the kind of error is logged.
        log.error("provider %s failed: %s", name, type(error).__name__)
        return [nothing_known(name, version, signals, reason_of(error))] * len(evidence)


def _failures(said: Sequence[Sequence[Reading]]) -> Counter[str]:
    """How many cases each provider failed, by ``provider:reason``."""
    found: Counter[str] = Counter()
    for readings in said:
        for each in readings:
            if each.unknown:
                reasons = set(each.unknown.values()) & FAILURES
                found.update(f"{each.provider}:{reason}" for reason in reasons)
    return found


def report(crew: Sequence[Provider], counts: dict[str, int]) -> list[dict[str, Any]]:
    """What a run came to, one row for each provider, without anything about any case."""
    rows = []
    for provider in crew:
        mine = {
            key.removeprefix(f"{provider.name}:"): count
            for key, count in counts.items()
            if key.startswith(f"{provider.name}:")
        }
        rows.append(
            {
                "provider": provider.name,
                "version": provider.version,
                "signals": len(provider.signals),
                "cases it failed": sum(mine.values()),
                "reasons": ", ".join(f"{reason} {n}" for reason, n in sorted(mine.items())),
            }
        )
    return rows
