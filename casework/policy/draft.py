"""A bundle as far as it could be read: entries that fit their schema, and all that does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from casework.playbooks import Playbook
from casework.policy.clock_entries import CalendarEntry, ClockEntry, LadderEntry
from casework.policy.document import Document, Path, parse
from casework.policy.effect_entries import DestinationEntry
from casework.policy.faults import Fault, nearest
from casework.policy.schema import (
    OPTIONAL,
    SECTIONS,
    ActionEntry,
    BundleEntry,
    CategoryEntry,
    PatternEntry,
    QueueEntry,
    RuleEntry,
    SignalEntry,
    keys_of,
    nested_model,
)
from casework.qa.plans import ErrorClass, Plan

M = TypeVar("M", bound=BaseModel)
_HEAD: Final = "bundle.yaml"


@dataclass(slots=True)
class Draft:
    """Entries by id and, for each section, every id that was written, fitting or not."""

    files: Mapping[str, str]
    documents: dict[str, Document] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    head: BundleEntry | None = None
    signals: dict[str, SignalEntry] = field(default_factory=dict)
    categories: dict[str, CategoryEntry] = field(default_factory=dict)
    rules: list[tuple[int, RuleEntry]] = field(default_factory=list)
    queues: dict[str, QueueEntry] = field(default_factory=dict)
    actions: dict[str, ActionEntry] = field(default_factory=dict)
    patterns: dict[str, PatternEntry] = field(default_factory=dict)
    destinations: dict[str, DestinationEntry] = field(default_factory=dict)
    calendars: dict[str, CalendarEntry] = field(default_factory=dict)
    clocks: dict[str, ClockEntry] = field(default_factory=dict)
    ladders: dict[str, LadderEntry] = field(default_factory=dict)
    qa: dict[str, Plan] = field(default_factory=dict)
    taxonomy: dict[str, ErrorClass] = field(default_factory=dict)
    trees: dict[str, Playbook] = field(default_factory=dict)
    written: dict[str, set[str]] = field(
        default_factory=lambda: {section: set() for section in SECTIONS}
    )

    @property
    def playbooks(self) -> dict[str, str]:
        """Markdown by playbook id."""
        return self._markdown("playbooks/")

    @property
    def macros(self) -> dict[str, str]:
        """Markdown by macro id."""
        return self._markdown("macros/")

    def add(
        self, section: str, path: Path, message: str, hint: str = "", *, key: bool = False
    ) -> None:
        """Note a fault at a place of a section's file."""
        self.faults.append(self.documents[f"{section}.yaml"].fault(path, message, hint, key=key))

    def add_within(
        self, section: str, path: Path, offset: int, message: str, hint: str = ""
    ) -> None:
        """Note a fault at a character of a text of a section's file."""
        document = self.documents[f"{section}.yaml"]
        self.faults.append(document.fault_within(path, offset, message, hint))

    def _markdown(self, folder: str) -> dict[str, str]:
        return {
            name.removeprefix(folder).removesuffix(".md"): text
            for name, text in sorted(self.files.items())
            if name.startswith(folder) and name.endswith(".md")
        }


def read_draft(files: Mapping[str, str]) -> Draft:
    """Read the files of a bundle; nothing is raised, faults are gathered."""
    draft = Draft(files)
    known = {_HEAD, *(f"{section}.yaml" for section in SECTIONS)}
    for name in sorted(known | {name for name in files if name.endswith((".yaml", ".yml"))}):
        if name not in files and name.removesuffix(".yaml") not in OPTIONAL:
            draft.faults.append(Fault(name, 0, 0, "this file is missing"))
        elif name not in known and not name.startswith("playbooks/"):
            hint = nearest(name, known)
            draft.faults.append(Fault(name, 0, 0, "a bundle has no such file", hint))
        document = parse(name, files.get(name, ""))
        draft.documents[name] = document
        draft.faults.extend(document.faults)
    _read_head(draft)
    for section in SECTIONS:
        _read_section(draft, section)
    return draft


def _read_head(draft: Draft) -> None:
    document = draft.documents[_HEAD]
    if document.data is not None or _HEAD in draft.files:
        before = len(draft.faults)
        head = fit(draft, document, (), BundleEntry, document.data)
        draft.head = head if len(draft.faults) == before else None


