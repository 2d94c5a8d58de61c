"""Why a row cannot become a case."""

from enum import StrEnum


class Reason(StrEnum):
    """Stable codes, shown in counts and kept in quarantine."""

    BROKEN_JSON = "broken_json"
    NOT_AN_OBJECT = "not_an_object"
    DUPLICATE_KEY = "duplicate_key"
    TOO_DEEP = "too_deep"
    INVALID_UTF8 = "invalid_utf8"
    LONE_SURROGATE = "lone_surrogate"
    NUL = "nul"
    LINE_TOO_LONG = "line_too_long"
    COLUMN_COUNT = "column_count"
    BROKEN_CSV = "broken_csv"
    DAMAGED_FILE = "damaged_file"
    BROKEN_MAIL = "broken_mail"
    BAD_ENCODING = "bad_encoding"
    MAIL_TOO_LARGE = "mail_too_large"
    NUMBER = "number_out_of_range"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    BAD_TIME = "bad_time"
    UNMAPPED_VALUE = "unmapped_value"
    VALUE_TOO_LONG = "value_too_long"
    INVALID = "invalid"
