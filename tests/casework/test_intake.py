"""What arrivals do to their cases."""

from hypothesis import given
from hypothesis import strategies as st

from casework.intake import Counts, Known, Outcome, settle

ARRIVALS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("123")))


def test_the_first_content_opens_the_next_revises_and_any_earlier_one_is_a_duplicate() -> None:
    known: dict[str, Known] = {}
    told = settle([("a", "1"), ("a", "1"), ("a", "2"), ("a", "1"), ("a", "3")], known)
    assert told == [
        (Outcome.OPENED, 1),
        (Outcome.DUPLICATE, 1),
        (Outcome.REVISED, 2),
        (Outcome.DUPLICATE, 2),
        (Outcome.REVISED, 3),
    ]


@given(ARRIVALS)
def test_arrivals_that_come_a_second_time_change_nothing(
    arrivals: list[tuple[str, str]],
) -> None:
    known: dict[str, Known] = {}
    settle(arrivals, known)
    before = {case: state.revision for case, state in known.items()}
    assert {outcome for outcome, _ in settle(arrivals, known)} <= {Outcome.DUPLICATE}
    assert {case: state.revision for case, state in known.items()} == before


@given(ARRIVALS, st.integers(0, 10))
def test_it_does_not_matter_where_batches_are_cut(
    arrivals: list[tuple[str, str]], cut: int
) -> None:
    whole: dict[str, Known] = {}
    parts: dict[str, Known] = {}
    told = settle(arrivals[:cut], parts) + settle(arrivals[cut:], parts)
    assert settle(arrivals, whole) == told
    assert whole == parts


def test_counts_are_added_by_name() -> None:
    counts = Counts(received=2, opened=1, quarantined=1) + Counts(received=1, revised=1)
    assert counts == Counts(received=3, opened=1, revised=1, quarantined=1)
