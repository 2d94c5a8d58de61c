"""Reading rows: everything a file can hold comes out as a row or as a bad row."""

import gzip
import io
import json
import tracemalloc
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import InputError, RowFault
from casework.rows import KEPT_LIMIT, BadRow, Row, open_rows, parse_json, read_rows
from casework.rows.lines import Damage, Overlong, split_lines


def read(data: bytes, name: str = "rows.jsonl", **options: object) -> list[Row | BadRow]:
    return list(read_rows(io.BytesIO(data), name=name, **options).rows)  # type: ignore[arg-type]


def reasons(data: bytes, name: str = "rows.jsonl", **options: object) -> list[str]:
    return [row.reason if isinstance(row, BadRow) else "ok" for row in read(data, name, **options)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "broken_json"),
        (b"nonsense", "broken_json"),
        (b'{"a": 1} {"b": 2}', "broken_json"),
        (b"[1, 2]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"a": "\xff"}', "invalid_utf8"),
        (b'{"a": "\xed\xa0\x80"}', "invalid_utf8"),
        (b'{"a": "\x00"}', "nul"),
        (b'{"a": "\\u0000"}', "nul"),
        (b'{"\\u0000": 1}', "nul"),
        (b'{"a": ["\\u0000"]}', "nul"),
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'{"a": 1, "a" : 2}', "duplicate_key"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate_key"),
        (b'{"b": [{"a": 1, "a": 1}]}', "duplicate_key"),
        (b'{"a": NaN}', "number_out_of_range"),
        (b'{"a": -Infinity}', "number_out_of_range"),
        (b'{"a": 1e999}', "number_out_of_range"),
        (b'{"a": 123456789012345678901234567890}', "number_out_of_range"),
        (b'{"a": "\\ud83d"}', "lone_surrogate"),
        (b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "too_deep"),
        (b"[" * 10_000 + b"]" * 10_000, "too_deep"),
        (b'{"a": ' * 200 + b"1" + b"}" * 200, "too_deep"),
    ],
)
def test_a_row_that_cannot_be_kept_exactly_is_refused_with_its_reason(
    line: bytes, reason: str
) -> None:
    good = b'{"fine": true}'
    assert reasons(b"\n".join([good, line, good])) == ["ok", reason, "ok"]


def test_the_raw_bytes_of_a_bad_row_are_kept() -> None:
    [bad] = read(b'{"a": \xff\r\n')
    assert isinstance(bad, BadRow)
    assert (bad.raw, bad.size) == (b'{"a": \xff\r', 8)
    assert bad.digest == sha256(bad.raw).hexdigest()


def test_text_that_only_looks_like_keys_is_no_duplicate() -> None:
    assert reasons(b'{"a": "\\":\\": \\" :", "b": {"a": "x\\": 1"}}') == ["ok"]


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert reasons(b'{"a": "\\\\u0000"}') == ["ok"]


def test_a_mark_line_ends_and_blank_lines_are_no_rows() -> None:
    rows = read(b'\xef\xbb\xbf{"a": 1}\r\n\r\n   \n{"a": 2}')
    assert [(row.line, row.record) for row in rows if isinstance(row, Row)] == [
        (1, {"a": 1}),
        (4, {"a": 2}),
    ]


def test_a_line_of_ten_megabytes_is_refused_whole() -> None:
    long = b'{"a": "' + b"x" * 10_000_000 + b'"}'
    first, bad, last = read(b'{"n": 1}\n' + long + b'\n{"n": 2}\n')
    assert isinstance(bad, BadRow)
    assert (bad.reason, bad.line, bad.size) == ("line_too_long", 2, len(long))
    assert bad.raw == long
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert last.line == 3


