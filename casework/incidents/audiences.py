"""Who is told of an incident, and by which destinations each of them may be told. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from casework.effects import EffectKind
from casework.errors import InputError
from casework.policy.faults import nearest
from casework.policy.model import Bundle, DestinationSpec

#: Types of destinations that can bring a text that is about no one case.
BRINGING: Final = frozenset({"log", "slack", "webhook"})


class Audience(StrEnum):
    """Who is told."""

    INTERNAL = "internal"
    PARTNERS = "partners"
    PUBLIC = "public"


def check_destinations(bundle: Bundle, audience: Audience, names: Sequence[str]) -> None:
    """Refuse to send an update where it cannot go, or where its audience is not.

    Raises:
        InputError: the bundle has no such destination, or it may not be sent this.
    """
    for name in names:
        spec = bundle.destinations.get(name)
        if spec is None:
            hint = nearest(name, bundle.destinations, "destination")
            raise InputError(f"the policy has no destination {name}", hint=hint)
        if fault := _fault(spec, audience):
            raise InputError(f"{name} cannot be sent this update: {fault[0]}", hint=fault[1])


def _fault(spec: DestinationSpec, audience: Audience) -> tuple[str, str] | None:
    """What keeps a destination from being sent an update, and the way out."""
    if EffectKind.NOTIFY not in spec.takes:
        return "it takes no notify", f"let {spec.id} take notify in destinations.yaml"
    if spec.type not in BRINGING:
        return f"its type is {spec.type}", f"types that bring it are: {', '.join(sorted(BRINGING))}"
    if audience not in spec.audiences:
        told = ", ".join(sorted(spec.audiences))
        way_out = f"its `audiences` in destinations.yaml are: {told}"
        return f"it is not for the audience {audience}", way_out
    return None
