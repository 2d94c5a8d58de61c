"""Who has a gate: claiming, releasing, assigning, holding, handing over. Rules in one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from casework.clocks.model import StopReason
from casework.denials import Denial, Refused
from casework.gates import Person, Role, Situation, Terms, barred
from casework.policy.model import Bundle
from casework.vendors import sees


class Verb(StrEnum):
    """What somebody does about who has a gate."""

    CLAIM = "claim"
    RELEASE = "release"
    ASSIGN = "assign"
    HOLD = "hold"
    RESUME = "resume"
    HAND_OVER = "hand_over"


class HoldReason(StrEnum):
    """Why a gate is put on hold."""

    REPORTER = "reporter"
    PARTNER = "partner"
    VENDOR = "vendor"
    COLLEAGUE = "colleague"
    INVESTIGATION = "investigation"


#: The reasons that stop the clocks: somebody outside the team has to move. Our own work does not.
STOPPING: Final[Mapping[HoldReason, StopReason]] = {
    HoldReason.REPORTER: StopReason.REPORTER,
    HoldReason.PARTNER: StopReason.PARTNER,
    HoldReason.VENDOR: StopReason.VENDOR,
}


#: No hold lasts longer: who still waits then looks again and says so anew.
LONGEST_HOLD: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Reach:
    """Queues to which a gate may be handed over, and those of them where fewer people would do."""

    partners: frozenset[str]
    weaker: frozenset[str]

    @property
    def targets(self) -> list[str]:
        """Where it may go, by id."""
        return sorted(self.partners - self.weaker)


def reach(bundle: Bundle, queue: str, owner_queue: str | None) -> Reach:
    """From a queue a gate may go to its partners, and back to where it came from."""
    here = bundle.queues[queue]
    partners = {name for name in here.escalates_to if bundle.queues[name].partner}
    back = {owner_queue} if owner_queue else set()
    weaker = {name for name in partners if bundle.queues[name].approvals < here.approvals}
    return Reach(frozenset(partners | back), frozenset(weaker - back))


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody who wants to do something about who has a gate, and all that matters for it."""

    verb: Verb
    person: Person
    situation: Situation
    terms: Terms  # of the gate's queue
    now: datetime
    on_hold: bool = False
    take_over: bool = False
    to: Person | None = None  # whom it is assigned to
    follow_up_at: datetime | None = None
    queue: str | None = None  # where it is handed over to
    partners: frozenset[str] = frozenset()  # queues it may be handed over to
    weaker: frozenset[str] = frozenset()  # queues where fewer people would do

    @property
    def leads(self) -> bool:
        """Whether the person may overrule who has a gate."""
        return Role.LEAD in self.person.roles

    @property
    def holds(self) -> bool:
        """Whether the person has the gate."""
        return self.situation.holder == self.person.id


Rule: TypeAlias = Callable[[Request], Refused | None]


def permitted(request: Request) -> Refused | None:
    """The first reason for which this may not be done; None if it may."""
    return next((no for rule in RULES[request.verb] if (no := rule(request))), None)


def _may_answer(request: Request) -> Refused | None:
    return barred(request.situation, request.person, request.terms)


def _is_free(request: Request) -> Refused | None:
    holder = request.situation.holder
    if holder in (None, request.person.id) or (request.leads and request.take_over):
        return None
    hint = "; a lead may take it over" if request.leads else ""
    return Refused(Denial.HELD, f"{holder} has this gate{hint}")


def _has_it_or_leads(request: Request) -> Refused | None:
    if request.holds or request.leads:
        return None
    holder = request.situation.holder
    message = (
        f"{holder} has this gate" if holder else f"{request.person.id} does not have this gate"
    )
    return Refused(Denial.NOT_HOLDER, f"{message}; its holder or a lead may do this")


def _has_it(request: Request) -> Refused | None:
    if request.holds:
        return None
    return Refused(
        Denial.NOT_HOLDER, f"{request.person.id} does not have this gate; claim it first"
    )


def _somebody_has_it(request: Request) -> Refused | None:
    if request.situation.holder is None:
        return Refused(Denial.NOT_HOLDER, "nobody has this gate")
    return None


def _other_may_answer(request: Request) -> Refused | None:
    if request.to is None or not sees(request.person.bounded_by, request.to.vendor):
        return Refused(Denial.UNKNOWN_PERSON, "nobody is known by that id")
    return barred(request.situation, request.to, request.terms)


def _follow_up_is_to_come(request: Request) -> Refused | None:
    if request.follow_up_at is not None and request.follow_up_at > request.now:
        return None
    return Refused(Denial.FOLLOW_UP, "a hold needs a follow-up date that is still to come")


def _follow_up_is_near(request: Request) -> Refused | None:
    latest = request.now + LONGEST_HOLD
    if request.follow_up_at is None or request.follow_up_at <= latest:
        return None
    return Refused(
        Denial.FOLLOW_UP,
        f"a hold lasts {LONGEST_HOLD.days} days at the most: until {latest:%Y-%m-%d %H:%M} UTC",
    )


def _is_on_hold(request: Request) -> Refused | None:
    return None if request.on_hold else Refused(Denial.NOT_ON_HOLD, "this gate is not on hold")


def _goes_to_a_partner(request: Request) -> Refused | None:
    if request.queue in request.weaker:
        return Refused(
            Denial.ESCALATION,
            f"fewer people decide in {request.queue}; answer with the verdict escalate instead",
        )
    if request.queue in request.partners:
        return None
    targets = ", ".join(sorted(request.partners - request.weaker)) or "nowhere"
    return Refused(Denial.ESCALATION, f"from {request.situation.queue} it may go to: {targets}")


#: What must hold for each verb; the first rule that does not is the refusal.
RULES: Final[Mapping[Verb, tuple[Rule, ...]]] = {
    Verb.CLAIM: (_may_answer, _is_free),
    Verb.RELEASE: (_somebody_has_it, _has_it_or_leads),
    Verb.ASSIGN: (_has_it_or_leads, _other_may_answer),
    Verb.HOLD: (_may_answer, _has_it, _follow_up_is_to_come, _follow_up_is_near),
    Verb.RESUME: (_is_on_hold, _has_it_or_leads),
    Verb.HAND_OVER: (_may_answer, _has_it_or_leads, _goes_to_a_partner),
}
