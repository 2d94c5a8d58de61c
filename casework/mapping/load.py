"""Reading a mapping file; every fault is reported at once, with its line, as a compiler does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import yaml
from pydantic import ValidationError

from casework.errors import MappingError, RowFault
from casework.mapping.apply import ITEM_FIELDS, fetcher, source_names
from casework.mapping.model import CsvOptions, Mapping, Target

_HINT: Final = "docs/intake.md lists what a mapping may say"
_TARGETS: Final = ("fields", "signals", "attributes")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a place in a mapping."""

    at: tuple[str | int, ...]
    message: str


def load_mapping(path: str | Path) -> Mapping:
    """Read a mapping file.

    Raises:
        MappingError: it cannot be read or says something a mapping may not say; the message lists
            every fault with its line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: cannot be read: {error}", hint="check the path") from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, name: str = "mapping") -> Mapping:
    """Read the text of a mapping file; ``name`` is what messages call it.

    Raises:
        MappingError: as ``load_mapping``.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise MappingError(_syntax(error, name), hint=_HINT) from error
    if not isinstance(root, yaml.MappingNode):
        raise MappingError(f"{name}:1: a mapping is a list of names and values", hint=_HINT)
    mapping, faults = _validated(document)
    faults += _repeated(root)
    if faults or mapping is None:
        raise MappingError(_report(faults, root, text, name), hint=_HINT)
    return mapping


def identity() -> Mapping:
    """The mapping where none is given: fields are called as in an item, the rest is kept."""
    return Mapping(fields={name: Target.model_validate(name) for name in ITEM_FIELDS}, rest="keep")


def _validated(document: Any) -> tuple[Mapping | None, list[Fault]]:
    try:
        mapping = Mapping.model_validate(document)
    except ValidationError as error:
        return None, [_fault(detail) for detail in error.errors(include_url=False)]
    return mapping, list(_semantic(mapping))


def _fault(detail: Any) -> Fault:
    at = tuple(detail["loc"])
    if detail["type"] == "extra_forbidden":
        return Fault(at, f"there is no {at[-1]} here{_nearest(str(at[-1]), _known(at))}")
    message = detail["msg"].removeprefix("Value error, ")
    return Fault(at, message[0].lower() + message[1:])


def _known(at: Sequence[str | int]) -> list[str]:
    """What could have been meant by the last name of a place."""
    model: Any = Mapping
    if len(at) == 3 and at[0] in _TARGETS:
        model = Target
    elif len(at) == 2 and at[0] == "csv":
        model = CsvOptions
    return [field.alias or name for name, field in model.model_fields.items()]


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(known)}"


def _semantic(mapping: Mapping) -> Iterator[Fault]:
    """What is wrong though each part is well formed."""
    for name in mapping.fields:
        if name not in ITEM_FIELDS:
            yield Fault(("fields", name), f"a case has no {name}{_nearest(name, ITEM_FIELDS)}")
    if "external_id" not in mapping.fields:
        yield Fault(("fields",), "external_id is missing: nothing says which row is which case")
    for group in _TARGETS:
        for name, target in getattr(mapping, group).items():
            for key, message in _target_faults(group, name, target):
                yield Fault((group, name, key), message)
    if mapping.csv.columns and not (read := source_names(mapping)) & set(mapping.csv.columns):
        yield Fault(("csv", "columns"), f"no target reads any of them, but {', '.join(read)}")


def _target_faults(group: str, name: str, target: Target) -> Iterator[tuple[str, str]]:
    if target.timezone is not None and not _is_zone(target.timezone):
        yield "timezone", f"there is no time zone {target.timezone}"
    if target.type == "time" and group == "signals":
        yield "type", "a signal is a text, a number or a truth value; make an attribute of a time"
    is_time = target.type == "time" or (target.type is None and name == "received_at")
    for key in ("format", "timezone"):
        if getattr(target, key) is not None and not is_time:
            yield key, f"{key} belongs to a time; say type: time"
    if target.required and target.default is not None:
        yield "required", "a target with a default never lacks a value; keep one of the two"
    yield from _default_faults(name, target)


def _default_faults(name: str, target: Target) -> Iterator[tuple[str, str]]:
    """A default of the wrong type would refuse each row that needs it."""
    if target.default is None or (target.timezone and not _is_zone(target.timezone)):
        return
    like = Target.model_validate({"constant": target.default, "type": target.type})
    try:
        fetcher(name, like)({})
    except RowFault as fault:
        yield "default", f"the default does not fit: {fault.message}"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _repeated(root: yaml.MappingNode, at: tuple[str | int, ...] = ()) -> list[Fault]:
    """Keys given twice; YAML would let the last one win in silence."""
    seen: set[str] = set()
    faults = []
    for key, value in root.value:
        place = (*at, key.value)
        if key.value in seen:
            faults.append(Fault(place, f"{key.value} is given twice"))
        seen.add(key.value)
        if isinstance(value, yaml.MappingNode):
            faults += _repeated(value, place)
    return faults


def _report(faults: Sequence[Fault], root: yaml.Node, text: str, name: str) -> str:
    """All faults in the order of the file, each with its line and a caret."""
    lines = text.splitlines()
    found = sorted(((_mark(root, fault.at), fault) for fault in faults), key=lambda pair: pair[0])
    shown = []
    for (line, column), fault in found:
        where = ".".join(map(str, fault.at)) or "mapping"
        source = lines[line] if line < len(lines) else ""
        shown.append(
            f"{name}:{line + 1}:{column + 1}: {where}: {fault.message}\n"
            f"{line + 1:>5} | {source}\n      | {' ' * column}^"
        )
    return "\n".join(shown)


def _mark(node: yaml.Node, at: Sequence[str | int]) -> tuple[int, int]:
    """Line and column, from 0, of the deepest part of a place that the file has."""
    mark = node.start_mark
    for step in at:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            mark = node.start_mark
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        # The last one of a key given twice is the fault.
        pair = next((pair for pair in reversed(pairs) if pair[0].value == str(step)), None)
        if pair is None:
            break
        mark, node = pair[0].start_mark, pair[1]
    return mark.line, mark.column


def _syntax(error: yaml.YAMLError, name: str) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "not YAML"
    return f"{name}:{mark.line + 1 if mark else 1}: {problem}"
