"""What tells one bundle from another: rules that came, went, changed or moved, and files. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from difflib import SequenceMatcher

from casework.policy.model import Bundle, Rule


@dataclass(frozen=True, slots=True)
class Changed:
    """A rule that both bundles have and that says something else in the second."""

    rule_id: str
    fields: Sequence[tuple[str, str, str]]  # name, before, after


@dataclass(frozen=True, slots=True)
class Difference:
    """What a second bundle has that a first one has not, and the other way round."""

    added: Sequence[Rule]
    removed: Sequence[Rule]
    changed: Sequence[Changed]
    moved: Sequence[str]  # ids of rules that are tried before or after others than they were
    files: Sequence[str]  # paths of all files that differ


def difference(before: Bundle, after: Bundle) -> Difference:
    """Compare two bundles, rules by their ids and all else by file."""
    old, new = ({rule.id: rule for rule in bundle.rules} for bundle in (before, after))
    paths = sorted(before.files.keys() | after.files.keys())
    return Difference(
        added=[rule for name, rule in new.items() if name not in old],
        removed=[rule for name, rule in old.items() if name not in new],
        changed=[
            Changed(name, _fields(old[name], rule))
            for name, rule in new.items()
            if name in old and old[name] != rule
        ],
        moved=_moved([name for name in old if name in new], [name for name in new if name in old]),
        files=[path for path in paths if before.files.get(path) != after.files.get(path)],
    )


def _fields(before: Rule, after: Rule) -> list[tuple[str, str, str]]:
    pairs = (
        (each.name, getattr(before, each.name), getattr(after, each.name)) for each in fields(Rule)
    )
    return [(name, str(old or ""), str(new or "")) for name, old, new in pairs if old != new]


def _moved(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The few rules whose moving explains the second order: all others stand as they stood."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    kept = {name for block in blocks for name in before[block.a : block.a + block.size]}
    return [name for name in after if name not in kept]
