"""What goes wrong over HTTP, as our errors: exceptions of the client, and statuses.

No error made here holds a URL's path, a header or a body: those carry credentials and content.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from casework.errors import (
    ProviderBadReply,
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)

#: What each of httpx's exceptions means; the first class that fits counts.
_MEANINGS: Final[tuple[tuple[type[Exception], type[ProviderError], str], ...]] = (
    (httpx.TimeoutException, ProviderTimeout, "did not answer in time"),
    (TimeoutError, ProviderTimeout, "did not answer in time"),
    (httpx.UnsupportedProtocol, ProviderRefused, "has a URL that is not HTTP"),
    (httpx.LocalProtocolError, ProviderRefused, "cannot be sent this request"),
    (httpx.InvalidURL, ProviderRefused, "has a URL that is not valid"),
    (httpx.CookieConflict, ProviderRefused, "cannot be sent this request"),
    (httpx.DecodingError, ProviderBadReply, "answered with an encoding that does not decode"),
    (httpx.TooManyRedirects, ProviderBadReply, "answered with a redirect"),
    (httpx.StreamError, ProviderBadReply, "answered with a stream that cannot be read"),
    (httpx.HTTPError, ProviderUnavailable, "cannot be reached"),
    (OSError, ProviderUnavailable, "cannot be reached"),
)


def error_of(name: str, error: Exception) -> ProviderError:
    """Our error for one of httpx's, or of the network's."""
    if isinstance(error, httpx.HTTPStatusError):
        return status_error(name, error.response.status_code, error.response.headers)
    for kind, meaning, what in _MEANINGS:
        if isinstance(error, kind):
            return meaning(f"{name} {what} ({type(error).__name__})")
    return ProviderUnavailable(f"{name} cannot be reached ({type(error).__name__})")


def status_error(
    name: str, status: int, headers: httpx.Headers, secret_setting: str = ""
) -> ProviderError:
    """Our error for an HTTP status that the call does not accept."""
    wait = retry_after(headers.get("retry-after"), datetime.now(UTC))
    if status == 429:
        return RateLimited(f"{name} asks for fewer requests", retry_after=wait, answered=status)
    if status in (408, 504):
        return ProviderTimeout(f"{name} answered {status}", retry_after=wait, answered=status)
    if status >= 500:
        return ProviderUnavailable(f"{name} answered {status}", retry_after=wait, answered=status)
    if status >= 400:
        hint = _way_out(status, secret_setting)
        return ProviderRefused(f"{name} answered {status}", answered=status, hint=hint)
    return ProviderBadReply(f"{name} answered {status}, which it may not", answered=status)


def _way_out(status: int, secret_setting: str) -> str:
    """What an operator can do about a refusal."""
    if status in (401, 403):
        mend = f": check {secret_setting}" if secret_setting else ""
        return f"its credentials may be wrong or revoked{mend}"
    if status in (404, 405, 410):
        return "check its URL; or what the request is about is not there any more"
    if status == 413:
        return "it takes less at once"
    return "it does not accept what was sent; its own log may say why"


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds to wait, from a Retry-After header in either of its forms; None without one."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
