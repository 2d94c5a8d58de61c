"""Buttons under a message: what they carry, and what comes back when somebody presses one.

Whoever writes the message and whoever reads the answer agree here and nowhere else. A button
carries the digest of the evidence its message was about: an answer to older evidence is refused.
A press is no decision yet: whoever pressed is looked up by their account, and the guard rules.
"""

from typing import Annotated, Final

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from casework.errors import InputError
from casework.gates import Verdict

#: Characters that Slack allows in a button's value.
VALUE_LIMIT: Final = 2_000

#: ``action_id`` of a button that answers is this, a dot and the verdict.
ANSWER: Final = "casework.answer"

#: ``action_id`` of the text field whose content is the reason, where a message has one.
RATIONALE: Final = "casework.rationale"

Identifier = Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid", strict=True))
class Button:
    """One answer that may be given at a gate by pressing a button."""

    gate: Identifier
    verdict: Verdict
    action: Identifier | None  # what is approved; a refusal carries out nothing
    evidence: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  # the whole digest

    @property
    def action_id(self) -> str:
        """What Slack calls the button, unique among those of one gate."""
        return f"{ANSWER}.{self.verdict}"

    def value(self) -> str:
        """What the button carries.

        Raises:
            InputError: it is longer than Slack allows.
        """
        carried = _BUTTON.dump_json(self).decode()
        if len(carried) > VALUE_LIMIT:
            raise InputError(
                f"a button's value has {len(carried):,} characters; Slack takes {VALUE_LIMIT:,}"
            )
        return carried


_BUTTON: Final = TypeAdapter(Button)


def read_button(value: str) -> Button:
    """The button whose ``value`` this is.

    Raises:
        InputError: it is none of ours.
    """
    if len(value) > VALUE_LIMIT:
        raise InputError("this is no button of ours: it says too much")
    try:
        return _BUTTON.validate_json(value)
    except ValidationError:
        # What it says is not quoted: anybody may have written it.
        raise InputError("the button carries something that is not ours") from None
