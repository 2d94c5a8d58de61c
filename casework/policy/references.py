"""What the files of a bundle say about each other: names must exist and terms must fit."""

import re
from collections.abc import Collection
from typing import Final

import polars as pl

from casework.cases import CASE_FIELDS, Route
from casework.policy.clock_references import check_clocks
from casework.policy.document import Path
from casework.policy.draft import Draft
from casework.policy.effect_references import check_effects
from casework.policy.faults import nearest
from casework.policy.schema import RuleEntry

_ID: Final = re.compile(r"^[a-z][a-z0-9_]{0,63}$")


def check_references(draft: Draft) -> None:
    """Note every name that is not declared and every term that does not fit."""
    _ids(draft)
    _signals(draft)
    _actions(draft)
    _queues(draft)
    _default(draft)
    _patterns(draft)
    check_effects(draft)
    check_clocks(draft)
    for index, rule in draft.rules:
        _rule(draft, index, rule)


def _known(
    draft: Draft, section: str, path: Path, name: str | None, what: str, known: Collection[str]
) -> bool:
    if name is None or name in known:
        return True
    draft.add(section, path, f"unknown {what} `{name}`", nearest(name, known, what))
    return False


def _ids(draft: Draft) -> None:
    names = ("signals", "categories", "queues", "actions", "destinations", "calendars", "ladders")
    for section in names:
        for name in sorted(draft.written.get(section, ())):
            if not _ID.match(name):
                hint = "use lower-case letters, digits and _, a letter first"
                draft.add(section, (name,), f"`{name}` is not an id", hint, key=True)


def _signals(draft: Draft) -> None:
    providers = set(draft.head.providers) if draft.head else None
    for name, signal in draft.signals.items():
        if name in CASE_FIELDS or name == "case_id":
            draft.add("signals", (name,), f"`{name}` is a case field", "choose another", key=True)
        if not _is_name(name):
            draft.add("signals", (name,), f"`{name}` is a word of SQL", "choose another", key=True)
        if providers is not None:
            _known(
                draft, "signals", (name, "provider"), signal.provider, "provider", sorted(providers)
            )
    used = {signal.provider for signal in draft.signals.values()}
    for provider in sorted((providers or set()) - used):
        hint = "declare one or leave the provider out"
        draft.faults.append(
            draft.documents["bundle.yaml"].fault(
                ("providers", provider),
                f"no signal comes from provider `{provider}`",
                hint,
                key=True,
            )
        )


def _is_name(name: str) -> bool:
    """Whether SQL reads it as the name of a column and not as a word of its own."""
    try:
        return pl.sql_expr(name).meta.root_names() == [name]
    except pl.exceptions.PolarsError:
        return False


def _actions(draft: Draft) -> None:
    for name, action in draft.actions.items():
        _known(draft, "actions", (name, "macro"), action.macro, "macro", draft.macros)
        if action.reversible and action.inverse is None:
            hint = "name the action that undoes it, or say reversible: false"
            draft.add("actions", (name,), f"`{name}` has no inverse", hint, key=True)
        if action.reversible is False and action.inverse is not None:
            hint = "say reversible: true, or leave the inverse out"
            draft.add("actions", (name, "inverse"), f"`{name}` is not reversible", hint)
        _known(
            draft, "actions", (name, "inverse"), action.inverse, "action", draft.written["actions"]
        )


def _queues(draft: Draft) -> None:
    for name, queue in draft.queues.items():
        for index, action in enumerate(queue.actions):
            _known(
                draft,
                "queues",
                (name, "actions", index),
                action,
                "action",
                draft.written["actions"],
            )
        for index, target in enumerate(queue.escalates_to):
            path = (name, "escalates_to", index)
            if target == name:
                draft.add("queues", path, f"`{name}` hands over to itself")
            _known(draft, "queues", path, target, "queue", draft.written["queues"])
        _escalation_target(draft, name, queue.escalation_target)


