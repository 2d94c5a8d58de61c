"""The default policy worked out a second time, from its files, with nothing of the product.

SQLite reads the rules' SQL, for it too knows NULL from false, Python's ``re`` reads the patterns,
and the order of rules is walked one case at a time.
"""

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FIELDS = ("source", "kind", "channel", "language", "country", "revision")
NOBODY = dict.fromkeys(
    (
        "subject_cases_90d",
        "subject_cases_total",
        "subject_actions_90d",
        "reporter_cases_90d",
        "reporter_upheld_90d",
    ),
    0,
)


@dataclass(frozen=True)
class Expected:
    """What is to become of a case: where it goes, and which rule sends it there."""

    route: str
    rule: str | None
    queue: str | None


class PlainPolicy:
    """A bundle's rules and patterns, one case at a time."""

    def __init__(self, folder: Path) -> None:
        files = {path.name: yaml.safe_load(path.read_text()) for path in folder.glob("*.yaml")}
        self.rules: list[dict[str, Any]] = files["rules.yaml"]
        self.default: dict[str, Any] = files["bundle.yaml"]["default"]
        providers = files["bundle.yaml"]["providers"]
        self.columns = (*files["signals.yaml"], *FIELDS)
        self.unused = {
            name
            for name, signal in files["signals.yaml"].items()
            if providers[signal["provider"]] == "not_in_use"
        }
        self.patterns = {
            signal: [re.compile(each) for each in pattern["any_of"]]
            for signal, pattern in files["patterns.yaml"].items()
        }
        self._read = [
            [name for name in self.columns if re.search(rf"\b{name}\b", rule["when"])]
            for rule in self.rules
        ]
        given = ", ".join(f":{name} AS {name}" for name in self.columns)
        asked = ", ".join(f"({rule['when']})" for rule in self.rules)
        self._query = f"SELECT {asked} FROM (SELECT {given})"
        self._database = sqlite3.connect(":memory:")

    def expected(self, title: str, body: str, known: Mapping[str, Any]) -> Expected:
        """What becomes of a ticket of which this is known beside its text."""
        text = f"{title}\n{body}"
        found = {
            signal: any(regex.search(text) for regex in regexes)
            for signal, regexes in self.patterns.items()
        }
        case = dict.fromkeys(self.columns) | NOBODY | found | dict(known)
        truths = self._database.execute(self._query, case).fetchone()
        doubt: dict[str, Any] | None = None
        for rule, truth, read in zip(self.rules, truths, self._read, strict=True):
            if truth is None and rule["route"] != "close":
                missing = {name for name in read if case[name] is None}
                doubt = doubt or (rule if missing - self.unused else None)
            if not truth:
                continue
            if rule["route"] == "close" and doubt:
                return Expected("review", doubt["id"], doubt["queue"])
            return Expected(rule["route"], rule["id"], rule.get("queue"))
        return Expected("review", None, self.default["queue"])
