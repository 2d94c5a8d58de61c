"""Every error Casework raises on purpose, in one tree.

::

    CaseworkError
    ├── ConfigurationError     something the operator wrote is wrong
    │   ├── PolicyError        a policy bundle does not lint
    │   └── MappingError       a field mapping does not load
    ├── InputError             a file or an argument cannot be used
    │   └── RowFault           one row of it cannot become a case
    ├── NotFound               no such case, gate, incident, row or person
    ├── Denied                 a guard refused an answer at a gate, or an act in an incident
    ├── SignInRefused          nobody has signed in, or not with this
    ├── NotAllowed             the role of who has signed in does not allow it
    ├── TooManyRequests        somebody asks the console's API too often
    ├── Conflict               the thing changed in the meantime
    ├── StoreError             the database is gone, locked or not migrated
    ├── EngineError            Prefect cannot be reached or refused
    ├── LedgerFault            the history does not verify
    └── ProviderError          an outside system failed
        ├── ProviderTimeout        it did not answer in time
        ├── ProviderUnavailable    it could not be reached, or answered 5xx
        ├── RateLimited            it answered 429
        ├── ProviderRefused        it refused our credentials or our request
        └── ProviderBadReply       it answered something its contract does not allow

``code`` is stable and meant for programs, ``status`` is the HTTP status of the same error and
``exit_code`` that of the command line.
"""

from typing import ClassVar


class CaseworkError(Exception):
    """The root. ``hint`` says what to do next; it may be empty."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, str]:
        """The one shape in which errors are shown to programs."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class ConfigurationError(CaseworkError):
    """Something the operator wrote is wrong."""

    code = "configuration"
    status = 500
    exit_code = 3


class PolicyError(ConfigurationError):
    """A policy bundle does not lint; the message lists every fault."""

    code = "policy"


class MappingError(ConfigurationError):
    """A field mapping does not load."""

    code = "mapping"


class InputError(CaseworkError):
    """A file or an argument cannot be used."""

    code = "input"
    status = 422
    exit_code = 3


class RowFault(InputError):
    """One row cannot become a case; ``reason`` is a stable code, the message quotes no content."""

    code = "row"

    def __init__(self, reason: str, detail: str, *, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.reason = reason

    def as_dict(self) -> dict[str, str]:
        """The common shape, and why the row was refused."""
        return {**super().as_dict(), "reason": self.reason}


class NotFound(CaseworkError):
    """No such case, gate, row or person."""

    code = "not_found"
    status = 404
    exit_code = 4


class Denied(CaseworkError):
    """A guard refused an answer, or an act in an incident; ``reason`` is its stable code."""

    code = "denied"
    status = 403
    exit_code = 5

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason

    def as_dict(self) -> dict[str, str]:
        """The common shape, and the guard's reason."""
        return {**super().as_dict(), "reason": self.reason}


class SignInRefused(CaseworkError):
    """Nobody has signed in, or what they signed in with does not count."""

    code = "sign_in_refused"
    status = 401
    exit_code = 5


class NotAllowed(CaseworkError):
    """The role of who has signed in does not allow what was asked."""

    code = "not_allowed"
    status = 403
    exit_code = 5


class TooManyRequests(CaseworkError):
    """Somebody asks too often; ``retry_after`` is in whole seconds."""

    code = "too_many_requests"
    status = 429
    exit_code = 5

    def __init__(self, message: str, *, retry_after: int, hint: str = "") -> None:
        super().__init__(message, hint=hint or f"ask again in {retry_after} s")
        self.retry_after = retry_after


class Conflict(CaseworkError):
    """The thing changed in the meantime; ``reason`` is the guard's code where it was the guard."""

    code = "conflict"
    status = 409
    exit_code = 5

    def __init__(self, message: str, *, reason: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason

    def as_dict(self) -> dict[str, str]:
        """The common shape, and the guard's reason."""
        return {**super().as_dict(), "reason": self.reason}


class StoreError(CaseworkError):
    """The database is gone, locked or not migrated."""

    code = "store"
    status = 503
    exit_code = 6


class EngineError(CaseworkError):
    """Prefect cannot be reached or refused what was asked of it."""

    code = "engine"
    status = 503
    exit_code = 7


class LedgerFault(CaseworkError):
    """The history does not verify."""

    code = "ledger"
    status = 500
    exit_code = 8


class ProviderError(CaseworkError):
    """An outside system failed; ``transient`` says whether trying again can help."""

    code = "provider"
    status = 502
    transient: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        answered: int | None = None,
        hint: str = "",
    ) -> None:
        """Say how it failed; ``retry_after`` in seconds and ``answered``, a status, if it did."""
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        self.answered = answered


class ProviderTimeout(ProviderError):
    """It did not answer in time."""

    code = "provider_timeout"
    status = 504
    transient = True


class ProviderUnavailable(ProviderError):
    """It could not be reached, or answered 5xx."""

    code = "provider_unavailable"
    transient = True


class RateLimited(ProviderError):
    """It answered 429; ``retry_after`` is in seconds where it said so."""

    code = "provider_rate_limited"
    status = 429
    transient = True


class ProviderRefused(ProviderError):
    """It refused our credentials or our request."""

    code = "provider_refused"


class ProviderBadReply(ProviderError):
    """It answered something its contract does not allow."""

    code = "provider_bad_reply"
