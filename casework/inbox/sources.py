"""Who may post: the sources an operator has declared."""

from collections.abc import Mapping as Mapped
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from casework.inbox.posts import REPORTING, Vendor
from casework.mapping import Mapping
from casework.rows import ROW_LIMIT

#: As ids of sources stand in addresses and in the ids of cases.
NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,63}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretPlace(_Strict):
    """Where a secret is kept; the secret itself never stands in the file."""

    env: Annotated[str, Field(min_length=1)] | None = Field(None, description="A variable.")
    file: Path | None = Field(None, description="A file that holds nothing else.")

    @model_validator(mode="after")
    def _check_one(self) -> "SecretPlace":
        if (self.env is None) == (self.file is None):
            raise ValueError("say where it is kept: env or file, one of the two")
        return self

    def __str__(self) -> str:
        return f"env {self.env}" if self.env else f"file {self.file}"


class SourceEntry(_Strict):
    """A source as the file declares it."""

    vendor: Vendor
    secrets: Annotated[tuple[SecretPlace, ...], Field(min_length=1, max_length=4)]
    mapping: Path | None = Field(None, description="How its posts become cases.")
    only: dict[str, tuple[str | int | bool, ...]] = Field(
        default_factory=dict, description="Field of the body to the values that matter."
    )
    team: str | None = Field(None, description="The Slack workspace whose people may answer.")
    rate: Annotated[float, Field(gt=0)] = Field(500.0, description="Posts a second.")
    burst: Annotated[int, Field(ge=1)] = Field(1000, description="Posts at once.")
    max_bytes: Annotated[int, Field(ge=1, le=ROW_LIMIT)] = Field(
        256 * 1024, description="Bytes a body may have."
    )

    @model_validator(mode="after")
    def _check_parts(self) -> "SourceEntry":
        if self.mapping is not None and self.vendor not in REPORTING:
            raise ValueError(f"posts of {self.vendor} do not become cases: they take no mapping")
        if self.mapping is None and self.vendor in REPORTING - {Vendor.STANDARD}:
            raise ValueError(f"posts of {self.vendor} become cases: name a mapping")
        if self.team is not None and self.vendor is not Vendor.SLACK:
            raise ValueError("team belongs to Slack alone")
        return self


class InboxFile(_Strict):
    """Everything the file may say."""

    sources: dict[Annotated[str, StringConstraints(pattern=NAME)], SourceEntry]


@dataclass(frozen=True, slots=True)
class Source:
    """A source, with the mapping its posts are read by where they become cases."""

    id: str
    entry: SourceEntry
    mapping: Mapping | None

    @property
    def vendor(self) -> Vendor:
        """Whose rules it follows."""
        return self.entry.vendor

    @property
    def reports(self) -> bool:
        """Whether its posts become cases."""
        return self.entry.vendor in REPORTING


def matters(source: Source, record: Mapped[str, Any]) -> bool:
    """Whether a post is one of those that the source's ``only`` names."""
    return all(_at(record, path) in wanted for path, wanted in source.entry.only.items())


def _at(record: Any, path: str) -> Any:
    for step in path.split("."):
        record = record.get(step) if isinstance(record, dict) else None
    return record
