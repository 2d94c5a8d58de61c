"""Making an item of a row: a mapping is turned into closures once and then runs for every row."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast

from pydantic import ValidationError

from casework.cases import Item
from casework.errors import RowFault
from casework.mapping.model import Mapping, Target, as_text
from casework.mapping.values import Convert, converter, to_scalar, to_text
from casework.rows.reasons import Reason

Fetch: TypeAlias = Callable[[dict[str, Any]], Any]
Make: TypeAlias = Callable[[dict[str, Any]], Item]

#: Fields of an item that hold one value; signals and attributes hold many.
ITEM_FIELDS: Final = tuple(
    name for name in Item.model_fields if name not in ("attributes", "signals")
)

_GROUPS: Final = ("signals", "attributes")
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")


def apply(mapping: Mapping, row: dict[str, Any]) -> Item:
    """Make the item that a row stands for.

    Raises:
        RowFault: it lacks something, or something in it is not what the mapping says.
    """
    return maker(mapping)(row)


def maker(mapping: Mapping) -> Make:
    """Turn a mapping into the function that makes items of rows; it raises ``RowFault``."""
    plain = [(n, t.from_) for n, t in mapping.fields.items() if t.from_ and is_plain(n, t)]
    known = {name for name, _ in plain}
    fields = [(n, fetcher(n, t)) for n, t in mapping.fields.items() if n not in known]
    signals = [(name, fetcher(name, target)) for name, target in mapping.signals.items()]
    attributes = [(name, fetcher(name, target)) for name, target in mapping.attributes.items()]
    keep_rest = mapping.rest == "keep"
    read = source_names(mapping)
    done_with = read.difference(_GROUPS)
    validate = Item.__pydantic_validator__.validate_python

    def make(row: dict[str, Any]) -> Item:
        item: dict[str, Any] = {}
        for name, path in plain:
            value = row.get(path)
            if type(value) is str:
                if value and not value.isspace():
                    item[name] = value
            elif value is not None:
                item[name] = _plain_text(name, value)
        for name, fetch in fields:
            if (value := fetch(row)) is not None:
                item[name] = value
        more = keep_rest and not done_with.issuperset(row)
        if signals or more:
            item["signals"] = _group(row, "signals", signals, keep_rest)
        if attributes or more:
            kept = _rest(row, read) if more else {}
            item["attributes"] = kept | _group(row, "attributes", attributes, keep_rest)
        try:
            return cast(Item, validate(item))
        except ValidationError as error:
            raise fault_of(error) from error

    return make


def is_plain(name: str, target: Target) -> bool:
    """Whether a target is a text by its name and nothing else, as most are: read without detour."""
    said = target.model_fields_set - {"from_"}
    return "." not in (target.from_ or ".") and _natural_type(name) == "text" and not said


def _plain_text(name: str, value: Any) -> str:
    try:
        return to_text(value)
    except RowFault as fault:
        raise RowFault(fault.reason, f"{name}: {fault.message}") from fault


def fetcher(name: str, target: Target) -> Fetch:
    """The function that takes one target's value from a row; None where the row has none."""
    take = _origin(target)
    kind = target.type or _natural_type(name)
    convert = converter(kind, target.format, target.timezone)
    if target.values is not None:
        convert = _mapped(target, convert)
    if target.max_length is not None:
        convert = _limited(convert, target.max_length, target.too_long == "cut")
    empty, default, required = frozenset(target.empty), target.default, target.required

    def fetch(row: dict[str, Any]) -> Any:
        value = take(row)
        if type(value) is str and (not value or value.isspace() or value in empty):
            value = None
        if value is None:
            if required and default is None:
                raise RowFault(Reason.MISSING_FIELD, f"{name}: the row has none")
            return default
        try:
            value = convert(value)
        except RowFault as fault:
            raise RowFault(fault.reason, f"{name}: {fault.message}") from fault
        return value.isoformat() if kind == "time" and name != "received_at" else value

    return fetch


