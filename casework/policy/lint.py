"""Linting a policy bundle: every fault at once, each with its place and a hint."""

from pathlib import Path

from casework.policy.bundle import faults_of
from casework.policy.faults import Fault

__all__ = ["Fault", "lint"]


def lint(folder: Path) -> list[Fault]:
    """Find every fault of the bundle in a folder; none is an empty list."""
    return faults_of(folder)
