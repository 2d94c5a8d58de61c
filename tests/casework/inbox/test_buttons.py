"""What a button carries comes back as it was, or is refused."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import InputError
from casework.gates import Verdict
from casework.inbox.buttons import VALUE_LIMIT, Button, read_button

DIGEST = "a" * 64
BUTTON = Button("g1", Verdict.APPROVE, "warn", DIGEST)
NAME = st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable())


@given(
    gate=NAME,
    verdict=st.sampled_from(Verdict),
    action=st.none() | NAME,
    evidence=st.text("0123456789abcdef", min_size=64, max_size=64),
)
def test_what_a_button_carries_comes_back(
    gate: str, verdict: Verdict, action: str | None, evidence: str
) -> None:
    button = Button(gate, verdict, action, evidence)
    value = button.value()
    assert read_button(value) == button
    assert button.action_id == f"casework.answer.{verdict}"
    assert len(value) <= VALUE_LIMIT


def test_the_format_is_this_one() -> None:
    assert orjson.loads(BUTTON.value()) == {
        "gate": "g1",
        "verdict": "approve",
        "action": "warn",
        "evidence": DIGEST,
    }


def test_a_button_that_slack_would_not_take_is_not_made() -> None:
    control = "\x01" * 200  # six characters each, once it is written as JSON
    with pytest.raises(InputError, match="Slack takes 2,000"):
        Button(control, Verdict.APPROVE, control, DIGEST).value()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "click_me_123",
        "[]",
        "{}",
        BUTTON.value().replace("g1", ""),
        BUTTON.value().replace("g1", "g" * 201),
        BUTTON.value().replace("approve", "perhaps"),
        BUTTON.value().replace(DIGEST, "a" * 12),
        BUTTON.value().replace('"warn"', "7"),
        BUTTON.value().replace("}", ',"person":"ana"}'),
        BUTTON.value() + " " * VALUE_LIMIT,
    ],
)
def test_a_value_that_is_not_ours_is_refused_without_a_quote(value: str) -> None:
    with pytest.raises(InputError) as caught:
        read_button(value)
    assert "click_me" not in str(caught.value)
