"""An intake under way, as the modules that record it share it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from casework.mapping import Mapping
from casework.rows import Layout


@dataclass(frozen=True)
class Incoming:
    """An intake as it is under way: where its rows come from and how they are read."""

    intake_id: str
    source: str
    mapping: Mapping
    layout: Layout = field(default_factory=lambda: Layout("jsonl"))

    @cached_property
    def reading(self) -> dict[str, Any]:
        """All that a retry of one of its rows needs, as plain JSON."""
        return {
            "mapping": self.mapping.document,
            "format": self.layout.format,
            "columns": list(self.layout.columns),
            "delimiter": self.layout.delimiter,
        }
