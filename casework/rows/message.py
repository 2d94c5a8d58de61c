"""Reading one message (RFC 5322, MIME): what it says, who sent it, and what hangs on it.

Mail is often a little wrong, and the reporter's text matters more than its form: a wrong or missing
charset is made good. What cannot be read for what it was meant to be is refused with its reason.
"""

import re
from collections.abc import Iterator
from datetime import UTC
from email.errors import (
    CloseBoundaryNotFoundDefect,
    FirstHeaderLineIsContinuationDefect,
    HeaderParseError,
    InvalidBase64CharactersDefect,
    InvalidBase64LengthDefect,
    MessageDefect,
    MissingHeaderBodySeparatorDefect,
    MultipartInvariantViolationDefect,
    NoBoundaryInMultipartDefect,
    StartBoundaryNotFoundDefect,
)
from email.header import decode_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy
from email.utils import getaddresses, parsedate_to_datetime
from hashlib import sha256
from typing import Any, Final

from casework.errors import RowFault
from casework.rows.html import html_text
from casework.rows.reasons import Reason

#: Levels of parts within parts that a message may have.
DEPTH_LIMIT: Final = 64

#: Parts that say they hold others; above it the message is not taken apart at all, because the
#: parser compares every line with the boundaries of all the parts around it.
_HOLDERS_LIMIT: Final = 100
_HOLDER: Final = re.compile(rb"boundary\s*=|message/", re.IGNORECASE)

#: Parts, and headers of them all, that a message may have.
_PARTS_LIMIT: Final = 10_000
_HEADERS_LIMIT: Final = 20_000

#: Characters of a header that the standard library takes apart, in time that grows with their
#: square; and of one that is read as a text or as addresses.
_STRUCTURED_LIMIT: Final = 4_000
_HEADER_LIMIT: Final = 100_000

_UNQUOTED: Final = re.compile(rb"^>(>*From )", re.MULTILINE)

_BROKEN: Final[tuple[type[MessageDefect], ...]] = (
    NoBoundaryInMultipartDefect,
    StartBoundaryNotFoundDefect,
    CloseBoundaryNotFoundDefect,
    MultipartInvariantViolationDefect,
    MissingHeaderBodySeparatorDefect,
    FirstHeaderLineIsContinuationDefect,
)
_MISCODED: Final = (InvalidBase64CharactersDefect, InvalidBase64LengthDefect)

#: Headers that are kept as they are, by the field of the row.
_TEXTS: Final = {
    "subject": "subject",
    "in_reply_to": "in-reply-to",
    "references": "references",
    "auto_submitted": "auto-submitted",
    "language": "content-language",
}
_ADDRESSES: Final = ("from", "reply-to", "to", "cc")


class _Bounded(EmailPolicy):
    """The default policy, but that it refuses what would cost minutes or gigabytes to read."""

    left: Any = None  # how many headers the message may still have, in a list of one

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        self.left[0] -= 1
        if self.left[0] < 0:
            raise RowFault(Reason.BROKEN_MAIL, f"more than {_HEADERS_LIMIT:,} headers")
        return super().header_source_parse(sourcelines)

    def header_fetch_parse(self, name: str, value: str) -> Any:
        if len(value) > _STRUCTURED_LIMIT:
            raise RowFault(Reason.BROKEN_MAIL, f"a {name.lower()} is longer than any has to be")
        return super().header_fetch_parse(name, value)


def parse_mail(raw: bytes) -> dict[str, Any]:
    """Read one message, with or without the separator line of an mbox.

    Returns:
        ``message_id`` (made of the digest where the message names none), ``subject``, ``from``,
        ``from_name``, ``reply_to``, ``to``, ``cc``, ``date`` (ISO 8601, UTC), ``in_reply_to``,
        ``references``, ``auto_submitted``, ``language``, ``text``, and ``attachments``: name,
        type, size in bytes and SHA-256 of each. What the message lacks is left out.

    Raises:
        RowFault: it cannot be read.
    """
    if b"\x00" in raw:
        raise RowFault(Reason.NUL, "the message holds a NUL byte")
    if raw.startswith(b"From "):
        raw = _UNQUOTED.sub(rb"\1", raw.partition(b"\n")[2])
    if len(_HOLDER.findall(raw)) > _HOLDERS_LIMIT:
        raise RowFault(Reason.TOO_DEEP, f"more than {_HOLDERS_LIMIT} parts hold others")
    if raw.count(b"\n--") > _PARTS_LIMIT:
        raise RowFault(Reason.BROKEN_MAIL, f"more than {_PARTS_LIMIT:,} parts")
    try:
        record = _record(raw)
    except RowFault:
        raise
    except Exception as error:
        # The standard library's parser of headers raises whatever it stumbles over.
        raise RowFault(Reason.BROKEN_MAIL, f"it cannot be read ({type(error).__name__})") from None
    if any("\x00" in value for value in record.values() if isinstance(value, str)):
        raise RowFault(Reason.NUL, "the message holds an encoded NUL")
    return {name: value for name, value in record.items() if value}


def _record(raw: bytes) -> dict[str, Any]:
    policy = _Bounded(left=[_HEADERS_LIMIT])  # type: ignore[call-overload]  # any attribute will do
    message: EmailMessage = BytesParser(policy=policy).parsebytes(raw)
    headers = _headers(message)
    if not headers:
        raise RowFault(Reason.BROKEN_MAIL, "it has no headers")
    parts = list(_parts(message, 1))
    texts, attachments = [], []
    for part, attached in parts:
        payload = _payload(part)
        if attached or part.get_content_maintype() != "text":
            attachments.append(_attachment(part, payload))
        else:
            texts.append(_text(part, payload))
    _refuse_broken([part for part, _ in parts] + [message])
    return {
        "message_id": _message_id(headers, raw),
        **{name: _words(headers.get(header, [""])[0]) for name, header in _TEXTS.items()},
        **_people(headers),
        "date": _date(headers),
        "text": "\n\n".join(filter(None, (text.strip() for text in texts))),
        "attachments": attachments,
    }