def fault_of(error: ValidationError) -> RowFault:
    """What pydantic found wrong, without what it found it in."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"][:1]))
    kind = first["type"]
    if kind == "missing":
        return RowFault(Reason.MISSING_FIELD, f"{where}: the row has none")
    if kind == "string_too_short":
        return RowFault(Reason.MISSING_FIELD, f"{where}: it is empty")
    if kind == "string_too_long":
        return RowFault(Reason.VALUE_TOO_LONG, f"{where}: it is longer than a case takes")
    if where == "received_at":
        return RowFault(Reason.BAD_TIME, f"{where}: not a time with its zone")
    reason = Reason.WRONG_TYPE if kind.endswith("_type") else Reason.INVALID
    return RowFault(reason, f"{where}: {kind.replace('_', ' ')}")


def source_names(mapping: Mapping) -> frozenset[str]:
    """The fields of a row, at its top level, that some target reads."""
    paths: list[str] = []
    for targets in (mapping.fields, mapping.signals, mapping.attributes):
        for target in targets.values():
            paths += [target.from_] if target.from_ else []
            paths += target.concat or ()
            paths += _PLACEHOLDER.findall(target.template or "")
    return frozenset(name for path in paths for name in (path, path.split(".")[0]))


def _group(
    row: dict[str, Any], name: str, fetches: list[tuple[str, Fetch]], keep: bool
) -> dict[str, Any]:
    """Signals or attributes; with ``rest: keep`` also those the row itself has under this name."""
    found = {}
    if keep and type(given := row.get(name)) is dict:
        found = {key: to_scalar(value) for key, value in given.items() if value is not None}
    for key, fetch in fetches:
        if (value := fetch(row)) is not None:
            found[key] = value
    return found


def _rest(row: dict[str, Any], read: frozenset[str]) -> dict[str, Any]:
    return {
        name: to_scalar(value)
        for name, value in row.items()
        if name not in read
        and value is not None
        and value != ""
        and not (name in _GROUPS and type(value) is dict)
    }


def _origin(target: Target) -> Fetch:
    if target.from_ is not None:
        return _path(target.from_)
    if target.concat is not None:
        parts, separator = [_path(path) for path in target.concat], target.separator
        return lambda row: separator.join(filter(None, (_as_part(part(row)) for part in parts)))
    if target.template is not None:
        return _template(target.template)
    constant = target.constant
    return lambda row: constant


def _path(path: str) -> Fetch:
    """A look-up by name; dots lead inwards unless the row has a field of that very name."""
    if "." not in path:
        return lambda row: row.get(path)
    steps = path.split(".")

    def walk(row: dict[str, Any]) -> Any:
        if path in row:
            return row[path]
        value: Any = row
        for step in steps:
            if type(value) is dict:
                value = value.get(step)
            elif type(value) is list and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                return None
        return value

    return walk


def _template(template: str) -> Fetch:
    """Fill in the fields; nothing at all where the row has none of them."""
    pieces = _PLACEHOLDER.split(template)
    texts, parts = pieces[::2], [_path(path) for path in pieces[1::2]]

    def fill(row: dict[str, Any]) -> str | None:
        values = [_as_part(part(row)) for part in parts]
        if not any(values):
            return None
        return texts[0] + "".join(v + text for v, text in zip(values, texts[1:], strict=True))

    return fill


def _as_part(value: Any) -> str:
    if type(value) is str:
        return value.strip()
    kept = to_scalar(value)
    return "" if kept is None else as_text(kept)


def _mapped(target: Target, convert: Convert) -> Convert:
    values, unmapped = target.values or {}, target.unmapped

    def look_up(value: Any) -> Any:
        key = value.strip() if type(value) is str else as_text(value)
        if key in values:
            return values[key]
        if unmapped == "error":
            raise RowFault(Reason.UNMAPPED_VALUE, "a value that the mapping does not list")
        return convert(value) if unmapped == "keep" else None

    return look_up


def _limited(convert: Convert, limit: int, cut: bool) -> Convert:
    def check(value: Any) -> Any:
        value = convert(value)
        if type(value) is str and len(value) > limit:
            if not cut:
                raise RowFault(Reason.VALUE_TOO_LONG, f"longer than {limit:,} characters")
            return value[:limit]
        return value

    return check


def _natural_type(name: str) -> Any:
    """The type of a case's own field; attributes and signals keep what the row has."""
    if name == "received_at":
        return "time"
    return "text" if name in ITEM_FIELDS else None
