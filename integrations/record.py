"""The embedded destination: it takes everything, does nothing with it, and gives a receipt.

With it effects can be seen to leave where no outside system is set up. What it took is in the
outbox and in the history; it keeps nothing of its own, and no text.
"""

from hashlib import sha256

from casework.effects import Delivery, Receipt


class RecordDestination:
    """Takes each effect, and names the receipt after its key: the same key, the same receipt."""

    def __init__(self, *, name: str) -> None:
        self.name = name

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Take an effect."""
        return Receipt(f"record-{sha256(delivery.effect.key.encode()).hexdigest()[:12]}")

    async def close(self) -> None:
        """There is nothing to close."""