class Endless(io.RawIOBase):
    """A stream of one endless line, up to a size."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read1(self, size: int) -> bytes:
        part = min(size, self.left)
        self.left -= part
        return b"x" * part


def test_an_endless_line_takes_no_more_memory_than_is_kept() -> None:
    size = 200 * 1024 * 1024
    tracemalloc.start()
    [line] = split_lines(Endless(size), 1024)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(line, Overlong)
    assert (len(line.raw), line.size) == (KEPT_LIMIT, size)
    assert peak < 4 * KEPT_LIMIT


@given(st.binary(max_size=400), st.integers(1, 50))
def test_lines_are_cut_where_the_line_feeds_are(data: bytes, limit: int) -> None:
    lines = []
    for line in split_lines(io.BytesIO(data), limit):
        assert not isinstance(line, Damage)
        lines.append(line.raw if isinstance(line, Overlong) else line)
        assert isinstance(line, Overlong) == (len(lines[-1]) > limit)
    assert lines == (data.removesuffix(b"\n").split(b"\n") if data else [])


@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=20))
def test_every_line_that_is_not_blank_comes_out_once(lines: list[bytes]) -> None:
    rows = read(b"\n".join(lines), format="jsonl")
    numbers = [number for number, line in enumerate(lines, start=1) if line.strip()]
    first_is_mark = bool(lines) and lines[0].strip() == b"\xef\xbb\xbf"
    assert [row.line for row in rows] == numbers[first_is_mark:]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")), inner
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")), JSON
    ),
    st.booleans(),
)
def test_every_object_that_python_writes_is_read_as_it_was(
    document: dict[str, object], spaced: bool
) -> None:
    separators = (" ,\t", " :\r") if spaced else None
    assert parse_json(json.dumps(document, separators=separators).encode()) == document


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "\\u0061", 'x\\":']), st.integers()), max_size=5)
)
def test_a_key_given_twice_is_always_seen(pairs: list[tuple[str, int]]) -> None:
    raw = ("{" + ",".join(f'"{key}" :{value % 100}' for key, value in pairs) + "}").encode()
    keys = [json.loads(f'"{key}"') for key, _ in pairs]
    if len(set(keys)) < len(keys):
        with pytest.raises(RowFault) as refused:
            parse_json(raw)
        assert refused.value.reason == "duplicate_key"
    else:
        assert set(parse_json(raw)) == set(keys)


CSV = (
    b'id,text\n1,one\n2\n"3","two\nlines"\n4,four,more\n"open,5\n6,six\n\n\xff,7\n"a"b,8\n9,nine\n'
)


def test_a_csv_file_gives_its_good_rows_and_refuses_the_others() -> None:
    rows = read(CSV, "rows.csv")
    assert [(row.line, row.reason if isinstance(row, BadRow) else row.record) for row in rows] == [
        (2, {"id": "1", "text": "one"}),
        (3, "column_count"),
        (4, {"id": "3", "text": "two\nlines"}),
        (6, "column_count"),
        (7, "broken_csv"),
        (8, {"id": "6", "text": "six"}),
        (10, "invalid_utf8"),
        (11, "broken_csv"),
        (12, {"id": "9", "text": "nine"}),
    ]


def test_a_quote_that_is_never_closed_costs_one_row() -> None:
    many = b"".join(b"%d,x\n" % number for number in range(2000))
    found = reasons(b'id,text\n1,"open\n' + many, "rows.csv")
    assert found == ["broken_csv"] + ["ok"] * 2000


def test_a_nul_in_csv_is_named_as_such() -> None:
    assert reasons(b"id,text\n1,a\x00b\n2,c\n", "rows.csv") == ["nul", "ok"]


def test_csv_with_a_mark_carriage_returns_and_another_delimiter_is_read() -> None:
    [row] = read(b"\xef\xbb\xbfid;text\r\n1;a,b\r\n", "rows.csv", delimiter=";")
    assert isinstance(row, Row)
    assert row.record == {"id": "1", "text": "a,b"}


def test_a_long_cell_is_read_up_to_the_limit_of_a_row() -> None:
    [row] = read(b"id,text\n1," + b"x" * 500_000 + b"\n", "rows.csv")
    assert isinstance(row, Row)
    assert len(row.record["text"]) == 500_000


def test_columns_without_a_name_are_called_by_their_number() -> None:
    [row] = read(b",a,\n1,2,3\n", "rows.csv")
    assert isinstance(row, Row)
    assert row.record == {"column_1": "1", "a": "2", "column_3": "3"}


@pytest.mark.parametrize(
    "header", [b"a,b,a\n", b"a,\xff\n", b'a,"b\n', b"a\rb\rc\n", b"x" * 2_000_000]
)
def test_a_csv_header_that_cannot_name_the_columns_is_an_error_of_the_file(header: bytes) -> None:
    with pytest.raises(InputError) as refused:
        read(header + b"1,2,3\n", "rows.csv")
    assert refused.value.hint


def test_columns_given_by_the_mapping_stand_for_a_header() -> None:
    [row] = read(b"1,2\n", "rows.csv", columns=("a", "b"))
    assert isinstance(row, Row)
    assert row.record == {"a": "1", "b": "2"}


@given(st.binary(max_size=300))
def test_any_bytes_after_a_csv_header_come_out_line_by_line(data: bytes) -> None:
    lines = dict(enumerate(data.split(b"\n"), start=2))
    for row in read(b"a,b\n" + data, "rows.csv", format="csv"):
        for number, part in enumerate(row.raw.split(b"\n"), start=row.line):
            assert lines.pop(number) == part
    assert all(left in (b"", b"\r") for left in lines.values())


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def rows_of(path: Path) -> Iterator[Row | BadRow]:
    with open_rows(path) as opened:
        yield from opened.rows


def test_a_compressed_file_is_known_by_its_content(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", gzip.compress(b'{"a": 1}\n'))
    assert [row.raw for row in rows_of(path)] == [b'{"a": 1}']


def test_json_lines_called_csv_are_read_as_json_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", b'{"a": 1}\n{"a": 2}\n')
    assert all(isinstance(row, Row) for row in rows_of(path))


def test_csv_without_a_telling_name_is_read_as_csv(tmp_path: Path) -> None:
    path = write(tmp_path / "export", b"a,b\n1,2\n")
    [row] = rows_of(path)
    assert isinstance(row, Row)
    assert row.record == {"a": "1", "b": "2"}


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_compressed_file_cut_short_gives_what_it_holds_and_says_so(
    tmp_path: Path, keep: float
) -> None:
    lines = [b'{"a": "%s"}' % sha256(str(n).encode()).hexdigest().encode() for n in range(5000)]
    whole = gzip.compress(b"\n".join(lines))
    path = write(tmp_path / "rows.jsonl.gz", whole[: int(len(whole) * keep)])
    *good, damage = rows_of(path)
    assert isinstance(damage, BadRow)
    assert damage.reason == "damaged_file"
    assert [row.raw for row in good] == lines[: len(good)]
    assert lines[len(good)].startswith(damage.raw)
    readable = zlib.decompressobj(31).decompress(path.read_bytes())
    assert b"\n".join(row.raw for row in [*good, damage]) == readable


def test_rubbish_after_a_compressed_file_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.gz", gzip.compress(b'{"a": 1}\n') + b"rubbish")
    good, damage = rows_of(path)
    assert isinstance(good, Row)
    assert isinstance(damage, BadRow)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    for name in ("rows.jsonl", "rows.csv", "rows"):
        assert list(rows_of(write(tmp_path / name, b""))) == []
    assert list(rows_of(write(tmp_path / "only.csv", b"a,b\n"))) == []


def test_a_file_that_is_none_is_refused_with_a_hint(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.jsonl", Path("nul\0name")):
        with pytest.raises(InputError) as refused:
            list(rows_of(path))
        assert refused.value.hint
