"""How often somebody may ask: a bucket of tokens that fills at a steady rate."""


class Bucket:
    """Allows ``burst`` at once, and ``rate`` a second in the long run."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, float(burst)
        self._tokens, self._at = float(burst), 0.0

    def take(self, now: float) -> float:
        """Take one token at a time in seconds; return how long to wait where there is none, or 0.

        A clock that is set back fills nothing.
        """
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self._rate
