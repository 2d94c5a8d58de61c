"""What the domain asks of the outside world, as protocols."""

from collections.abc import Sequence
from typing import Protocol

from casework.cases import Evidence, Reading


class Provider(Protocol):
    """A source of signals.

    ``read`` answers one reading for each piece of evidence, in the same order. It never raises
    for a failure of the outside system: the reading's signals become unknown, with the reason.
    """

    @property
    def name(self) -> str:
        """Stable name, such as ``patterns``; stored with every signal."""

    @property
    def version(self) -> str:
        """Changes whenever the same evidence could give another answer."""

    @property
    def signals(self) -> Sequence[str]:
        """Names of the signals it gives."""

    async def read(self, evidence: Sequence[Evidence]) -> Sequence[Reading]:
        """Read the signals of a batch of cases."""
