"""E-mail: whatever a mailbox holds comes out as a row or as a bad row, and none stops the rest."""

import io
import tracemalloc
from email.message import EmailMessage
from hashlib import sha256
from itertools import chain, repeat
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casework.mapping import apply, load_mapping
from casework.resources import resource
from casework.rows import BadRow, Row, open_rows, parse_mail, read_rows
from casework.rows.html import html_text

HEADERS = b"From: Ana <ana@example.com>\nSubject: help\nMessage-ID: <1@example.com>\n"
PLAIN = HEADERS + b"\nSomebody threatens me.\n"


def read(data: bytes, name: str = "inbox.mbox", **options: Any) -> list[Row | BadRow]:
    return list(read_rows(io.BytesIO(data), name=name, **options).rows)


def reasons(data: bytes, **options: Any) -> list[str]:
    return [row.reason if isinstance(row, BadRow) else "ok" for row in read(data, **options)]


def box(*messages: bytes) -> bytes:
    return b"".join(b"From somebody Mon Jan  5 09:12:00 2026\n" + each + b"\n" for each in messages)


def quoted(text: bytes) -> bytes:
    """A line as programs that write an mbox quote it, so that it begins no message."""
    return b">" + text if text.lstrip(b">").startswith(b"From ") else text


def nested(levels: int) -> bytes:
    opening = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level)
        for level in range(levels)
    )
    closing = b"".join(b"--b%d--\n" % level for level in reversed(range(levels)))
    return HEADERS + opening + b"Content-Type: text/plain\n\ndeep\n" + closing


def multipart(*parts: bytes, kind: bytes = b"mixed", closed: bool = True) -> bytes:
    body = b"".join(b"--b\n" + part + b"\n" for part in parts)
    head = HEADERS + b"Content-Type: multipart/" + kind + b'; boundary="b"\n\n'
    return head + body + (b"--b--\n" if closed else b"")


def text_of(message: bytes) -> str:
    return str(parse_mail(message).get("text", ""))


