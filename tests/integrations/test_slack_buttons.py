"""A button's value: what is written is read again, and nothing else is."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import InputError
from casework.gates import Verdict
from integrations.slack_buttons import VALUE_LIMIT, Press, decode, encode

PRESS = Press(gate="g1", verdict=Verdict.APPROVE, action="warn", evidence="a" * 64)
NAMES = st.text(min_size=1, max_size=200)


@given(
    NAMES,
    st.sampled_from(Verdict),
    st.none() | NAMES,
    st.text("0123456789abcdef", min_size=64, max_size=64),
)
def test_what_is_written_is_read_again(
    gate: str, verdict: Verdict, action: str | None, evidence: str
) -> None:
    press = Press(gate=gate, verdict=verdict, action=action, evidence=evidence)
    value = encode(press)
    assert decode(value) == press
    assert len(value) <= VALUE_LIMIT


def test_the_format_is_this_one() -> None:
    assert orjson.loads(encode(PRESS)) == {
        "gate": "g1",
        "verdict": "approve",
        "action": "warn",
        "evidence": "a" * 64,
    }


@pytest.mark.parametrize(
    "value",
    [
        "",
        "click_me_123",
        "[]",
        "{}",
        encode(PRESS).replace("approve", "allow"),
        encode(PRESS).replace("a" * 64, "a" * 12),
        encode(PRESS).replace('"warn"', "7"),
        encode(PRESS).replace("}", ',"person":"ana"}'),
        encode(PRESS) + " " * VALUE_LIMIT + "x",
    ],
)
def test_another_value_is_refused_without_a_quote(value: str) -> None:
    with pytest.raises(InputError) as caught:
        decode(value)
    assert "click_me" not in str(caught.value)
