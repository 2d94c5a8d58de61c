"""What a button carries comes back as it was, or is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import InputError
from casework.gates import Verdict
from casework.inbox.buttons import Button, read_button

DIGEST = "a" * 64
NAME = st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable())


@given(gate=NAME, verdict=st.sampled_from(Verdict), action=st.none() | NAME)
def test_what_a_button_carries_comes_back(gate: str, verdict: Verdict, action: str | None) -> None:
    button = Button(gate, verdict, action, DIGEST)
    assert read_button(button.value()) == button
    assert button.action_id == f"casework.answer.{verdict}"


def test_a_button_fits_into_what_slack_takes() -> None:
    button = Button("g" + "0" * 40 + "-99999-99", Verdict.APPROVE, "a" * 64, DIGEST)
    assert len(button.value()) <= 2000
    assert len(button.action_id) <= 255


@pytest.mark.parametrize(
    "value",
    [
        "",
        "click_me_123",
        "[]",
        "{}",
        '{"gate":"","verdict":"approve","action":null,"evidence":"e"}',
        '{"gate":"g","verdict":"perhaps","action":null,"evidence":"e"}',
        '{"gate":"g","verdict":"approve","action":1,"evidence":"e"}',
    ],
)
def test_a_value_that_is_not_ours_is_refused(value: str) -> None:
    with pytest.raises(InputError):
        read_button(value)
