"""What the API's documents have in common: their base, lists, and the forms of ids."""

from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")

#: Ids and names as paths and queries carry them: nothing that a database would choke on.
ID: Final = r"^[A-Za-z0-9_.:@+/|=-]{1,200}$"

Id: TypeAlias = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@+|=-]{1,200}$")]
Cursor: TypeAlias = Annotated[
    str | None,
    Query(pattern=ID, description="`next_cursor` of the page before; left out: the beginning."),
]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=200, description="Rows of a page.")]

#: Rows of a page unless somebody says otherwise.
ROWS: Final = 50

#: Text that people write; a NUL no database keeps.
Text: TypeAlias = Annotated[str, Field(pattern=r"^[^\x00]*$")]

#: A reason: text in which something is said.
Rationale: TypeAlias = Annotated[
    str, Field(pattern=r"^[^\x00]*[^\s\x00][^\x00]+[^\s\x00][^\x00]*$", max_length=10_000)
]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[\w.:@+-]{1,200}$")]


class Document(BaseModel):
    """What the API tells, read off the attributes of the thing it tells of."""

    model_config = ConfigDict(from_attributes=True)


class Body(BaseModel):
    """What the API is told; a field that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Listing(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    next_cursor: str | None = Field(description="Null where this is the last page.")


def example(**fields: Any) -> ConfigDict:
    """The example of a document, as OpenAPI shows it."""
    return ConfigDict(json_schema_extra={"examples": [fields]})
