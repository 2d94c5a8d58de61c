"""Roles in an incident: who held which, from when to when. Times are kept, never overwritten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from casework.gates import Role


class IncidentRole(StrEnum):
    """What a person is in one incident."""

    COMMANDER = "commander"
    SCRIBE = "scribe"
    COMMUNICATIONS = "communications"
    LIAISON_LEGAL = "liaison_legal"
    LIAISON_POLICY = "liaison_policy"
    LIAISON_PRODUCT = "liaison_product"
    LIAISON_ENGINEERING = "liaison_engineering"
    LIAISON_SUPPORT = "liaison_support"


LIAISONS: Final = frozenset(role for role in IncidentRole if role.startswith("liaison_"))

#: Roles that one person at a time holds. A partner team may have several liaisons.
SINGLE: Final = frozenset(IncidentRole) - LIAISONS

_ABLE: Final = frozenset({Role.SENIOR, Role.LEAD})

#: Who may be given which role.
QUALIFIED: Final[Mapping[IncidentRole, frozenset[Role]]] = {
    IncidentRole.COMMANDER: _ABLE,
    IncidentRole.SCRIBE: _ABLE | {Role.ANALYST, Role.QA},
    IncidentRole.COMMUNICATIONS: _ABLE | {Role.PARTNER},
    **dict.fromkeys(LIAISONS, _ABLE | {Role.PARTNER}),
}


@dataclass(frozen=True, slots=True)
class Tenure:
    """One person's time in one role; ``renounced_at`` is None while it lasts."""

    role: IncidentRole
    person: str
    assumed_at: datetime
    renounced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """What a change of roles ends and begins; neither where nothing changes."""

    ended: Tenure | None = None
    begun: Tenure | None = None


def holders(tenures: Sequence[Tenure], role: IncidentRole) -> list[Tenure]:
    """Those who hold a role now."""
    return [each for each in tenures if each.role is role and each.renounced_at is None]


def roles_of(tenures: Sequence[Tenure], person: str) -> set[IncidentRole]:
    """The roles that a person holds now."""
    return {each.role for each in tenures if each.person == person and each.renounced_at is None}


def assume(tenures: Sequence[Tenure], role: IncidentRole, person: str, now: datetime) -> Handover:
    """Give a role to a person; a role for one takes it from whoever holds it.

    Who holds it already goes on holding it. No tenure begins before the one it follows has ended,
    even where two machines' clocks differ.
    """
    current = holders(tenures, role)
    if any(each.person == person for each in current):
        return Handover()
    ended = _ended(current[0], now) if current and role in SINGLE else None
    before = [each for each in tenures if each.role is role]
    if role not in SINGLE:
        before = [each for each in before if each.person == person]
    ends = [each.renounced_at for each in [*before, ended] if each and each.renounced_at]
    return Handover(ended, Tenure(role, person, max([now, *ends])))


def renounce(tenures: Sequence[Tenure], role: IncidentRole, person: str, now: datetime) -> Handover:
    """End a person's time in a role, if it lasts."""
    current = [each for each in holders(tenures, role) if each.person == person]
    return Handover(_ended(current[0], now)) if current else Handover()


def _ended(tenure: Tenure, now: datetime) -> Tenure:
    return replace(tenure, renounced_at=max(now, tenure.assumed_at))