def _parts(part: EmailMessage, depth: int) -> Iterator[tuple[EmailMessage, bool]]:
    """The parts that say something, in their order, and whether each is attached.

    Of alternatives the plainest that there is; a message that is attached is one part.
    """
    if depth > DEPTH_LIMIT:
        raise RowFault(Reason.TOO_DEEP, f"nested deeper than {DEPTH_LIMIT} levels")
    if part.get_content_maintype() != "multipart" or not part.is_multipart():
        attached = part.is_attachment() or bool(part.get_filename())
        yield part, attached
        return
    _refuse_broken([part])
    children = [each for each in part.iter_parts() if isinstance(each, EmailMessage)]
    if part.get_content_subtype() == "alternative":
        children = _plainest(children)
    for child in children:
        yield from _parts(child, depth + 1)


def _plainest(alternatives: list[EmailMessage]) -> list[EmailMessage]:
    """The alternative to read, and those that are no text and so no alternative to it."""
    texts = [each for each in alternatives if _payload(each).strip()]
    plain = [each for each in texts if each.get_content_type() == "text/plain"]
    html = [each for each in texts if each.get_content_type() == "text/html"]
    others = [each for each in alternatives if each.get_content_maintype() != "text"]
    return [*(plain or html or alternatives)[:1], *(others if plain or html else [])]


def _refuse_broken(parts: list[EmailMessage]) -> None:
    for defect in (defect for part in parts for defect in part.defects):
        if isinstance(defect, _MISCODED):
            raise RowFault(Reason.BAD_ENCODING, "a part is not the base64 that it says it is")
        if isinstance(defect, _BROKEN):
            name = type(defect).__name__.removesuffix("Defect")
            raise RowFault(Reason.BROKEN_MAIL, f"its structure is broken ({name})")


def _payload(part: EmailMessage) -> bytes:
    """The bytes of a part, decoded; of an attached message all of it."""
    if part.is_multipart():
        return b"".join(each.as_bytes() for each in part.iter_parts())
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _attachment(part: EmailMessage, payload: bytes) -> dict[str, Any]:
    return {
        "name": _clean(part.get_filename() or ""),
        "type": part.get_content_type(),
        "size": len(payload),
        "digest": sha256(payload).hexdigest(),
    }


def _text(part: EmailMessage, payload: bytes) -> str:
    text = _decoded(payload, str(part.get_content_charset() or "utf-8"))
    text = html_text(text) if part.get_content_subtype() == "html" else text
    return text.replace("\r\n", "\n")


def _decoded(payload: bytes, charset: str) -> str:
    """The text in the charset it names, else in UTF-8, else in what Western mail mostly means."""
    for name in (charset, "utf-8"):
        try:
            return payload.decode(name).encode().decode()
        except (LookupError, ValueError):
            continue
    return payload.decode("cp1252", "replace")


def _headers(message: EmailMessage) -> dict[str, list[str]]:
    """The headers as they were written, each on one line, by their names in small letters."""
    found: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        if len(value) > _HEADER_LIMIT:
            raise RowFault(Reason.BROKEN_MAIL, "a header is longer than any has to be")
        found.setdefault(name.lower(), []).append(_clean(value))
    return found


def _clean(value: str) -> str:
    """A text on one line; raw bytes in it are read as those of a body are."""
    text = " ".join(value.split())
    if text.isascii():
        return text
    return _decoded(text.encode("utf-8", "surrogateescape"), "utf-8")


def _words(text: str) -> str:
    """A header's text with its encoded words (RFC 2047) decoded; broken ones stay as they are."""
    if "=?" not in text:
        return text
    try:
        pieces = decode_header(text)
    except HeaderParseError:
        return text
    words = (
        piece
        if isinstance(piece, str)
        # What stands between encoded words comes back as the library escapes it.
        else _decoded(piece, charset)
        if charset
        else piece.decode("raw-unicode-escape")
        for piece, charset in pieces
    )
    return " ".join("".join(words).encode("utf-8", "replace").decode().split())


def _people(headers: dict[str, list[str]]) -> dict[str, str]:
    """Addresses by header, and the sender's name; more than one address with commas between."""
    found = {}
    for name in _ADDRESSES:
        known = [pair for pair in getaddresses(headers.get(name, [])) if pair[1]]
        found[name.replace("-", "_")] = ", ".join(address for _, address in known)
        if name == "from" and known:
            found["from_name"] = _words(known[0][0])
    return found


def _date(headers: dict[str, list[str]]) -> str | None:
    """When it was sent, in UTC; a zone of ``-0000`` says that it is UTC already."""
    given = headers.get("date", [""])[0]
    if not given:
        return None
    try:
        moment = parsedate_to_datetime(given)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as error:
        raise RowFault(Reason.BAD_TIME, "date: not a time as RFC 5322 writes them") from error


def _message_id(headers: dict[str, list[str]], raw: bytes) -> str:
    """Its Message-ID without the brackets; its digest where it has none that a case could bear."""
    given = headers.get("message-id", [""])[0].strip("<> ")
    if given and len(given) <= 200:
        return given
    return f"sha256:{sha256(raw.strip()).hexdigest()}"