def test_a_message_says_who_when_what_and_in_answer_to_what() -> None:
    sent = b"Date: Mon, 5 Jan 2026 10:00:00 +0100\nTo: a@b.c, D <d@e.f>\n"
    assert parse_mail(sent + b"In-Reply-To: <0@example.com>\n" + PLAIN) == {
        "message_id": "1@example.com",
        "subject": "help",
        "from": "ana@example.com",
        "from_name": "Ana",
        "to": "a@b.c, d@e.f",
        "date": "2026-01-05T09:00:00+00:00",
        "in_reply_to": "<0@example.com>",
        "text": "Somebody threatens me.",
    }


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"only a line that somebody pasted\n", "broken_mail"),
        (b"\xff\xfe\x01\x02 rubbish\n", "broken_mail"),
        (b"From: a@b.c\nthis is no header\n\ntext\n", "broken_mail"),
        (HEADERS + b"\nnul \x00 byte\n", "nul"),
        (HEADERS + b"Content-Transfer-Encoding: base64\n\nAABCAA==\n", "nul"),
        (HEADERS + b"Content-Transfer-Encoding: base64\n\nnot *base64*!\n", "bad_encoding"),
        (HEADERS + b"Content-Transfer-Encoding: base64\n\nAAAAA\n", "bad_encoding"),
        (HEADERS + b"Date: Fri, 31 Feb 2026 25:61:00 +0000\n\nx\n", "bad_time"),
        (HEADERS + b"Date: yesterday\n\nx\n", "bad_time"),
        (HEADERS + b"Date: Fri, 31 Dec 9999 23:59:00 -2300\n\nx\n", "bad_time"),
        (HEADERS + b"Content-Type: multipart/mixed\n\nx\n", "broken_mail"),
        (HEADERS + b'Content-Type: multipart/mixed; boundary="b"\n\nx\n', "broken_mail"),
        (multipart(b"\nx", closed=False), "broken_mail"),
        (b"To: " + b"a," * 60_000 + b"\n" + PLAIN, "broken_mail"),
        (b"Content-Type: text/plain" + b"; a=b" * 1_000 + b"\n" + PLAIN, "broken_mail"),
        (b"X: y\n" * 21_000 + PLAIN, "broken_mail"),
        (multipart(*[b"\nx"] * 10_001), "broken_mail"),
        (nested(100), "too_deep"),
        (nested(1_000), "too_deep"),
        (nested(20_000), "too_deep"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_bytes_and_stops_nothing(
    message: bytes, reason: str
) -> None:
    [bad] = read(message, name="one.eml")
    assert isinstance(bad, BadRow)
    assert (bad.reason, bad.raw, bad.digest) == (reason, message, sha256(message).hexdigest())
    assert reasons(box(PLAIN, message, PLAIN)) == ["ok", reason, "ok"]


@pytest.mark.parametrize("reason", ["broken_mail", "bad_encoding", "bad_time", "nul"])
def test_no_detail_quotes_what_the_message_says(reason: str) -> None:
    secret = b"zwetschgendatschi"
    messages = {
        "broken_mail": secret,
        "bad_encoding": HEADERS + b"Content-Transfer-Encoding: base64\n\n*" + secret + b"\n",
        "bad_time": HEADERS + b"Date: " + secret + b"\n\nx\n",
        "nul": HEADERS + b"\n\x00" + secret,
    }
    [bad] = read(messages[reason], name="one.eml")
    assert isinstance(bad, BadRow)
    assert bad.reason == reason
    assert secret.decode() not in bad.detail


def test_parts_as_deep_as_anybody_nests_them_are_read() -> None:
    assert text_of(nested(30)) == "deep"


def test_a_message_without_an_id_has_one_made_of_its_bytes_wherever_it_is_found() -> None:
    message = b"From: a@b.c\nSubject: none\n\nx\n"
    [alone], [boxed] = read(message, name="a.eml"), read(box(message))
    assert isinstance(alone, Row)
    assert isinstance(boxed, Row)
    assert alone.record["message_id"] == boxed.record["message_id"]
    assert alone.record["message_id"] == f"sha256:{sha256(message.strip()).hexdigest()}"


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        (b"utf-8", "café".encode(), "café"),
        (b"iso-8859-1", "café".encode("latin1"), "café"),
        (b"us-ascii", "café".encode(), "café"),
        (b"utf-8", "café".encode("cp1252"), "café"),
        (b"x-nobody-knows", "“café”".encode("cp1252"), "“café”"),
        (b"hex", b"636166", "636166"),
        (b"koi8-r", "привет".encode("koi8-r"), "привет"),
        (b"utf-8", b"\xff\x81", "ÿ\ufffd"),
    ],
)
def test_a_wrong_charset_is_made_good(charset: bytes, body: bytes, text: str) -> None:
    assert text_of(HEADERS + b"Content-Type: text/plain; charset=" + charset + b"\n\n" + body) == (
        text
    )


def test_raw_bytes_in_a_header_are_read_as_those_of_a_text() -> None:
    assert parse_mail(b"Subject: caf\xe9 \xe2\x82\xac\nFrom: a@b.c\n\nx")["subject"]
    assert parse_mail("Subject: café\nFrom: a@b.c\n\nx".encode())["subject"] == "café"


def test_the_plain_alternative_is_read_and_html_where_there_is_none() -> None:
    plain = b"Content-Type: text/plain\n\nplain words"
    html = b"Content-Type: text/html\n\n<p>html words</p>"
    assert text_of(multipart(plain, html, kind=b"alternative")) == "plain words"
    assert text_of(multipart(html, kind=b"alternative")) == "html words"
    blank = b"Content-Type: text/plain\n\n \n"
    assert text_of(multipart(blank, html, kind=b"alternative")) == "html words"


