"""Reading the file that declares the sources; faults are shown as a compiler shows them."""

from collections.abc import Mapping as Mapped
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from casework.errors import ConfigurationError, MappingError
from casework.inbox.posts import Vendor
from casework.inbox.sources import InboxFile, SecretPlace, Source, SourceEntry
from casework.mapping import Mapping, identity, load_mapping
from casework.policy.document import Document, parse
from casework.policy.faults import Fault, in_order, nearest

_HINT = "docs/receiver.md lists what the file may say"


def load_sources(path: Path) -> dict[str, Source]:
    """The declared sources by id.

    Raises:
        ConfigurationError: the file cannot be read, or says something it may not say; the message
            shows every fault with its line.
        MappingError: a source's mapping does not load.
    """
    document = _read(path)
    try:
        declared = InboxFile.model_validate(document.data)
    except ValidationError as error:
        faults = [_fault(document, detail) for detail in error.errors(include_url=False)]
        raise _refused(document, [*document.faults, *faults]) from error
    if document.faults:
        raise _refused(document, document.faults)
    folder = path.parent
    return {
        name: Source(name, entry, _mapping(entry, folder))
        for name, entry in declared.sources.items()
    }


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of one source that could be read, and those that could not, with the reason."""

    secrets: tuple[SecretStr, ...]
    missing: Mapped[str, str]


def secrets_of(source: Source, environment: Mapped[str, str], folder: Path) -> Keys:
    """Read a source's secrets; where two are valid at once, either may sign.

    One that is not there is told, and no reason to refuse the other: that is how one is rotated.
    """
    found: list[SecretStr] = []
    missing: dict[str, str] = {}
    for place in source.entry.secrets:
        text = _secret(place, environment, folder)
        if text.strip():
            found.append(SecretStr(text.strip()))
        else:
            missing[str(place)] = "it is not there, or empty"
    return Keys(tuple(found), missing)


def _read(path: Path) -> Document:
    try:
        return parse(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path}: cannot be read: {error}", hint="check CASEWORK_INBOX_FILE"
        ) from error


def _mapping(entry: SourceEntry, folder: Path) -> Mapping | None:
    if entry.mapping is not None:
        mapping = load_mapping(folder / entry.mapping)
        if mapping.format == "csv":
            raise MappingError(f"{entry.mapping}: a post is JSON, never CSV", hint="drop `format`")
        return mapping
    return identity() if entry.vendor is Vendor.STANDARD else None


def _secret(place: SecretPlace, environment: Mapped[str, str], folder: Path) -> str:
    if place.env is not None:
        return environment.get(place.env, "")
    try:
        return (folder / (place.file or "")).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _fault(document: Document, detail: Any) -> Fault:
    at = tuple(step for step in detail["loc"] if step != "[key]")
    if detail["type"] == "extra_forbidden":
        model: Any = {1: InboxFile, 3: SourceEntry}.get(len(at), SecretPlace)
        hint = nearest(str(at[-1]), list(model.model_fields))
        return document.fault(at, f"there is no `{at[-1]}` here", hint, key=True)
    message = detail["msg"].removeprefix("Value error, ")
    return document.fault(at, message[:1].lower() + message[1:])


def _refused(document: Document, faults: list[Fault]) -> ConfigurationError:
    shown = "\n".join(fault.render() for fault in in_order(faults))
    return ConfigurationError(f"the inbox file cannot be used\n{shown}", hint=_HINT)
