"""Evidence: what a reviewer is shown at a gate, and the digest that names it."""

from collections.abc import Sequence

from casework.canonical import canonical, digest_bytes
from casework.cases import Reading


def evidence_digest(content_digest: str, readings: Sequence[Reading], decision_id: str) -> str:
    """SHA-256 over what a reviewer is shown: content, signals with provenance, the proposal."""
    ordered = sorted(readings, key=lambda reading: reading.provider)
    return evidence_digest_of(content_digest, b",".join(map(shown, ordered)), decision_id)


def seen_in_full(digest: str, seen: str) -> str:
    """The whole of an evidence digest where 12 or more of its first characters were given.

    Anything else comes back at a digest's length, so that the guard refuses it as other evidence.
    """
    given = seen.strip().lower()
    if len(given) >= 12 and digest.startswith(given):
        return digest
    return f"?{given}".ljust(64, "?")[:64]


def shown(reading: Reading) -> bytes:
    """A reading as a reviewer is shown it, in canonical JSON."""
    return canonical(
        {
            "provider": reading.provider,
            "version": reading.version,
            "values": {name: str(value) for name, value in reading.values.items()},
            "unknown": dict(reading.unknown),
        }
    )


def evidence_digest_of(content_digest: str, readings: bytes, decision_id: str) -> str:
    """The same from readings ``shown`` and joined, by provider: the canonical form of the whole."""
    # Digests and derived ids are plain ASCII, with nothing that JSON would escape.
    head = f'{{"content":"{content_digest}","decision":"{decision_id}","signals":['
    return digest_bytes(head.encode() + readings + b"]}")
