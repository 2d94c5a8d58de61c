"""Effects on their way out."""

from typing import Any

from casework.effects import Delivery, Effect, EffectKind


def delivery(
    kind: EffectKind,
    *,
    key: str = "decision:d1:0",
    case_id: str | None = "c0123456789abcdef",
    text: str = "",
    link: str = "https://casework.example/gates/g1",
    **data: Any,
) -> Delivery:
    """One effect with what it says."""
    effect = Effect(key=key, kind=kind, destination="somewhere", case_id=case_id, data=data)
    return Delivery(effect, text, link)
