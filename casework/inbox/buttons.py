"""Buttons under a message: what they carry, and what comes back when somebody presses one.

Whoever writes the message and whoever reads the answer agree here and nowhere else. A button
carries the digest of the evidence its message was about: an answer to older evidence is refused.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from casework.errors import InputError
from casework.gates import Verdict

#: ``action_id`` of a button that answers is this, a dot and the verdict.
ANSWER: Final = "casework.answer"

#: ``action_id`` of the text field whose content is the reason, where a message has one.
RATIONALE: Final = "casework.rationale"


@dataclass(frozen=True, slots=True)
class Button:
    """One answer that may be given at a gate by pressing a button."""

    gate_id: str
    verdict: Verdict
    action: str | None  # what is approved; a refusal carries out nothing
    evidence_digest: str

    @property
    def action_id(self) -> str:
        """What Slack calls the button, unique among those of one gate."""
        return f"{ANSWER}.{self.verdict}"

    def value(self) -> str:
        """What the button carries: at most 2,000 characters, which is what Slack takes."""
        carried = {
            "gate": self.gate_id,
            "verdict": str(self.verdict),
            "action": self.action,
            "evidence": self.evidence_digest,
        }
        return orjson.dumps(carried).decode()


def read_button(value: str) -> Button:
    """The button whose ``value`` this is.

    Raises:
        InputError: it is none of ours.
    """
    try:
        carried: dict[str, Any] = orjson.loads(value)
        return Button(
            gate_id=_text(carried["gate"]),
            verdict=Verdict(carried["verdict"]),
            action=None if carried["action"] is None else _text(carried["action"]),
            evidence_digest=_text(carried["evidence"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("the button carries something that is not ours") from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text is wanted")
    return value
