"""What every destination needs of an effect, and how it says that it lacks it."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from casework.effects import Delivery
from casework.errors import ProviderBadReply, ProviderRefused

Model = TypeVar("Model", bound=BaseModel)


def told(name: str, delivery: Delivery, what: str) -> str:
    """What an effect's data say under a name, as text.

    Raises:
        ProviderRefused: nothing; trying again cannot help.
    """
    value = delivery.effect.data.get(what)
    if value is None or value == "":
        raise ProviderRefused(
            f"{name} cannot be sent a {delivery.effect.kind} that names no {what}",
            hint="the page of its integration says what an effect must name",
        )
    return str(value)


def untaken(name: str, delivery: Delivery) -> ProviderRefused:
    """The error for an effect that a destination has no use for."""
    return ProviderRefused(
        f"{name} has no use for a {delivery.effect.kind} like this",
        hint="destinations.yaml says which effects a destination takes",
    )


def checked(name: str, model: type[Model], document: object) -> Model:
    """Hold a reply to the part of its contract that is used.

    Raises:
        ProviderBadReply: it has another shape; nothing of it is quoted.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        where = {".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)}
    raise ProviderBadReply(f"{name} answered outside its contract at {', '.join(sorted(where))}")