def test_every_text_of_a_message_counts_and_an_attachment_is_listed_not_kept() -> None:
    message = EmailMessage()
    message["Subject"] = "help"
    message.set_content("first")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="proof é.png")
    message.add_attachment("an inline second text", disposition="inline")
    record = parse_mail(message.as_bytes())
    assert record["text"] == "first\n\nan inline second text"
    assert record["attachments"] == [
        {
            "name": "proof é.png",
            "type": "image/png",
            "size": 4,
            "digest": sha256(b"\x89PNG").hexdigest(),
        }
    ]


def test_an_attached_message_is_one_attachment() -> None:
    inner = EmailMessage()
    inner["Subject"] = "the abuse"
    inner.set_content("words of somebody else")
    outer = EmailMessage()
    outer["Subject"] = "look at this"
    outer.set_content("see attached")
    outer.add_attachment(inner)
    record = parse_mail(outer.as_bytes())
    assert record["text"] == "see attached"
    assert [each["type"] for each in record["attachments"]] == ["message/rfc822"]
    assert record["attachments"][0]["size"] > 50


def test_an_mbox_is_cut_where_a_message_begins_and_nowhere_else() -> None:
    quoted = HEADERS + b"\n\n>From here on\n>>From there\nFrom the middle\n"
    first, second = read(box(quoted, PLAIN))
    assert isinstance(first, Row)
    assert first.record["text"] == "From here on\n>From there\nFrom the middle"
    assert (first.line, second.line) == (1, 11)


def test_an_eml_is_never_cut() -> None:
    [row] = read(HEADERS + b"\nx\n\nFrom here on\n", name="a.eml")
    assert isinstance(row, Row)
    assert row.record["text"] == "x\n\nFrom here on"


def test_blank_lines_may_stand_before_the_first_message() -> None:
    first, second = read(b"\n\n" + box(PLAIN, PLAIN))
    assert (first.line, second.line) == (3, 10)


@pytest.mark.parametrize("name", ["export.txt", "rows.jsonl", "-"])
def test_a_mapping_can_say_that_a_file_is_mail(name: str) -> None:
    assert [type(row) for row in read(box(PLAIN, PLAIN), name=name, format="mail")] == [Row, Row]


@pytest.mark.parametrize("data", [b"", b"\n\r\n \n"])
def test_a_blank_file_has_no_rows(data: bytes) -> None:
    assert read(data) == []


def test_a_message_that_is_too_large_is_kept_in_part_and_digested_whole() -> None:
    large = HEADERS + b"\n" + b"x" * 200_000 + b"\n"
    first, bad, last = read(box(PLAIN, large, PLAIN), limit=1_000)
    assert isinstance(bad, BadRow)
    assert (bad.reason, len(bad.raw), bad.size) == ("mail_too_large", 1_000, len(box(large)))
    assert bad.digest == sha256(box(large)).hexdigest()
    assert isinstance(first, Row)
    assert isinstance(last, Row)


def test_memory_does_not_grow_with_the_mailbox() -> None:
    class Endless:
        """Two megabytes of small messages, and a large one on a single line in their midst."""

        def __init__(self) -> None:
            small, start = box(HEADERS + b"\n" + b"x" * 10_000 + b"\n"), box(HEADERS + b"\n")
            self.chunks = chain(
                repeat(small, 100),
                [start],
                repeat(b"y" * 100_000, 40),
                [b"\n\n"],
                repeat(small, 100),
            )

        def read1(self, size: int) -> bytes:
            return next(self.chunks, b"")

    tracemalloc.start()
    found = [type(row) for row in read_rows(Endless(), name="a.mbox", limit=100_000).rows]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.count(Row), found.count(BadRow)) == (200, 1)
    assert peak < 1_500_000


MANGLED = [
    PLAIN,
    nested(3),
    multipart(b"\na", b"Content-Type: text/html\n\n<p>b"),
    box(PLAIN, PLAIN),
]


