"""What a mapping file may say."""

from functools import cached_property
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from casework.canonical import digest

Value: TypeAlias = StrictBool | StrictInt | StrictFloat | StrictStr
Kind: TypeAlias = Literal["text", "integer", "number", "boolean", "time"]

_ORIGINS: Final = ("from", "constant", "template", "concat")


class Strict(BaseModel):
    """A part of a mapping: nothing in it may be misspelt."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=False, allow_inf_nan=False
    )


class Target(Strict):
    """Where one field of a case, attribute or signal comes from, and how it is read."""

    from_: Annotated[str, Field(min_length=1)] | None = Field(
        None, alias="from", description="Field of the row; dots lead into objects and lists."
    )
    constant: Value | None = Field(None, description="The same value for every row.")
    template: str | None = Field(None, description="Text with {field} in it.")
    concat: tuple[str, ...] | None = Field(None, description="Fields to join, empty ones left out.")
    separator: str = Field("\n", description="What stands between joined fields.")
    type: Kind | None = Field(None, description="What the value is; by default what its target is.")
    format: str | None = Field(
        None, description="Of a time: iso (default), epoch, epoch_ms, or a strptime pattern."
    )
    timezone: str | None = Field(None, description="Zone of times that name none.")
    values: dict[str, Value | None] | None = Field(
        None, description="Value in the row to value in the case; null is unknown."
    )
    unmapped: Literal["error", "keep", "unknown"] = Field(
        "error", description="What becomes of a value that `values` does not list."
    )
    empty: tuple[str, ...] = Field((), description="Texts that mean nothing was given.")
    required: bool = Field(False, description="Whether a row without it is refused.")
    default: Value | None = Field(None, description="Its value where the row has none.")
    max_length: Annotated[int, Field(ge=1)] | None = Field(None, description="Characters allowed.")
    too_long: Literal["error", "cut"] = Field("error", description="What becomes of a longer text.")

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, data: Any) -> Any:
        """A plain text is the name of the source field; keys of a value map are read as texts."""
        if isinstance(data, str):
            return {"from": data}
        if isinstance(data, dict) and isinstance(data.get("values"), dict):
            return {**data, "values": {as_text(k): v for k, v in data["values"].items()}}
        return data

    @model_validator(mode="after")
    def _check_origin(self) -> "Target":
        given = [name for name, value in self._origins().items() if value is not None]
        if not given:
            raise ValueError(f"say where it comes from: {', '.join(_ORIGINS)}")
        if len(given) > 1:
            raise ValueError(f"it comes from one place, not from {' and '.join(given)}")
        return self

    def _origins(self) -> dict[str, Any]:
        values = (self.from_, self.constant, self.template, self.concat)
        return dict(zip(_ORIGINS, values, strict=True))


class CsvOptions(Strict):
    """How a CSV file is written."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    columns: tuple[str, ...] = Field((), description="Names, where the file has no header.")


def _listed(value: Any) -> Any:
    return {} if value is None else value


Targets: TypeAlias = Annotated[dict[str, Target], BeforeValidator(_listed)]


class Mapping(Strict):
    """How the rows of a source become items."""

    source: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="Name of the source where the command names none."
    )
    format: Literal["jsonl", "csv", "mail"] | None = Field(
        None, description="By default it is seen."
    )
    csv: CsvOptions = Field(default_factory=lambda: CsvOptions(delimiter=None))
    fields: Targets = Field(default_factory=dict, description="Fields of the case.")
    signals: Targets = Field(default_factory=dict, description="Signals the source itself gives.")
    attributes: Targets = Field(default_factory=dict, description="Anything else worth keeping.")
    rest: Literal["drop", "keep"] = Field(
        "drop", description="Whether fields that no target reads are kept as attributes."
    )

    @cached_property
    def document(self) -> dict[str, Any]:
        """The mapping as plain JSON, from which it can be built again."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical document: the version of the signals it reads."""
        return digest(self.document)


def as_text(value: Any) -> str:
    """A value as the keys of a value map write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