def _read_section(draft: Draft, section: str) -> None:
    document = draft.documents[f"{section}.yaml"]
    data = document.data
    if section == "rules" and isinstance(data, list):
        _read_rules(draft, document, data)
    elif section != "rules" and isinstance(data, dict):
        _read_entries(draft, document, section, data)
    elif data is not None or section == "rules":
        shape = "a list of rules" if section == "rules" else f"{section} by id"
        draft.add(section, (), f"this file must hold {shape}")


def _read_entries(draft: Draft, document: Document, section: str, data: dict[str, Any]) -> None:
    draft.written[section] = set(data)
    target: dict[str, BaseModel] = getattr(draft, section)
    for name, value in data.items():
        entry = fit(draft, document, (name,), SECTIONS[section], value)
        if entry is not None:
            target[name] = entry


def _read_rules(draft: Draft, document: Document, data: list[Any]) -> None:
    seen: dict[str, int] = {}
    for index, value in enumerate(data):
        entry = fit(draft, document, (index,), RuleEntry, value)
        name = value.get("id") if isinstance(value, dict) else None
        if isinstance(name, str):
            if name in seen:
                line = document.nodes[(seen[name], "id")].start_mark.line + 1
                hint = f"line {line} has a rule of this id too"
                draft.add("rules", (index, "id"), f"duplicate rule `{name}`", hint)
                continue
            seen[name] = index
        if entry is not None:
            draft.rules.append((index, entry))
    draft.written["rules"] = set(seen)


def fit(draft: Draft, document: Document, path: Path, model: type[M], value: Any) -> M | None:
    """Fit a value to its model; what does not fit is noted and left out, the rest is kept.

    Keeping the rest lets the later checks find its faults too. Nothing is made of a draft that
    has faults, so nobody meets an entry with holes.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = error.errors()
    for problem in problems:
        inner = tuple(problem["loc"])
        draft.faults.append(_explain(document, path, inner, model, dict(problem)))
    if not isinstance(value, dict):
        return None
    wrong = {problem["loc"][0] for problem in problems if problem["loc"]}
    kept = {
        name: _empty(info) if name in wrong else _fitting(info, value[name])
        for name, info in model.model_fields.items()
        if name in wrong or name in value
    }
    return model.model_construct(**kept)


def _fitting(info: FieldInfo, value: Any) -> Any:
    """A value of which the whole entry's validation has found no fault, as its model has it."""
    return TypeAdapter(info.rebuild_annotation()).validate_python(value)


def _empty(info: FieldInfo) -> Any:
    return () if get_origin(info.annotation) in (tuple, frozenset) else None


def _explain(
    document: Document, path: Path, inner: Path, model: type[BaseModel], problem: dict[str, Any]
) -> Fault:
    kind, full = problem["type"], (*path, *inner)
    name = inner[-1] if inner else (path[-1] if path else document.name)
    if kind == "missing":
        return document.fault(full[:-1], f"`{name}` is missing", key=True)
    if kind == "extra_forbidden":
        owner = nested_model(model, inner[:-1])
        hint = nearest(str(name), keys_of(owner)) if owner else ""
        return document.fault(full, f"unknown key `{name}`", hint, key=True)
    if inner and inner[-1] == "[key]" and kind != "string_pattern_mismatch":
        return document.fault(full[:-1], f"`{inner[-2]}`: {_said(problem)}", key=True)
    if inner and inner[-1] == "[key]":
        hint = "use lower-case letters, digits and _"
        return document.fault(full[:-1], f"`{inner[-2]}` is not an id", hint, key=True)
    message = _said(problem)
    if kind in ("enum", "literal_error"):
        hint = nearest(str(problem["input"]), _choices(problem)) if _choices(problem) else ""
        return document.fault(full, f"`{name}` is {problem['input']!r}", hint)
    if kind == "string_pattern_mismatch":
        message = "use lower-case letters, digits and _, a letter first"
    hint = "put it in quotes" if kind == "string_type" and problem["input"] is not None else ""
    return document.fault(full, f"`{name}`: {message[0].lower()}{message[1:]}", hint)


def _said(problem: dict[str, Any]) -> str:
    return str(problem["msg"]).removeprefix("Value error, ")


def _choices(problem: dict[str, Any]) -> list[str]:
    expected = str(problem.get("ctx", {}).get("expected", ""))
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",")]
