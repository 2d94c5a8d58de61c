"""Ratings written as a table."""

from collections.abc import Hashable, Sequence

from casework.qa.ratings import Ratings, Value


def of_matrix(rows: Sequence[Sequence[Value | None]], raters: Sequence[Hashable] = ()) -> Ratings:
    """Ratings from a table: a row for each item, a column for each rater, None where missing."""
    names = [str(name) for name in raters] or [str(n) for n in range(len(rows[0]))]
    return Ratings(
        {
            (str(number), name): value
            for number, row in enumerate(rows)
            for name, value in zip(names, row, strict=True)
            if value is not None
        }
    )
