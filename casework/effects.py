"""Effects: what a decision, a clock or an incident does to the world outside.

An effect is written to the outbox in the transaction of what caused it, and sent afterwards, once
or more often under the same key. It carries ids and the names of macros; text is rendered when it
is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from casework.canonical import digest
from casework.errors import Conflict

#: What a name of ours begins with in another system; an id follows, most often that of a case.
MARK: Final = "casework:"


class EffectKind(StrEnum):
    """What is done outside. A destination says which of these it takes."""

    ACT = "act"  # carry out an action of the bundle on the subject or the content
    REVERSE = "reverse"  # undo such an action
    REPLY = "reply"  # answer the reporter or the subject with a macro
    SET_STATUS = "set_status"  # tell the source how far its item has come
    NOTIFY = "notify"  # tell a person or a team that something waits
    PAGE = "page"  # wake whoever is on call
    ACKNOWLEDGE = "acknowledge"  # somebody has taken the page
    RESOLVE = "resolve"  # what was paged about is over
    OPEN_ISSUE = "open_issue"  # ask a partner team in its own tracker


class EffectStatus(StrEnum):
    """How far an effect has come."""

    WAITING = "waiting"  # to be sent, at once or from its time on
    SENT = "sent"  # the destination has taken it
    DEAD = "dead"  # refused for good, or tried too often; somebody must look at it
    DISCARDED = "discarded"  # somebody has given it up
    CANCELLED = "cancelled"  # what it was to do was undone before any of it left


#: Legal moves. What is given up or dead can still prove sent: a sender that was slow and taken for
#: dead may have got through, and what happened outside is true whatever was thought meanwhile.
MOVES: Final[Mapping[EffectStatus, frozenset[EffectStatus]]] = {
    EffectStatus.WAITING: frozenset(
        {EffectStatus.SENT, EffectStatus.DEAD, EffectStatus.DISCARDED, EffectStatus.CANCELLED}
    ),
    EffectStatus.DEAD: frozenset(
        {EffectStatus.WAITING, EffectStatus.DISCARDED, EffectStatus.SENT, EffectStatus.CANCELLED}
    ),
    EffectStatus.DISCARDED: frozenset({EffectStatus.WAITING, EffectStatus.SENT}),
    EffectStatus.SENT: frozenset(),
    EffectStatus.CANCELLED: frozenset(),
}

#: Codes of failures after which a destination has surely not taken what it was sent: it said so, or
#: nothing was sent at all. After any other it may have.
NOT_TAKEN: Final = frozenset({"provider_refused", "provider_rate_limited", "configuration"})


def check_move(before: EffectStatus, after: EffectStatus) -> None:
    """Refuse an illegal move.

    Raises:
        Conflict: the effect may not go from ``before`` to ``after``.
    """
    if after not in MOVES[before]:
        raise Conflict(
            f"an effect that is {before} cannot become {after}",
            hint="look again: casework effects list",
        )


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect to be sent. The same ``key`` is the same effect, however often it is asked for.

    ``data`` of what an action causes names ``action``, ``source``, ``external_id``,
    ``subject_id``, ``policy`` (the digest of the bundle) and ``origin`` (the gate or the machine's
    decision); where there is one ``macro`` and ``until``. That of a reversal also names what it
    ``undoes`` and ``reverses``: the origin and the action; that of a status, the ``status``.
    """

    key: str
    kind: EffectKind
    destination: str  # an id of the bundle's destinations
    case_id: str | None = None  # None: not about one case
    data: Mapping[str, Any] = field(default_factory=dict)  # ids, macro and action names; no text
    not_before: datetime | None = None
    after: str | None = None  # key of an effect that must have come to an end before


#: What tells people about a case; all else does something to it, and must say to which.
TELLING: Final = frozenset(
    {EffectKind.NOTIFY, EffectKind.PAGE, EffectKind.ACKNOWLEDGE, EffectKind.RESOLVE}
)

#: What is told of a case that not everybody may know of, wherever it is read.
_TOLD: Final = ("queue", "severity", "clock", "step", "due", "due_at", "channel", "reference")


def veiled(effect: Effect, alias: str) -> Effect:
    """An effect that tells of a restricted case, without a name of anything that leads to it.

    ``alias`` stands for the case: what is told of the same case belongs together.
    """
    told = {name: effect.data[name] for name in _TOLD if name in effect.data}
    return Effect(
        # Derived, so that it is the same at every attempt; the alias is nobody's to guess.
        key=f"{effect.kind}:{digest([alias, effect.key])[:32]}",
        kind=effect.kind,
        destination=effect.destination,
        data={**told, "alias": alias},
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """An effect on its way out, with the text that its macro makes of the case."""

    effect: Effect
    text: str = ""
    link: str = ""  # where a person can look at what it is about
    queued_at: datetime | None = None  # when it was decided to be done
    #: References of what its destination was sent before about the same gate, the oldest first.
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the destination said: its own id for what it made, if it named one."""

    reference: str | None = None
