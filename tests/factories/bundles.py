"""Bundles with rules of a test's own, over the columns of ``tests.factories.conditions``."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from casework.cases import Route, Severity
from casework.policy.bundle import bundle_from_files
from casework.policy.model import Bundle, Rule
from tests.factories.conditions import COLUMNS
from tests.factories.policy import FILES

PROVIDERS = {"patterns": "in_use", "source": "in_use", "moderation": "not_in_use"}


def bundle_files(rules: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The files of the small bundle with these rules and a signal for every column.

    Columns whose name ends in 2 come from a provider that is not in use.
    """
    signals = "".join(
        f"{name}: {{type: {kind}, provider: {_provider(name)}, description: A column.}}\n"
        for name, kind in COLUMNS.items()
    )
    head = FILES["bundle.yaml"].replace(
        "{patterns: in_use, source: in_use}",
        "{" + ", ".join(f"{name}: {use}" for name, use in PROVIDERS.items()) + "}",
    )
    return {
        **FILES,
        "bundle.yaml": head,
        "signals.yaml": FILES["signals.yaml"] + signals,
        "rules.yaml": rules,
        **(more or {}),
    }


def bundle_of_rules(*rules: tuple[str, Route]) -> Bundle:
    """A bundle with rules ``r0``, ``r1`` ... of these conditions and routes."""
    made = tuple(
        Rule(
            id=f"r{number}",
            when=when,
            route=route,
            severity=list(Severity)[number % 5],
            queue=None if route is Route.CLOSE else _queue(number),
            action="no_action",
            reason=f"Rule {number}.",
        )
        for number, (when, route) in enumerate(rules)
    )
    return replace(_without_rules(), rules=made)


@lru_cache(maxsize=1)
def _without_rules() -> Bundle:
    return bundle_from_files(bundle_files("[]"))


def _queue(number: int) -> str:
    return "general" if number % 2 else "mixed"


def bundle_of_flags(names: list[str]) -> Bundle:
    """A bundle with a boolean signal of each name and a rule for review on each."""
    signals = "".join(
        f"{name}: {{type: boolean, provider: source, description: A flag.}}\n" for name in names
    )
    rules = ((name, Route.REVIEW) for name in names)
    files = bundle_files("".join(rule_yaml(number, rule) for number, rule in enumerate(rules)))
    return bundle_from_files({**files, "signals.yaml": files["signals.yaml"] + signals})


def rule_yaml(number: int, rule: tuple[str, Route]) -> str:
    """One rule of rules.yaml; its severity and queue tell rules apart."""
    when, route = rule
    queue = "" if route is Route.CLOSE else f"  queue: {_queue(number)}\n"
    return (
        f"- id: r{number}\n  when: {quoted(when)}\n  route: {route}\n"
        f"  severity: {list(Severity)[number % 5]}\n{queue}"
        f"  action: no_action\n  reason: Rule {number}.\n"
    )


def quoted(text: str) -> str:
    """A text as a double-quoted YAML scalar."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def rows_of(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows with ids ``c0``, ``c1`` ..."""
    return [{"case_id": f"c{number}", **row} for number, row in enumerate(rows)]


def _provider(name: str) -> str:
    return "moderation" if name.endswith("2") else "source"
