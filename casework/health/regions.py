"""Where a case's region is read from: one of its fields, or a signal of the bundle."""

from dataclasses import dataclass
from typing import Final

from casework.cases import CASE_FIELDS
from casework.errors import ConfigurationError
from casework.policy.faults import nearest
from casework.policy.model import Bundle

#: Fields of a case that can name a region.
_FIELDS: Final = sorted(name for name, kind in CASE_FIELDS.items() if kind == "text")


@dataclass(frozen=True, slots=True)
class Region:
    """A field of a case, or a signal and the provider that gives it."""

    name: str
    provider: str | None = None


def region_of(bundle: Bundle, name: str) -> Region:
    """Find what names a region.

    Raises:
        ConfigurationError: neither a case nor the bundle has it, or it is no text.
    """
    if name in _FIELDS:
        return Region(name)
    texts = {s.id: s.provider for s in bundle.signals.values() if s.type == "text"}
    if name in texts:
        return Region(name, texts[name])
    raise ConfigurationError(
        f"CASEWORK_HEALTH_REGION: neither a case nor the policy has a text {name}",
        hint=nearest(name, [*_FIELDS, *texts]),
    )
