"""What re-reviews say about a first decision: agreed, disputed, and what was wrong. Pure."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple

from casework.gates import Answer, Verdict


class ItemStatus(StrEnum):
    """Where a decision that is looked at again stands."""

    OPEN = "open"  # a reviewer has still to answer
    DISPUTED = "disputed"  # an adjudicator has
    SETTLED = "settled"


class GateKind(StrEnum):
    """What is asked at a gate of quality assurance."""

    REVIEW = "review"  # decide as if for the first time
    ADJUDICATION = "adjudication"  # say which decision stands, and what was wrong


class RoundKind(StrEnum):
    """What a round is for."""

    SAMPLE = "sample"  # estimates about a population
    CALIBRATION = "calibration"  # whether a team decides alike
    TRAINING = "training"  # known answers, told after each one


class Outcome(NamedTuple):
    """What a decision comes to: an action, a queue it is handed to, or neither."""

    action: str | None
    escalate_to: str | None

    @property
    def escalated(self) -> bool:
        """Whether the case was handed over."""
        return self.escalate_to is not None

    @property
    def label(self) -> str:
        """One word for it, for tables of agreement."""
        return f"to {self.escalate_to}" if self.escalate_to else self.action or "nothing"


def outcome_of(
    verdict: str, action: str | None, escalate_to: str | None, nothing: Collection[str]
) -> Outcome:
    """What an answer comes to; a machine's verdict is its route.

    ``nothing`` are the actions that do nothing: approving one and refusing come to the same.
    """
    if verdict == Verdict.ESCALATE:
        return Outcome(None, escalate_to)
    if verdict == Verdict.REFUSE or action in nothing:
        return Outcome(None, None)
    return Outcome(action, None)


class Adjudication(Answer):
    """An adjudicator's answer: the decision that stands, and the class of the first one's error.

    ``error`` is None where the first decision was right; it has no default, so that nobody
    acquits by leaving it out.
    """

    error: str | None


def standing_after(first: Outcome, reviews: Sequence[Outcome]) -> ItemStatus:
    """Where an item stands once all its reviewers have answered."""
    return ItemStatus.SETTLED if set(reviews) <= {first} else ItemStatus.DISPUTED


def misfit(first: Outcome, final: Outcome, error: str | None, classes: Collection[str]) -> str:
    """Why an adjudication contradicts itself; empty if it does not."""
    if error is not None and error not in classes:
        return f"there is no class of error {error}; there are {', '.join(sorted(classes))}"
    if error is None and final != first:
        return "another outcome than the first one needs the class of its error"
    return ""


def likely_error(first: Outcome, final: Outcome) -> str | None:
    """The class of error that a changed outcome speaks for, as a suggestion to adjudicators."""
    if first == final:
        return None
    if first.escalated or final.escalated:
        return "wrong_escalation"
    if final.action is None:
        return "false_positive"
    return "false_negative" if first.action is None else "wrong_severity"
