"""Rows of a file: read one after the other, good ones and bad ones, with memory flat."""

from casework.rows.delimited import parse_csv
from casework.rows.files import Reading, open_rows, read_rows
from casework.rows.jsonl import parse_json
from casework.rows.message import parse_mail
from casework.rows.model import KEPT_LIMIT, ROW_LIMIT, BadRow, Format, Layout, Row, refused
from casework.rows.reasons import Reason

__all__ = [
    "KEPT_LIMIT",
    "ROW_LIMIT",
    "BadRow",
    "Format",
    "Layout",
    "Reading",
    "Reason",
    "Row",
    "open_rows",
    "parse_csv",
    "parse_json",
    "parse_mail",
    "read_rows",
    "refused",
]
