"""What makes one revision of a case differ from another."""

from datetime import UTC, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from casework.cases import Item

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
