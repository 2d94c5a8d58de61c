"""Reading rows written as one JSON object a line."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from casework.errors import RowFault
from casework.rows.lines import Damage, Line, Overlong
from casework.rows.model import BadRow, Row, refused
from casework.rows.reasons import Reason

#: Levels of nesting a row may have; orjson writes no more than 254 again.
DEPTH_LIMIT: Final = 64

_EXACT_FLOAT: Final = 2.0**53
_NOT_FINITE: Final = re.compile(r"-?(NaN|Infinity)")


def json_rows(lines: Iterable[tuple[int, Line]], limit: int) -> Iterator[Row | BadRow]:
    """Yield a row for each of the numbered lines; blank lines are no rows."""
    for number, line in lines:
        if type(line) is bytes:
            if not line or line.isspace():
                continue
            try:
                yield Row(number, parse_json(line), line)
            except RowFault as fault:
                yield refused(number, line, fault)
        else:
            yield unreadable(number, line, limit)


def unreadable(number: int, line: Line, limit: int) -> BadRow:
    """A line that was not read: it is too long, or the file is damaged there."""
    if isinstance(line, Overlong):
        detail = f"the row has {line.size:,} bytes; {limit:,} are allowed"
        return BadRow(number, line.raw, line.size, line.digest, Reason.LINE_TOO_LONG, detail)
    raw = line.raw if isinstance(line, Damage) else line
    detail = "the compressed file is damaged or cut off here; what follows was not read"
    return refused(number, raw, RowFault(Reason.DAMAGED_FILE, detail))


def parse_json(raw: bytes) -> dict[str, Any]:
    """Read one row.

    Duplicate keys and integers that orjson would round are found by counting first, and only a
    row whose count is odd is read a second time, slowly and exactly.

    Raises:
        RowFault: it is not one JSON object that can be kept exactly.
    """
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _why_broken(raw, error) from error
    if type(document) is not dict:
        raise RowFault(Reason.NOT_AN_OBJECT, f"a row is an object, this is {_kind(document)}")
    keys, exact = _survey(document, b"\\u0000" in raw, DEPTH_LIMIT)
    if not exact or keys != _colons(raw):
        _read_exactly(raw)
    return document


def _colons(raw: bytes) -> int:
    """How many colons may end a key: never fewer than there are keys, twice given ones too."""
    return raw.translate(None, b" \t\r").count(b'":')


def _why_broken(raw: bytes, error: orjson.JSONDecodeError) -> RowFault:
    if b"\x00" in raw:
        return RowFault(Reason.NUL, "the row holds a NUL byte")
    try:
        text = raw.decode()
    except UnicodeDecodeError as fault:
        return RowFault(Reason.INVALID_UTF8, f"byte {fault.start + 1} is not valid UTF-8")
    if "depth limit" in error.msg:
        return RowFault(Reason.TOO_DEEP, f"nested deeper than {DEPTH_LIMIT} levels")
    if "surrogate" in error.msg:
        return RowFault(Reason.LONE_SURROGATE, f"half a character at column {error.colno}")
    if "infinity" in error.msg or _NOT_FINITE.match(text, error.pos):
        return RowFault(Reason.NUMBER, f"a number at column {error.colno} is not finite")
    return RowFault(Reason.BROKEN_JSON, f"not JSON at column {error.colno}")


def _survey(value: Any, nul_likely: bool, depth: int) -> tuple[int, bool]:
    """Count the keys within a value; say whether its numbers are surely as they were written."""
    keys, exact = 0, True
    parts = value
    if type(value) is dict:
        keys, parts = len(value), value.values()
        if nul_likely:
            _refuse_nul(value)
    for part in parts:
        kind = type(part)
        if kind is str:
            if nul_likely:
                _refuse_nul((part,))
        elif kind is float:
            exact = exact and -_EXACT_FLOAT < part < _EXACT_FLOAT
        elif kind is dict or kind is list:
            if depth <= 1:
                raise RowFault(Reason.TOO_DEEP, f"nested deeper than {DEPTH_LIMIT} levels")
            more, safe = _survey(part, nul_likely, depth - 1)
            keys, exact = keys + more, exact and safe
    return keys, exact


def _refuse_nul(texts: Iterable[str]) -> None:
    if any("\x00" in text for text in texts):
        raise RowFault(Reason.NUL, "the row holds a NUL character")


def _read_exactly(raw: bytes) -> None:
    """Refuse what orjson lets pass: a key given twice, an integer it would have rounded."""
    json.loads(raw, object_pairs_hook=_unique, parse_int=_exact_integer)


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise RowFault(Reason.DUPLICATE_KEY, "a key is given more than once")


def _exact_integer(digits: str) -> None:
    if len(digits.lstrip("-")) > 20 or not -(2**63) <= int(digits) < 2**64:
        raise RowFault(Reason.NUMBER, "an integer has more than 64 bits")


def _kind(document: Any) -> str:
    names = {list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(document), "a number")
