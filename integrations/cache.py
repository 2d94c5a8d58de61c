"""Answers kept in the store by the digest of their question, each for a while."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from casework.store.engine import reading, transaction
from casework.store.signals import cached, remember


class StoreCache:
    """Keeps answers in the store; each use is a short transaction of its own."""

    def __init__(self, engine: Engine, keep_for: timedelta) -> None:
        self._engine, self._keep_for = engine, keep_for

    def get(self, provider: str, version: str, keys: Sequence[str]) -> Mapping[str, Any]:
        """The answers kept under some keys that have not expired."""
        with reading(self._engine) as session:
            return cached(session, provider, version, keys, datetime.now(UTC))

    def put(self, provider: str, version: str, documents: Mapping[str, Any]) -> None:
        """Keep answers; nothing is written where there are none."""
        if documents:
            expires_at = datetime.now(UTC) + self._keep_for
            with transaction(self._engine) as session:
                remember(session, provider, version, documents, expires_at)
