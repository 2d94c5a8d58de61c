"""What a button in Slack carries: which gate is answered how, and on what evidence.

The message that is sent and the receiver of the press both read the format here. A press is no
decision yet: whoever pressed is looked up by their Slack identity, and the guard rules.
"""

from typing import Annotated, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from casework.errors import InputError
from casework.gates import Verdict

#: Characters that Slack allows in a button's value.
VALUE_LIMIT: Final = 2_000

#: The ``action_id`` of a button that answers is this, a dot and the verdict.
ANSWER: Final = "casework.answer"

#: The ``action_id`` of the field for the reason.
RATIONALE: Final = "casework.rationale"

Identifier = Annotated[str, Field(min_length=1, max_length=200)]


class Press(BaseModel):
    """What pressing a button asks for. ``action`` is None where nothing is approved."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    gate: Identifier
    verdict: Annotated[Verdict, Field(strict=False)]
    action: Identifier | None
    evidence: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def encode(press: Press) -> str:
    """Write a press as the value of a button.

    Raises:
        InputError: it is longer than Slack allows.
    """
    value = orjson.dumps(press.model_dump(mode="json")).decode()
    if len(value) > VALUE_LIMIT:
        raise InputError(
            f"a button's value has {len(value):,} characters; Slack takes {VALUE_LIMIT:,}"
        )
    return value


def decode(value: str) -> Press:
    """Read the value of a button that was pressed.

    Raises:
        InputError: it is none of ours.
    """
    if len(value) > VALUE_LIMIT:
        raise InputError("this is no button of ours: it says too much")
    try:
        return Press.model_validate(orjson.loads(value))
    except (orjson.JSONDecodeError, ValidationError) as error:
        raise InputError(f"this is no button of ours ({type(error).__name__})") from None