def _escalation_target(draft: Draft, name: str, target: str | None) -> None:
    """A ladder moves gates there by itself, so it must not be a way round two people."""
    path: Path = (name, "escalation_target")
    _known(draft, "queues", path, target, "queue", draft.written["queues"])
    queue, above = draft.queues[name], draft.queues.get(target or "")
    if target == name:
        draft.add("queues", path, f"`{name}` escalates to itself")
    elif above and above.approvals < queue.approvals:
        message = f"`{target}` needs fewer people than `{name}`"
        draft.add("queues", path, message, f"choose a queue with approvals: {queue.approvals}")


def _default(draft: Draft) -> None:
    if draft.head is None:
        return
    default, document = draft.head.default, draft.documents["bundle.yaml"]
    for key, name, what, known in (
        ("queue", default.queue, "queue", draft.written.get("queues", set())),
        ("action", default.action, "action", draft.written.get("actions", set())),
    ):
        if name not in known:
            hint = nearest(name, known, what)
            draft.faults.append(document.fault(("default", key), f"unknown {what} `{name}`", hint))
    queue = draft.queues.get(default.queue)
    if queue is None or default.action not in draft.written.get("actions", set()):
        return
    if default.action not in queue.actions:
        hint = nearest(default.action, queue.actions)
        message = f"queue `{default.queue}` does not allow `{default.action}`"
        draft.faults.append(document.fault(("default", "action"), message, hint))


def _patterns(draft: Draft) -> None:
    for name, pattern in draft.patterns.items():
        if name not in draft.written["signals"]:
            hint = nearest(name, draft.written["signals"])
            draft.add("patterns", (name,), f"unknown signal `{name}`", hint, key=True)
        signal = draft.signals.get(name)
        if signal and (signal.provider, signal.type) != ("patterns", "boolean"):
            hint = "declare it with provider patterns and type boolean"
            draft.add("patterns", (name,), f"`{name}` is no pattern signal", hint, key=True)
        for index, expression in enumerate(pattern.any_of):
            if reason := regex_fault(expression):
                hint = f"{reason}; look-around and back-references do not exist here"
                path = (name, "any_of", index)
                draft.add("patterns", path, "this regular expression does not compile", hint)
    for name, signal in draft.signals.items():
        if signal.provider == "patterns" and name not in draft.written.get("patterns", ()):
            hint = "add it to patterns.yaml"
            draft.add("signals", (name,), f"`{name}` has no pattern", hint, key=True)


def regex_fault(expression: str) -> str:
    """Why a regular expression is not one of Rust's, or an empty text."""
    try:
        pl.Series(["", "a"]).str.contains(expression)
    except pl.exceptions.ComputeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return next((line for line in reversed(lines) if line.startswith("error:")), lines[0])[:160]
    return ""


def _rule(draft: Draft, index: int, rule: RuleEntry) -> None:
    known, guides = draft.written, {*draft.playbooks, *draft.trees}
    _known(draft, "rules", (index, "queue"), rule.queue, "queue", known["queues"])
    _known(draft, "rules", (index, "action"), rule.action, "action", known["actions"])
    _known(draft, "rules", (index, "category"), rule.category, "category", known["categories"])
    _known(draft, "rules", (index, "playbook"), rule.playbook, "playbook", guides)
    if rule.route == Route.CLOSE and rule.queue is not None:
        hint = "leave the queue out, or send it to review"
        draft.add("rules", (index, "queue"), "a rule that closes has no queue", hint)
    if rule.route in (Route.REVIEW, Route.ESCALATE):
        _person(draft, index, rule)


def _person(draft: Draft, index: int, rule: RuleEntry) -> None:
    path = (index, "id")
    if rule.queue is None:
        hint = f"known: {', '.join(sorted(draft.written['queues']))}"
        draft.add("rules", path, f"rule `{rule.id}` sends to a person but names no queue", hint)
    if rule.action is None:
        hint = "name the action to propose"
        draft.add("rules", path, f"rule `{rule.id}` proposes no action", hint)
    queue = draft.queues.get(rule.queue) if rule.queue else None
    if queue and rule.action in draft.written["actions"] and rule.action not in queue.actions:
        hint = nearest(str(rule.action), queue.actions)
        message = f"queue `{rule.queue}` does not allow `{rule.action}`"
        draft.add("rules", (index, "action"), message, hint)
