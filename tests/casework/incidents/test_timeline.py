"""The timeline: every entry once, in order of time, and never out of its chain's order."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from casework.incidents.timeline import Moment, moments_of, timeline
from casework.ledger.acts import told_together
from casework.ledger.entries import Action, Draft, Head, Provenance, chain, chain_all
from tests.casework.ledger.test_acts import four
from tests.factories.gates import NOW

#: A chain, and by how much its machine's clock is off.
written = st.tuples(st.sampled_from(["inc1", "c1", "c2"]), st.integers(-30, 30))


def written_moments(entries: list[tuple[str, int]]) -> list[Moment]:
    """Entries as they are written one after another, a minute apart on an honest clock."""
    return [
        Moment(
            at=NOW + timedelta(minutes=number + skew),
            entry=number,
            chain=name,
            action="incident.noted",
            actor="ana",
            actor_kind="person",
            data={},
        )
        for number, (name, skew) in enumerate(entries)
    ]


@given(st.lists(written), st.randoms())
def test_nothing_is_lost_and_nothing_comes_twice(entries: list, random: object) -> None:
    moments = written_moments(entries)
    given_ = [*moments, *moments]
    random.shuffle(given_)  # type: ignore[attr-defined]
    assert sorted(each.entry for each in timeline(given_)) == list(range(len(moments)))


@given(st.lists(written))
def test_each_chain_keeps_its_order_whatever_its_clock_said(entries: list) -> None:
    told = timeline(written_moments(entries))
    for name in ("inc1", "c1", "c2"):
        numbers = [each.entry for each in told if each.chain == name]
        assert numbers == sorted(numbers)


@given(st.lists(written))
def test_honest_clocks_give_the_order_of_time(entries: list) -> None:
    told = timeline(written_moments([(name, 0) for name, _ in entries]))
    assert [each.at for each in told] == sorted(each.at for each in told)


@given(st.lists(written), st.lists(written))
def test_what_comes_later_changes_nothing_that_was_told(before: list, after: list) -> None:
    """On honest clocks: what is told of the first entries is how the whole story begins."""
    honest = [(name, 0) for name, _ in [*before, *after]]
    moments = written_moments(honest)
    assert timeline(moments)[: len(before)] == timeline(moments[: len(before)])


def test_a_moment_says_what_its_entry_says() -> None:
    draft = Draft("inc1", Action.INCIDENT_NOTED, {"note": 3})
    by = Provenance(actor="ana", actor_kind="person", code_version="test")
    entry, _ = chain(draft, Head(), by, NOW)
    told = moments_of(7, entry.body)
    assert told == [Moment(NOW, 7, "inc1", "incident.noted", "ana", "person", {"note": 3})]


def test_an_entry_of_several_acts_gives_a_moment_for_each_in_their_order() -> None:
    drafts = four([{"number": number} for number in range(4)], "e1")
    by = Provenance(actor="casework:test")
    [entry] = chain_all([told_together(*drafts)], {}, by, NOW)
    moments = moments_of(7, entry.body)
    told = timeline([*moments, *moments])
    assert [each.data["number"] for each in told] == [0, 1, 2, 3]
