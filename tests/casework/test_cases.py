"""What makes one revision of a case differ from another."""

from datetime import UTC, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from casework.cases import Item, case_id

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
NAMES = TEXT.filter(lambda text: text.strip() != "")
ZONES = st.sampled_from(
    [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(1 / 24))]
)
SCALARS = st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
FIELDS = {
    "received_at": st.none() | st.datetimes(timezones=ZONES),
    "title": TEXT,
    "body": TEXT,
    "kind": st.none() | NAMES,
    "subject_id": st.none() | NAMES,
    "attributes": st.dictionaries(TEXT, st.none() | SCALARS),
    "signals": st.dictionaries(TEXT, SCALARS),
}


@given(NAMES, st.fixed_dictionaries({}, optional=FIELDS))
def test_content_is_what_pydantic_writes_without_the_defaults(
    name: str, fields: dict[str, Any]
) -> None:
    item = Item(external_id=name, **fields)
    assert item.content() == item.model_dump(mode="json", exclude_defaults=True)
    assert Item.model_validate(item.content()).content() == item.content()


names = st.text(min_size=1, max_size=20)


@given(names, names, names)
def test_an_id_is_derived_from_source_and_external_id_alone(
    source: str, external_id: str, other: str
) -> None:
    made = case_id(source, external_id)
    assert made == case_id(source, external_id)
    assert len(made) == 21
    assert (case_id(source, other) == made) == (external_id == other)


def test_neighbours_of_one_source_begin_alike() -> None:
    begun = {case_id("desk", f"T-{number}")[:7] for number in range(1024, 2048)}
    assert len(begun) == 1
    assert case_id("desk", "T-2048")[:7] not in begun
    assert case_id("mail", "T-1024")[:7] not in begun
