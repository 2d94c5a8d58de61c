"""A case: what it is made of, the states it passes through and the fields a policy may read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from casework.canonical import digest
from casework.errors import Conflict

Scalar: TypeAlias = bool | int | float | str
Identifier: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)
]
Label: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)
]


class Route(StrEnum):
    """Where a policy sends a case."""

    CLOSE = "close"
    REVIEW = "review"
    ESCALATE = "escalate"


class Severity(StrEnum):
    """How bad it is: P0 cannot wait, P4 can."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Status(StrEnum):
    """Where a case stands."""

    OPENED = "opened"
    ENRICHED = "enriched"
    WAITING = "waiting"
    CLOSED = "closed"


#: Legal moves. A new revision of its content sends any case back to OPENED; a decision that was
#: found wrong sends a closed one to WAITING, at a gate for what is to be done instead.
TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = {
    Status.OPENED: frozenset({Status.ENRICHED}),
    Status.ENRICHED: frozenset({Status.CLOSED, Status.WAITING, Status.OPENED}),
    Status.WAITING: frozenset({Status.CLOSED, Status.WAITING, Status.OPENED}),
    # What was done is undone at a gate of its own.
    Status.CLOSED: frozenset({Status.OPENED, Status.WAITING}),
}

#: Case fields a rule may read beside the signals, with their SQL-ish type.
CASE_FIELDS: Final[Mapping[str, str]] = {
    "source": "text",
    "kind": "text",
    "channel": "text",
    "language": "text",
    "country": "text",
    "revision": "integer",
}


def check_transition(before: Status, after: Status) -> None:
    """Refuse an illegal move.

    Raises:
        Conflict: the case may not go from ``before`` to ``after``.
    """
    if after not in TRANSITIONS[before]:
        raise Conflict(f"a case that is {before} cannot become {after}")


class Item(BaseModel):
    """What a source delivers, after mapping. Text is content: it stays in the store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    external_id: Identifier
    received_at: AwareDatetime | None = None
    title: Annotated[str, StringConstraints(max_length=2_000)] = ""
    body: Annotated[str, StringConstraints(max_length=1_000_000)] = ""
    kind: Label | None = None
    channel: Label | None = None
    language: Label | None = None
    country: Label | None = None
    subject_id: Identifier | None = None
    reporter_id: Identifier | None = None
    attributes: dict[str, Scalar | None] = Field(default_factory=dict)
    signals: dict[str, Scalar] = Field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """All that makes one revision differ from another, as plain JSON.

        The same as ``model_dump(mode="json", exclude_defaults=True)``, four times faster: every
        default is empty, and nothing that is empty is anything but a default.
        """
        content = {name: value for name, value in self.__dict__.items() if value}
        if moment := self.received_at:
            content["received_at"] = moment.isoformat().replace("+00:00", "Z")
        return content

    def content_digest(self) -> str:
        """SHA-256 of the canonical content: identical content is the same revision."""
        return digest(self.content())


def case_id(source: str, external_id: str) -> str:
    """The case's id, derived from its source and external id: opening twice opens once.

    Cases of a source whose numbers are neighbours begin alike, so that what comes together lies
    together in every index. The number itself cannot be read from the id.
    """
    digits = external_id[len(external_id.rstrip(_DIGITS)) :][-_LONGEST_NUMBER:]
    group = int(digits) // _NEIGHBOURS if digits else external_id
    return "c" + _group(source, group) + _hexadecimal(source, external_id, 14)


@lru_cache(maxsize=64)
def _group(source: str, group: int | str) -> str:
    return _hexadecimal(source, f"group {group}", 6)


def _hexadecimal(source: str, name: str, length: int) -> str:
    return sha256(f"{source}\x00{name}".encode()).hexdigest()[:length]


_DIGITS: Final = "0123456789"

#: Digits past these would be slow to read as a number, and are no count of tickets.
_LONGEST_NUMBER: Final = 12

#: How many numbers share the beginning of their ids.
_NEIGHBOURS: Final = 1024


_NO_ATTRIBUTES: Final[Mapping[str, Scalar | None]] = MappingProxyType({})


class Evidence(NamedTuple):
    """One revision of a case as providers read it."""

    case_id: str
    revision: int
    source: str
    content_digest: str
    received_at: datetime
    title: str = ""
    body: str = ""
    kind: str | None = None
    channel: str | None = None
    language: str | None = None
    country: str | None = None
    subject_id: str | None = None
    reporter_id: str | None = None
    attributes: Mapping[str, Scalar | None] = _NO_ATTRIBUTES


@dataclass(frozen=True, slots=True)
class Reading:
    """What one provider said about one revision of a case.

    ``values`` holds the signals it knows. ``unknown`` names each signal it should have given and
    did not, with the reason. ``latency_ms`` is None where nothing was asked.
    """

    provider: str
    version: str
    values: Mapping[str, Scalar]
    unknown: Mapping[str, str] = field(default_factory=dict)
    latency_ms: int | None = None
    cached: bool = False
