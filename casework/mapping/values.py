"""Reading one value: from what a row holds to what a case keeps. No message quotes the value."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import orjson

from casework.cases import Scalar
from casework.errors import RowFault
from casework.mapping.model import Kind
from casework.rows.reasons import Reason

Convert: TypeAlias = Callable[[Any], Any]

#: Integers past this cannot be kept exactly in JSON.
_EXACT: Final = 2**53
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_TRUE: Final = frozenset({"true", "t", "yes", "y", "1", "on"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0", "off"})


def converter(kind: Kind | None, format: str | None, timezone: str | None) -> Convert:
    """The function that reads values of a type; None keeps a scalar as it is."""
    if kind == "time":
        return _time_reader(format or "iso", ZoneInfo(timezone) if timezone else None)
    plain: dict[Kind | None, Convert] = {
        "text": to_text,
        "integer": to_integer,
        "number": to_number,
        "boolean": to_boolean,
        None: to_scalar,
    }
    return plain[kind]


def to_text(value: Any) -> str:
    """A text as it is, an integer as its digits."""
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise _wrong("text", value)


def to_integer(value: Any) -> int:
    """A whole number that JSON can carry exactly."""
    if type(value) is str and _INTEGER.fullmatch(text := value.strip()):
        value = int(text)
    elif type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise _wrong("an integer", value)
    return _exact(value)


def to_number(value: Any) -> int | float:
    """A finite number."""
    if type(value) is str and _NUMBER.fullmatch(text := value.strip()):
        value = float(text)
    if type(value) is int:
        return _exact(value)
    if type(value) is not float:
        raise _wrong("a number", value)
    if not math.isfinite(value):
        raise RowFault(Reason.NUMBER, "the number is not finite")
    return value


def to_boolean(value: Any) -> bool:
    """True or false, also written 1 and 0, yes and no."""
    if type(value) is bool:
        return value
    if type(value) is int and value in (0, 1):
        return value == 1
    if type(value) is str:
        text = value.strip().lower()
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
    raise _wrong("true or false", value)


def to_scalar(value: Any) -> Scalar | None:
    """A text, number or truth value as it is; anything nested as its JSON text."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return _exact(value)
    if kind is float:
        return to_number(value)
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError as error:
        raise _wrong("a plain value", value) from error


def _time_reader(format: str, zone: tzinfo | None) -> Convert:
    if format in ("epoch", "epoch_ms"):
        scale = 1000 if format == "epoch_ms" else 1
        return lambda value: _from_epoch(value, scale)
    if format == "iso":
        return lambda value: _in_utc(_iso(value), zone)
    return lambda value: _in_utc(_parsed(value, format), zone)


def _from_epoch(value: Any, scale: int) -> datetime:
    number = to_number(value)
    try:
        return datetime.fromtimestamp(number / scale, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise RowFault(Reason.BAD_TIME, "the time is out of range") from error


def _iso(value: Any) -> datetime:
    if type(value) is datetime:
        return value
    if type(value) is not str:
        raise _wrong("a time", value)
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError as error:
        raise RowFault(Reason.BAD_TIME, "not a time in ISO 8601") from error


def _parsed(value: Any, format: str) -> datetime:
    if type(value) is not str:
        raise _wrong("a time", value)
    try:
        return datetime.strptime(value.strip(), format)
    except ValueError as error:
        raise RowFault(Reason.BAD_TIME, "the time is not written as its format says") from error


def _in_utc(moment: datetime, zone: tzinfo | None) -> datetime:
    """The moment in UTC: the same time written in another zone is the same content."""
    if moment.tzinfo is None:
        if zone is None:
            raise RowFault(Reason.BAD_TIME, "the time names no zone, and neither does the mapping")
        moment = moment.replace(tzinfo=zone)
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise RowFault(Reason.BAD_TIME, "the time is out of range") from error


def _exact(number: int) -> int:
    if not -_EXACT < number < _EXACT:
        raise RowFault(Reason.NUMBER, "the integer is too big to be kept exactly; read it as text")
    return number


def _wrong(wanted: str, value: Any) -> RowFault:
    names = {bool: "true or false", int: "an integer", float: "a number", list: "a list"}
    names |= {str: "this text", dict: "an object", type(None): "null"}
    found = names.get(type(value), type(value).__name__)
    return RowFault(Reason.WRONG_TYPE, f"{wanted} was expected, not {found}")