@given(
    st.sampled_from(MANGLED),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=6)), max_size=6),
)
@example(b"", [(0, b"From: =?utf-8?b?//8=?= <")])
def test_whatever_happens_to_a_message_it_is_read_or_refused(
    message: bytes, changes: list[tuple[int, bytes]]
) -> None:
    mangled = bytearray(message)
    for at, change in changes:
        mangled[at : at + len(change)] = change
    for row in read(bytes(mangled)):
        if isinstance(row, Row):
            orjson.dumps(row.record)
            assert parse_mail(row.raw) == row.record


@given(
    st.sampled_from(
        ["From", "Date", "Content-Type", "Subject", "Content-Disposition", "Message-ID"]
    ),
    st.binary(max_size=400),
)
def test_a_header_may_say_anything(name: str, value: bytes) -> None:
    for row in read(name.encode() + b": " + value + b"\n\nx", name="a.eml"):
        if isinstance(row, Row):
            orjson.dumps(row.record)
        else:
            assert row.reason in {"broken_mail", "bad_time", "nul", "bad_encoding", "too_deep"}


@given(st.lists(st.binary(max_size=40).map(lambda text: text.replace(b"\n", b" ")), max_size=5))
@example([b"From "])
def test_an_mbox_gives_back_as_many_messages_as_were_put_in(texts: list[bytes]) -> None:
    messages = [HEADERS + b"\n" + quoted(text) + b"\n" for text in texts]
    assert len(read(box(*messages))) == len(texts)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("<style>p{}</style><script>x()</script>seen &amp; kept", "seen & kept"),
        ("<head><title>t</title><body>after a head never closed", "after a head never closed"),
        ("a\n  b<b>c</b> <i>d", "a bc d"),
        ("no tags at all", "no tags at all"),
        ("1 < 2 and 3 > 2 <3", "1 < 2 and 3 > 2 <3"),
        ("seen<!-- hidden > still --> too<title>not this</title>", "seen too"),
        ("I will <a find you", "I will <a find you"),
    ],
)
def test_html_becomes_the_text_that_people_see(page: str, text: str) -> None:
    assert html_text(page) == text


@pytest.mark.parametrize("piece", ["<", "<a ", "<!--", "</", "<script>", "&", "<title></title>"])
def test_no_page_takes_longer_than_its_length(piece: str) -> None:
    # The standard library's parser would take an hour over some of these.
    assert len(html_text(piece * 50_000)) <= 50_000 * len(piece)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("=?utf-8?q?caf=C3=A9?=", "café"),
        ("=?iso-8859-1?B?Y2Fm6Q==?= and =?utf-8?q?more?=", "café and more"),
        ("=?x-nobody-knows?q?caf=C3=A9?=", "café"),
        ("=?utf-8?b?not base64?=", "=?utf-8?b?not base64?="),
        ("price =?= 7", "price =?= 7"),
        ("café =?utf-8?q?caf=C3=A9?=", "café café"),
    ],
)
def test_encoded_words_of_a_header_are_decoded(header: str, text: str) -> None:
    assert parse_mail(f"Subject: {header}\nFrom: a@b.c\n\nx".encode())["subject"] == text


def test_the_sample_mailbox_is_read_through_its_mapping() -> None:
    mapping = load_mapping(resource("samples/mappings/mail.yaml"))
    with open_rows(resource("samples/mail/inbox.mbox")) as reading:
        rows = list(reading.rows)
    items = [apply(mapping, row.record) for row in rows if isinstance(row, Row)]
    bad = [row.reason for row in rows if isinstance(row, BadRow)]
    assert [item.reporter_id for item in items] == [
        "mara@quill.example",
        "jonas@reed.example",
        "mara@quill.example",
        "postmaster@old.example",
    ]
    assert items[1].body.startswith("I have blocked him three times.")
    assert "messages.txt" in str(items[1].attributes["attachments"])
    assert bad == ["bad_time", "bad_encoding", "broken_mail", "broken_mail"]
