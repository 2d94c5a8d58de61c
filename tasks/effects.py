"""Sending effects: each destination is drained for itself, a few effects at a time."""

import asyncio
import logging
import os
import random
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from casework.backoff import next_try
from casework.console import urls
from casework.effects import TELLING, Delivery, Effect, Receipt, veiled
from casework.errors import (
    CaseworkError,
    ConfigurationError,
    ProviderError,
    ProviderTimeout,
    StoreError,
)
from casework.ledger.entries import Provenance
from casework.policy.bundle import read_bundle
from casework.policy.model import Bundle, DestinationSpec
from casework.ports import Destination
from casework.settings import Settings
from casework.store.engine import reading, transaction
from casework.store.paging import earlier_references
from casework.store.restrictions import alias_of
from casework.store.sending import Claimed, claim, due_destinations, note_failure, note_sent
from casework.store.texts import text_of
from tasks.context import surroundings
from tasks.destinations import destination_of, hold_to_rate
from tasks.retrying import can_help

log = logging.getLogger(__name__)

#: Seconds one effect may take, well within its lease: turns at the rate limit included.
DELIVER_WITHIN: Final = 90.0

#: Seconds after which a sender takes nothing new: the next run goes on a minute later.
PATIENCE: Final = 45.0


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the store, the policy in force, and the name it leases effects under."""

    settings: Settings
    engine: Engine
    bundle: Bundle
    by: Provenance
    name: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    patience: float = PATIENCE


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=can_help,
)
async def send_due() -> dict[str, int]:
    """Send what is due. Safe to repeat and to run beside others.

    Returns:
        The counts of ``send``.
    """
    here = surroundings("effects")
    return await send(sender_of(here.settings, here.engine, here.by))


async def send_of_case(case_id: str) -> None:
    """Send what is due of one case, in the task or flow that has caused it; a task run of its own
    would cost more. What fails here is tried again every minute."""
    here = surroundings("effects")
    try:
        await send(sender_of(here.settings, here.engine, here.by), case_id)
    except CaseworkError as error:
        log.warning("Effects of case %s have to wait: %s", case_id, error.code)


def sender_of(settings: Settings, engine: Engine, by: Provenance) -> Sender:
    """This process as a sender.

    Raises:
        PolicyError: the bundle in force cannot be read.
    """
    name = f"{socket.gethostname()}:{os.getpid()}"
    return Sender(settings, engine, read_bundle(settings.bundle_dir), by, name)


async def send(sender: Sender, case_id: str | None = None) -> dict[str, int]:
    """Drain every destination for which something is due, all at once.

    Returns:
        ``sent``, ``failed`` (to be tried again), ``dead``, and ``held``: destinations with
        something due that the bundle does not name or that are not set up.
    """
    due = await asyncio.to_thread(_due, sender, case_id)
    drained = await asyncio.gather(*(_drain(sender, name, case_id) for name in due))
    counts: Counter[str] = Counter(sent=0, failed=0, dead=0, held=0)
    for each in drained:
        counts.update(each)
    return dict(counts)


def _due(sender: Sender, case_id: str | None) -> list[str]:
    with reading(sender.engine) as session:
        return due_destinations(session, sender.now(), case_id)


async def _drain(sender: Sender, name: str, case_id: str | None) -> Counter[str]:
    spec = sender.bundle.destinations.get(name)
    destination = None if spec is None else _reached(sender, spec)
    if spec is None or destination is None:
        return Counter(held=1)
    until = asyncio.get_running_loop().time() + sender.patience
    try:
        await hold_to_rate(spec)
        lines = (_line(sender, spec, destination, case_id, until) for _ in range(spec.at_once))
        return sum(await asyncio.gather(*lines), Counter())
    finally:
        await destination.close()


def _reached(sender: Sender, spec: DestinationSpec) -> Destination | None:
    """The destination, or None: one that is set up wrongly must not hold up the others."""
    try:
        return destination_of(sender.settings, spec)
    except ConfigurationError as error:
        log.warning("Nothing is sent to %s: %s", spec.id, error.message)
        return None


async def _line(
    sender: Sender,
    spec: DestinationSpec,
    destination: Destination,
    case_id: str | None,
    until: float,
) -> Counter[str]:
    """Send one effect after another until none may be sent, or time is up."""
    counts: Counter[str] = Counter()
    while asyncio.get_running_loop().time() < until:
        claimed = await asyncio.to_thread(_claim, sender, spec.id, case_id)
        if not claimed:
            break
        counts[await _send(sender, spec, destination, claimed[0])] += 1
    return counts


def _claim(sender: Sender, destination: str, case_id: str | None) -> list[Claimed]:
    with transaction(sender.engine) as session:
        return claim(session, destination, 1, sender.name, sender.now(), case_id)


async def _send(
    sender: Sender, spec: DestinationSpec, destination: Destination, claimed: Claimed
) -> str:
    """Send one effect and record what came of it: ``sent``, ``failed`` or ``dead``."""
    try:
        delivery = await asyncio.to_thread(_delivery, sender, claimed)
        async with asyncio.timeout(DELIVER_WITHIN):
            receipt = await destination.deliver(delivery)
    except TimeoutError:
        late = ProviderTimeout(f"{spec.id} did not take it within {DELIVER_WITHIN:.0f} s")
        return await asyncio.to_thread(_failed, sender, spec, claimed, late)
    except StoreError:
        raise  # nothing can be recorded: the lease runs out, and the effect is sent again
    except CaseworkError as error:
        return await asyncio.to_thread(_failed, sender, spec, claimed, error)
    except Exception as error:
        # A fault of ours in one effect must not keep the others; its text may hold content.
        fault = ProviderError(f"{spec.id} could not be sent it ({type(error).__name__})")
        log.error("Effect %s: %s", claimed.effect.key, fault.message)
        return await asyncio.to_thread(_failed, sender, spec, claimed, fault)
    return await asyncio.to_thread(_sent, sender, claimed, receipt)


def _delivery(sender: Sender, claimed: Claimed) -> Delivery:
    effect, base = claimed.effect, sender.settings.console_url.rstrip("/")
    with reading(sender.engine) as session:
        earlier = earlier_references(session, effect)
        telling = effect.case_id if effect.kind in TELLING else None
        # Whoever reads it there need not be one of those who may know of the case.
        if telling and (alias := alias_of(session, telling)):
            return _veiled(veiled(effect, alias), base, claimed, earlier)
        text = text_of(session, effect, sender.bundle)
    link = f"{base}{urls.case(effect.case_id)}" if base and effect.case_id else ""
    return Delivery(effect, text, link, claimed.queued_at, earlier)


def _veiled(effect: Effect, base: str, claimed: Claimed, earlier: tuple[str, ...]) -> Delivery:
    """What is told of a restricted case: that there is one in its queue, and a link to that."""
    queue = str(effect.data.get("queue", ""))
    text = f"A restricted case in queue {queue} needs somebody" if queue else "A restricted case"
    link = f"{base}{urls.queue(queue)}" if base and queue else ""
    return Delivery(effect, text, link, claimed.queued_at, earlier)


def _sent(sender: Sender, claimed: Claimed, receipt: Receipt) -> str:
    with transaction(sender.engine) as session:
        note_sent(session, claimed, receipt, sender.by, sender.now())
    return "sent"


def _failed(sender: Sender, spec: DestinationSpec, claimed: Claimed, error: CaseworkError) -> str:
    now = sender.now()
    again = next_try(error, claimed.failures + 1, spec.retry, random.random(), now)
    with transaction(sender.engine) as session:
        note_failure(session, claimed, error, again, sender.by, now)
    return "dead" if again is None else "failed"
