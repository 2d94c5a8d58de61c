"""Who may do what about who has a gate: one table of rules, each refusal with its reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from casework.assignment import LONGEST_HOLD, RULES, STOPPING, HoldReason, Request, Verb, permitted
from casework.gates import GateStatus, Person, Situation
from tests.factories.policy import small_bundle

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = NOW + HOUR
ANA = Person("ana", frozenset({"analyst"}), frozenset({"*"}))
BEN = Person("ben", frozenset({"senior"}), frozenset({"*"}))
LOU = Person("lou", frozenset({"lead"}), frozenset({"*"}))
CLEO = Person("cleo", frozenset({"analyst"}), frozenset({"mixed"}))


def asked(
    verb: Verb,
    person: Person = ANA,
    *,
    holder: str | None = None,
    status: GateStatus = GateStatus.OPEN,
    locked: bool = False,
    **more: Any,
) -> str | None:
    """The reason for which something is refused; None if it is permitted."""
    situation = Situation(status, "general", "policy", "e" * 64, True, (), holder, locked)
    terms = small_bundle().terms("general", None)
    refused = permitted(Request(verb, person, situation, terms, NOW, **more))
    return None if refused is None else str(refused.reason)


def test_every_verb_has_its_rules() -> None:
    assert set(RULES) == set(Verb)
    assert all(RULES.values())


@pytest.mark.parametrize(
    ("verb", "given", "reason"),
    [
        (Verb.CLAIM, {}, None),
        (Verb.CLAIM, {"holder": "ana"}, None),
        (Verb.CLAIM, {"holder": "ben"}, "held"),
        (Verb.CLAIM, {"holder": "ben", "take_over": True}, "held"),
        (Verb.CLAIM, {"holder": "ben", "person": LOU}, "held"),
        (Verb.CLAIM, {"holder": "ben", "person": LOU, "take_over": True}, None),
        (Verb.CLAIM, {"person": CLEO}, "queue"),
        (Verb.CLAIM, {"status": GateStatus.DECIDED}, "decided"),
        (Verb.CLAIM, {"locked": True}, "locked"),
        (Verb.CLAIM, {"locked": True, "person": LOU}, None),
        (Verb.RELEASE, {"holder": "ana"}, None),
        (Verb.RELEASE, {"holder": "ben"}, "not_holder"),
        (Verb.RELEASE, {"holder": "ben", "person": LOU}, None),
        (Verb.RELEASE, {"person": LOU}, "not_holder"),
        (Verb.ASSIGN, {"to": BEN}, "not_holder"),
        (Verb.ASSIGN, {"to": BEN, "holder": "ana"}, None),
        (Verb.ASSIGN, {"to": BEN, "person": LOU}, None),
        (Verb.ASSIGN, {"to": CLEO, "person": LOU}, "queue"),
        (Verb.ASSIGN, {"to": None, "person": LOU}, "unknown_person"),
        (Verb.HOLD, {"holder": "ana", "follow_up_at": LATER}, None),
        (Verb.HOLD, {"holder": "ana", "follow_up_at": NOW}, "follow_up"),
        (Verb.HOLD, {"holder": "ana"}, "follow_up"),
        (Verb.HOLD, {"holder": "ana", "follow_up_at": NOW + LONGEST_HOLD}, None),
        (Verb.HOLD, {"holder": "ana", "follow_up_at": NOW + LONGEST_HOLD + HOUR}, "follow_up"),
        (Verb.HOLD, {"follow_up_at": LATER}, "not_holder"),
        (Verb.HOLD, {"person": LOU, "holder": "ana", "follow_up_at": LATER}, "not_holder"),
        (Verb.RESUME, {"holder": "ana", "on_hold": True}, None),
        (Verb.RESUME, {"holder": "ana"}, "not_on_hold"),
        (Verb.RESUME, {"holder": "ben", "on_hold": True}, "not_holder"),
        (Verb.HAND_OVER, {"holder": "ana", "queue": "legal"}, None),
        (Verb.HAND_OVER, {"holder": "ana", "queue": "mixed"}, "escalation"),
        (Verb.HAND_OVER, {"holder": "ana", "queue": "weak"}, "escalation"),
        (Verb.HAND_OVER, {"queue": "legal"}, "not_holder"),
    ],
)
def test_what_is_permitted_and_what_is_refused(
    verb: Verb, given: dict[str, Any], reason: str | None
) -> None:
    if verb is Verb.HAND_OVER:
        given = {**given, "partners": frozenset({"legal", "weak"}), "weaker": frozenset({"weak"})}
    assert asked(verb, **given) == reason


def test_a_refusal_says_who_has_the_gate() -> None:
    situation = Situation(GateStatus.OPEN, "general", "policy", "e" * 64, True, (), "ben")
    terms = small_bundle().terms("general", None)
    refused = permitted(Request(Verb.CLAIM, ANA, situation, terms, NOW))
    assert refused is not None
    assert refused.message == "ben has this gate"


def test_only_waiting_for_somebody_outside_stops_a_clock() -> None:
    assert set(STOPPING) == {HoldReason.REPORTER, HoldReason.PARTNER, HoldReason.VENDOR}
