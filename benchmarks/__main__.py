"""Run the benchmarks and print the table: ``python -m benchmarks [NAME ...]``."""

import argparse
import importlib
import os
import platform
import sys
from typing import Any, Final

from rich.console import Console
from rich.table import Table

BENCHMARKS: Final = (
    "policy",
    "machine_path",
    "ledger",
    "qa",
    "gates",
    "escalation",
    "effects",
    "receiver",
    "console",
)


def main() -> None:
    """Run those that are named, or all, one after another."""
    parser = argparse.ArgumentParser(description="Measure, and print the table.")
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    parser.add_argument("--markdown", action="store_true", help="as docs/benchmarks.md has it")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name in options.names or BENCHMARKS:
        sys.stderr.write(f"{name} ...\n")
        rows += importlib.import_module(f"benchmarks.{name}").run()
    if options.markdown:
        sys.stdout.write(_markdown(rows))
        return
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]}")
    for column in ("figure", "value", "unit", "limit", "peer"):
        table.add_column(column)
    for row in rows:
        table.add_row(*(_shown(row[column]) for column in row))
    Console().print(table)


def _markdown(rows: list[dict[str, Any]]) -> str:
    lines = ["| figure | value | unit | limit | peer |", "|---|---:|---|---|---|"]
    lines += ["| " + " | ".join(_shown(value) for value in row.values()) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    main()
