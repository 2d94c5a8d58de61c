"""Field mappings: how the rows of a source become items."""

from casework.mapping.apply import apply, maker
from casework.mapping.load import identity, load_mapping, parse_mapping
from casework.mapping.model import Mapping, Target

__all__ = ["Mapping", "Target", "apply", "identity", "load_mapping", "maker", "parse_mapping"]
