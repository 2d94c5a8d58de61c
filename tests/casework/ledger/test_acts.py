"""Acts: one entry that tells of several tells what they would have told one by one."""

from typing import Any

import orjson
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from casework.canonical import canonical
from casework.ledger.acts import TOGETHER, acts, telling, told_together
from casework.ledger.entries import Action, Draft, Written, chain_all
from tests.casework.ledger.test_entries import BY, NOW, optional, values

data = st.dictionaries(st.text(st.characters(codec="ascii"), max_size=20), values, max_size=4)


def four(given_data: list[dict[str, Any]], evidence: str | None) -> list[Draft]:
    """What a case goes through that a machine closes, as drafts of their own."""
    written = [Written(canonical(each).decode()) for each in given_data]
    opened, enriched, decided, closed = TOGETHER[Action.CASE_COMPLETED]
    return [
        Draft("c1", opened, written[0], 1),
        Draft("c1", enriched, written[1], 1),
        Draft("c1", decided, written[2], 1, evidence, "p1"),
        Draft("c1", closed, written[3], 1, evidence, "p1"),
    ]


def without_place(act: dict[str, Any]) -> dict[str, Any]:
    return {name: act[name] for name in act if name not in ("position", "previous", "within")}


@given(st.lists(data, min_size=4, max_size=4), optional)
def test_acts_told_together_are_told_as_one_by_one(
    given_data: list[dict[str, Any]], evidence: str | None
) -> None:
    drafts = four(given_data, evidence)
    [together] = chain_all([told_together(*drafts)], {}, BY, NOW)
    apart = [act for entry in chain_all(drafts, {}, BY, NOW) for act in acts(entry.body)]
    told = acts(together.body)
    assert list(map(without_place, told)) == list(map(without_place, apart))
    assert {(act["within"], act["position"]) for act in told} == {("case.completed", 0)}


@given(st.lists(data, min_size=4, max_size=4))
def test_an_entry_that_tells_several_is_canonical(given_data: list[dict[str, Any]]) -> None:
    [entry] = chain_all([told_together(*four(given_data, "e1"))], {}, BY, NOW)
    assert entry.body.encode() == rfc8785.dumps(orjson.loads(entry.body))


def test_an_act_is_looked_for_in_every_entry_that_tells_of_it() -> None:
    assert telling("case.decided") == ["case.decided", "case.completed"]
    assert telling("gate.opened") == ["gate.opened"]
