"""What the entries of every file of a bundle have in common."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, StringConstraints

Id: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Prose: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Entry(BaseModel):
    """The common strictness: no key that is not declared, no value of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True)
