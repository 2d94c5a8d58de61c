"""Candidates: bundles that are not in force, and what they would change about every case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from casework.policy.faults import Fault
from casework.policy.model import Bundle


@dataclass(frozen=True, slots=True)
class Trial:
    """How the trial of a candidate on every case stands, and what came of it."""

    state: Literal["none", "running", "done", "failed"] = "none"
    note: str = ""  # why it failed
    cases: int = 0
    changed: int = 0
    changes: Sequence[Mapping[str, Any]] = ()  # as ``Change.as_dict`` has them, with few ids
    finished_at: str = ""


class Trials(Protocol):
    """Where candidates are, and where they are tried; nothing here waits for a trial."""

    def names(self) -> Sequence[str]:
        """The candidates there are."""

    def faults(self, name: str) -> Sequence[Fault]:
        """Every fault of a candidate; one with faults is not tried.

        Raises:
            NotFound: there is no such candidate.
        """

    def candidate(self, name: str) -> Bundle:
        """A candidate without faults.

        Raises:
            NotFound: there is no such candidate.
            PolicyError: it has faults.
        """

    def start(self, name: str) -> None:
        """Begin to try a candidate on every case, unless that is under way.

        Raises:
            NotFound: there is no such candidate.
            PolicyError: it has faults.
        """

    def trial(self, name: str) -> Trial:
        """How a candidate's trial against the bundle in force stands."""
