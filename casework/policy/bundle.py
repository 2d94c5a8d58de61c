"""Reading a policy bundle from its folder, or again from the files kept in the store."""

from collections.abc import Mapping
from dataclasses import astuple
from functools import lru_cache
from pathlib import Path

from casework.canonical import digest
from casework.cases import CASE_FIELDS
from casework.policy.clocks import promises_of
from casework.policy.conditions import parse_condition
from casework.policy.draft import Draft, read_draft
from casework.policy.effect_references import check_macros
from casework.policy.faults import Fault, in_order, read_files, refuse
from casework.policy.model import (
    ActionSpec,
    Bundle,
    Category,
    Default,
    DestinationSpec,
    Pattern,
    Queue,
    Retry,
    Rule,
    Signal,
)
from casework.policy.playbook_files import read_playbooks
from casework.policy.program import engine_fault
from casework.policy.qa_references import check_qa
from casework.policy.reach import check_reach
from casework.policy.references import check_references
from casework.qa.plans import TAXONOMY


def load_bundle(folder: Path) -> Bundle:
    """Read the bundle in a folder.

    Raises:
        PolicyError: it does not lint; the message shows every fault.
    """
    files, unread = read_files(folder)
    if unread:
        refuse(in_order([*unread, *_linted(files).faults]))
    return _bundle(tuple(files.items()))


def bundle_from_files(files: Mapping[str, str]) -> Bundle:
    """Read a bundle from its files by relative path, as the store keeps them.

    Rules that cannot decide anything and macros that nothing can fill are let pass, so that a
    bundle adopted before a check existed can still be replayed.

    Raises:
        PolicyError: a file, a reference or a condition is wrong.
    """
    return _checked(tuple(sorted(files.items())))


def read_bundle(folder: Path) -> Bundle:
    """Read the bundle in a folder as ``bundle_from_files`` does, for those who do not decide by it.

    Raises:
        PolicyError: a file, a reference or a condition is wrong.
    """
    files, unread = read_files(folder)
    refuse(in_order(unread))
    return bundle_from_files(files)


@lru_cache(maxsize=16)
def _checked(files: tuple[tuple[str, str], ...]) -> Bundle:
    """Check and assemble; once for the same files, for that takes longer than a hundred cases."""
    draft = checked_draft(dict(files))
    refuse(in_order(draft.faults))
    return assemble(draft)


def checked_draft(files: Mapping[str, str]) -> Draft:
    """Read a draft, check its references and the SQL of its rules."""
    draft = read_draft(files)
    draft.trees = read_playbooks(draft)
    check_references(draft)
    check_qa(draft)
    types = column_types(draft)
    for index, rule in draft.rules:
        if not rule.when:
            continue
        mistakes = parse_condition(rule.when, types).mistakes
        for mistake in mistakes:
            draft.add_within("rules", (index, "when"), *astuple(mistake))
        doubtful = draft.written["signals"] - set(draft.signals)
        if not mistakes and not doubtful and (reason := engine_fault(rule.when, types)):
            draft.add("rules", (index, "when"), "Polars does not take this condition", reason)
    return draft


def column_types(draft: Draft) -> dict[str, str]:
    """Every column a rule may read, with its type; empty where the declaration is faulty."""
    doubtful = dict.fromkeys(draft.written.get("signals", ()), "")
    declared = {name: signal.type for name, signal in draft.signals.items()}
    return {**CASE_FIELDS, **doubtful, **declared}


def faults_of(folder: Path) -> list[Fault]:
    """Every fault of the bundle in a folder, in the order of its files."""
    files, unread = read_files(folder)
    return in_order([*unread, *_faults(tuple(files.items()))])


@lru_cache(maxsize=4)
def _faults(files: tuple[tuple[str, str], ...]) -> tuple[Fault, ...]:
    """Lint; once for the same files, for that takes longer than a second."""
    return tuple(_linted(dict(files)).faults)


@lru_cache(maxsize=4)
def _bundle(files: tuple[tuple[str, str], ...]) -> Bundle:
    """Lint and assemble; once for the same files, for that takes longer than a thousand cases."""
    draft = _linted(dict(files))
    refuse(in_order(draft.faults))
    return assemble(draft)


def _linted(files: Mapping[str, str]) -> Draft:
    draft = checked_draft(files)
    check_reach(draft, column_types(draft))
    check_macros(draft)
    return draft


def assemble(draft: Draft) -> Bundle:
    """Make the bundle of a draft without faults."""
    head = draft.head
    if head is None:
        raise ValueError("a draft with faults was assembled")
    return Bundle(
        name=head.name,
        version=head.version,
        digest=digest(dict(draft.files)),
        files=dict(draft.files),
        signals={
            name: Signal(name, entry.type, entry.provider, entry.description)
            for name, entry in draft.signals.items()
        },
        categories={
            name: Category(name, entry.title, entry.description, dict(entry.clauses), entry.covered)
            for name, entry in draft.categories.items()
        },
        rules=tuple(Rule(**rule.model_dump()) for _, rule in draft.rules),
        queues=_queues(draft),
        actions={
            name: ActionSpec(id=name, **entry.model_dump()) for name, entry in draft.actions.items()
        },
        patterns=tuple(Pattern(name, entry.any_of) for name, entry in draft.patterns.items()),
        playbooks=draft.playbooks,
        trees=dict(draft.trees),
        macros=draft.macros,
        default=Default(**head.default.model_dump()),
        unused_providers=frozenset(
            name for name, use in head.providers.items() if use == "not_in_use"
        ),
        destinations=_destinations(draft),
        macro_fields=dict(head.macro_fields),
        overdue_to=head.incidents.notify,
        promises=promises_of(draft),
        qa=dict(draft.qa),
        taxonomy=dict(draft.taxonomy) or TAXONOMY,
    )


def _destinations(draft: Draft) -> dict[str, DestinationSpec]:
    return {
        name: DestinationSpec(
            id=name,
            type=entry.type,
            takes=frozenset(entry.takes),
            per_minute=entry.per_minute,
            at_once=entry.at_once,
            retry=Retry(**entry.retry.model_dump()),
            options=dict(entry.options),
        )
        for name, entry in draft.destinations.items()
    }


def _queues(draft: Draft) -> dict[str, Queue]:
    return {
        name: Queue(
            id=name,
            title=entry.title,
            roles=frozenset(str(role) for role in entry.roles),
            approvals=entry.approvals,
            actions=entry.actions,
            escalates_to=entry.escalates_to,
            partner=entry.partner,
            escalation_target=entry.escalation_target,
        )
        for name, entry in draft.queues.items()
    }
