"""The project's own source, parsed, for the tests that read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("casework", "integrations", "tasks", "flows", "deployments")

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One module: its path from the root, its text and its syntax tree."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree, parsed once."""
        return ast.parse(self.text, self.path)

    @property
    def package(self) -> str:
        """The top-level package it belongs to."""
        return self.path.split("/")[0]

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Every node of these kinds."""
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and dotted name of everything it imports, wherever the import stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)

    def origins(self) -> dict[str, str]:
        """Local name -> dotted name it was imported as."""
        names = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names |= {
                    alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names
                }
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {
                    alias.asname or alias.name: f"{node.module}.{alias.name}"
                    for alias in node.names
                }
        return names

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def where(self, node: ast.AST) -> str:
        """Path and line of a node, as an editor opens it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@lru_cache(maxsize=1)
def modules() -> tuple[Module, ...]:
    """Every module of the five packages; migrations are generated and stay out."""
    return tuple(
        Module(str(path.relative_to(ROOT)), path.read_text())
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "versions" not in path.parts
    )
