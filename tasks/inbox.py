"""Reading the inbox: reports become cases, buttons become answers, news goes into histories.

Messages are read in the order they came. One that cannot be understood is kept for people and
holds up no other. What a message leads to is committed together with the word that it has been
read, so a reader that is killed leaves it either done or waiting.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine
from sqlmodel import Session

from casework.answering import answer_gate
from casework.denials import Refused
from casework.errors import (
    CaseworkError,
    Conflict,
    Denied,
    EngineError,
    InputError,
    NotFound,
    StoreError,
)
from casework.gates import Accepted
from casework.inbox.load import load_sources
from casework.inbox.meaning import understand
from casework.inbox.posts import Vendor
from casework.inbox.pressed import Said, said_of
from casework.inbox.slack import Click
from casework.inbox.sources import Source
from casework.inbox.telling import News
from casework.ledger.entries import Provenance
from casework.store.engine import reading, transaction
from casework.store.gates import gate_by_id
from casework.store.identities import person_of
from casework.store.inbox import (
    Handled,
    held_messages,
    newest_number,
    note_failed,
    note_handled,
    waiting_messages,
)
from casework.store.inbox_intake import take_in
from casework.store.outside import note_news
from casework.store.tables import Gate, InboxMessage
from tasks.context import Context, surroundings
from tasks.pressing import tell_pressers
from tasks.retrying import can_help
from tasks.review_runs import follow

#: Messages read in one go, with their bodies.
PAGE: Final = 500

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Drained:
    """What came of the messages: how many of each outcome, the gates that were decided, and what
    whoever pressed a button is to be told."""

    counts: Counter[str] = field(default_factory=Counter)
    gates: list[str] = field(default_factory=list)
    answers: list[Said] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reader:
    """What reading a message needs."""

    engine: Engine
    sources: Mapping[str, Source]
    by: Provenance
    clock: Callable[[], datetime]


@task(cache_policy=NO_CACHE, persist_result=False, retries=2, retry_condition_fn=can_help)
async def drain_inbox() -> dict[str, int]:
    """Read every message that waits, and wake the runs of the gates that were decided.

    Returns:
        How many messages came to each outcome.

    Raises:
        ConfigurationError: the file that declares the sources cannot be used.
        StoreError: the store does not answer; what was read before stays read.
    """
    here = surroundings("inbox")
    drained = await asyncio.to_thread(lambda: drain(reader_of(here)))
    if drained.gates:
        try:
            await follow(drained.gates)
        except EngineError as error:
            log.warning("the reconciler wakes what was decided: %s", error)
    await tell_pressers(here.settings, drained.answers)
    return dict(drained.counts)


def reader_of(here: Context) -> Reader:
    """A reader of the sources that the settings declare.

    Raises:
        ConfigurationError: the file that declares them cannot be used.
    """
    declared = here.settings.inbox_file
    sources = load_sources(declared) if declared else {}
    return Reader(here.engine, sources, here.by, lambda: datetime.now(UTC))


def drain(reader: Reader) -> Drained:
    """Read every message that waits, in order; those that come meanwhile are for the next round.

    Raises:
        StoreError: the store does not answer.
    """
    drained, after = Drained(), 0
    with reading(reader.engine) as session:
        last = newest_number(session)
    while after < last:
        with reading(reader.engine) as session:
            page = waiting_messages(session, after, PAGE)
        if not page:
            break
        after = page[-1].number or last
        for (name, vendor), group in groupby(page, key=lambda each: (each.source, each.vendor)):
            source = reader.sources.get(name)
            declared = source if source and source.vendor == vendor else None
            _read_all(reader, declared, list(group), drained)
    return drained


def _read_all(
    reader: Reader, source: Source | None, group: Sequence[InboxMessage], drained: Drained
) -> None:
    """Read messages of one source: reports together, anything else one by one."""
    if source is not None and source.reports:
        _try(reader, group, drained, lambda messages: _take_in(reader, source, messages))
        return
    for message in group:
        _try(reader, [message], drained, lambda each: [_read(reader, source, each[0], drained)])


def _try(
    reader: Reader,
    group: Sequence[InboxMessage],
    drained: Drained,
    read: Callable[[Sequence[InboxMessage]], Iterable[Handled]],
) -> None:
    """Read a group; where that fails, each by itself, and keep the one that cannot be read."""
    try:
        drained.counts.update(handled.outcome for handled in read(group))
    except StoreError:
        raise
    except Exception as error:
        if len(group) > 1:
            for message in group:
                _try(reader, [message], drained, read)
            return
        drained.counts["failed"] += _fail(reader, group[0], error)


def _fail(reader: Reader, message: InboxMessage, error: Exception) -> int:
    """Keep a message for people, if it waits; what is not our own error may quote its text."""
    if isinstance(error, CaseworkError):
        failed = Handled(str(getattr(error, "reason", "") or error.code), error.message)
    else:
        failed = Handled("unforeseen", type(error).__name__)
        log.error("message %s cannot be read: %s", message.id, type(error).__name__)
    with transaction(reader.engine) as session:
        waiting = held_messages(session, [message.id])
        for held in waiting:
            note_failed(session, held, failed, reader.by, reader.clock())
    return len(waiting)


def _take_in(reader: Reader, source: Source, messages: Sequence[InboxMessage]) -> Sequence[Handled]:
    with transaction(reader.engine) as session:
        held = held_messages(session, [message.id for message in messages])
        return take_in(session, source, held, reader.by, reader.clock()) if held else []


def _read(
    reader: Reader, source: Source | None, message: InboxMessage, drained: Drained
) -> Handled:
    if source is None:
        raise NotFound(
            f"no source {message.source} of {message.vendor} is declared",
            hint="declare it again, then retry",
        )
    meaning = understand(Vendor(message.vendor), message.body)
    if isinstance(meaning, Click):
        return _answer(reader, source, message, meaning, drained)
    with transaction(reader.engine) as session:
        held = _held(session, message)
        if isinstance(meaning, News):
            return note_news(session, held, meaning, reader.by, reader.clock())
        handled = Handled("ignored", meaning.reason)
        note_handled(session, [(held, handled)], reader.by, reader.clock())
        return handled


def _answer(
    reader: Reader, source: Source, message: InboxMessage, click: Click, drained: Drained
) -> Handled:
    """Give the guard an answer in the name of whoever the account belongs to.

    An account that is nobody's answers in its own name, so that the guard refuses it and the
    attempt is in the history.
    """
    if source.entry.team not in (None, click.team):
        raise InputError("the button was pressed in another workspace")
    now = reader.clock()
    with reading(reader.engine) as session:
        person = person_of(session, message.vendor, click.account)
    told: list[Handled] = []
    said: list[Said | None] = []
    actor = person or f"{message.vendor}:{click.account}"

    def ruled(session: Session, ruling: Accepted | Refused) -> None:
        gate = gate_by_id(session, click.gate_id)
        handled = _outcome(ruling, gate)
        note_handled(session, [(_held(session, message), handled)], reader.by, now)
        told.append(handled)
        said.append(said_of(click, ruling, (gate.severity, gate.queue, gate.case_id), actor))

    try:
        taken = answer_gate(reader.engine, click.gate_id, actor, click.answer, now=now, ruled=ruled)
    except NotFound as error:
        raise NotFound("the button is about a gate that is not there") from error
    except (Denied, Conflict):
        if not told:
            raise
    else:
        if taken.decided:
            drained.gates.append(click.gate_id)
    drained.answers += [each for each in said if each]
    return told[0]


def _outcome(ruling: Accepted | Refused, gate: Gate) -> Handled:
    if isinstance(ruling, Refused):
        return Handled("denied", str(ruling.reason), gate.case_id, gate.id)
    missing = f"{ruling.missing} more needed" if ruling.missing else ""
    return Handled("answered", missing, gate.case_id, gate.id)


def _held(session: Session, message: InboxMessage) -> InboxMessage:
    """The message, held.

    Raises:
        Conflict: somebody else has read it meanwhile; nothing of this reading is to stand.
    """
    for held in held_messages(session, [message.id]):
        return held
    raise Conflict(f"message {message.id} has been read by somebody else")
