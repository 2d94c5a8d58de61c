"""A sender in a process of its own, for tests that kill it."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from casework.ledger.entries import Provenance
from casework.policy.bundle import load_bundle
from casework.settings import Settings
from casework.store.engine import open_engine
from tasks.effects import Sender, send

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def send_all(store: str, policy: Path, url: str, ahead: float) -> None:
    """Send all that is due to a webhook, by a clock that runs so many seconds ahead."""
    settings = Settings(
        database_url=store,
        policy_dir=policy,
        webhook_url=url,
        webhook_secret=SecretStr(SECRET),
    )
    sender = Sender(
        settings,
        open_engine(store),
        load_bundle(policy),
        Provenance("casework:test"),
        "test",
        now=lambda: datetime.now(UTC) + timedelta(seconds=ahead),
    )
    asyncio.run(send(sender))


if __name__ == "__main__":
    send_all(sys.argv[1], Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
