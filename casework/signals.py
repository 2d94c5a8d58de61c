"""Signals: why one can be unknown, and what makes a provider's answer a reading. Pure."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from math import isfinite

from casework.cases import Reading, Scalar
from casework.errors import (
    ConfigurationError,
    ProviderBadReply,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)


class Unknown(StrEnum):
    """Why a signal is unknown. Stable codes; rules see NULL whatever the reason."""

    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    RATE_LIMITED = "rate_limited"
    REFUSED = "refused"
    BAD_REPLY = "bad_reply"
    NOT_CONFIGURED = "not_configured"
    ERROR = "error"  # the provider itself broke
    NO_SUBJECT = "no_subject"
    NO_SUCH_ACCOUNT = "no_such_account"
    NO_TEXT = "no_text"
    NOT_GIVEN = "not_given"  # the service answered, without this


#: Reasons that mean that a provider failed, rather than that there was nothing to know.
FAILURES = frozenset(
    {
        Unknown.TIMEOUT,
        Unknown.UNAVAILABLE,
        Unknown.RATE_LIMITED,
        Unknown.REFUSED,
        Unknown.BAD_REPLY,
        Unknown.NOT_CONFIGURED,
        Unknown.ERROR,
    }
)

_REASONS: tuple[tuple[type[Exception], Unknown], ...] = (
    (ProviderTimeout, Unknown.TIMEOUT),
    (TimeoutError, Unknown.TIMEOUT),
    (ProviderUnavailable, Unknown.UNAVAILABLE),
    (RateLimited, Unknown.RATE_LIMITED),
    (ProviderRefused, Unknown.REFUSED),
    (ProviderBadReply, Unknown.BAD_REPLY),
    (ConfigurationError, Unknown.NOT_CONFIGURED),
)


def reason_of(error: BaseException) -> Unknown:
    """The reason code of what went wrong; ``error`` for anything nobody foresaw."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return Unknown.ERROR


def nothing_known(provider: str, version: str, signals: Sequence[str], reason: Unknown) -> Reading:
    """The reading of a provider that could say nothing, for one reason."""
    return Reading(provider, version, {}, dict.fromkeys(signals, str(reason)))


def complete(reading: Reading, provider: str, version: str, signals: Collection[str]) -> Reading:
    """Hold a reading to what its provider promises.

    A value that is not a plain scalar, or not a finite number, becomes unknown (``bad_reply``), a
    promised signal the reading does not mention too (``error``), and what was not promised is
    left out. A reading that keeps the promise is given back as it is.
    """
    values, unknown = reading.values, reading.unknown
    if (
        type(values) is dict
        and type(unknown) is dict
        and reading.provider == provider
        and reading.version == version
        and len(values) + len(unknown) == len(signals)
        and all(name in values or name in unknown for name in signals)
        and all(map(_is_scalar, values.values()))
    ):
        return reading
    known = {name: values[name] for name in signals if name in values and _is_scalar(values[name])}
    missing = {name: _why(name, values, unknown) for name in signals if name not in known}
    return Reading(provider, version, known, missing, reading.latency_ms, reading.cached)


def completed(
    readings: Sequence[Reading], provider: str, version: str, signals: Sequence[str]
) -> list[Reading]:
    """Hold each reading of a batch to its provider's promise; those that cases share only once."""
    checked: dict[int, Reading] = {}
    for each in readings:
        if id(each) not in checked:
            checked[id(each)] = complete(each, provider, version, signals)
    return [checked[id(each)] for each in readings]


def _why(name: str, values: Mapping[str, Scalar], unknown: Mapping[str, str]) -> str:
    if name in unknown:
        return unknown[name]
    return str(Unknown.BAD_REPLY if name in values else Unknown.ERROR)


def _is_scalar(value: object) -> bool:
    kind = type(value)
    if kind is bool or kind is str:
        return True
    if kind is int:
        return abs(value) < 2**53  # type: ignore[arg-type]
    return kind is float and isfinite(value)  # type: ignore[arg-type]
