"""YAML with the place of everything in it."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from casework.policy.faults import Fault

Path: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """One YAML file: its plain data, and where each part of it was written."""

    name: str
    text: str
    data: Any = None
    nodes: dict[Path, yaml.Node] = field(default_factory=dict)
    keys: dict[Path, yaml.Node] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> Fault:
        """A fault at a value, or at its key; the nearest part that was written stands in."""
        while path and path not in self.nodes:
            path = path[:-1]
        node = self.keys.get(path) if key else None
        node = node or self.nodes.get(path)
        if node is None:
            return Fault(self.name, 0, 0, message, hint)
        return self._at(node.start_mark.line, node.start_mark.column, message, hint)

    def fault_within(self, path: Path, offset: int, message: str, hint: str = "") -> Fault:
        """A fault at a character of a text value, however the value is quoted or folded."""
        node = self.nodes.get(path)
        value = getattr(node, "value", None)
        if not isinstance(node, yaml.ScalarNode) or not isinstance(value, str):
            return self.fault(path, message, hint)
        line, column = self._place(node, value, offset)
        return self._at(line, column, message, hint)

    def _place(self, node: yaml.ScalarNode, value: str, offset: int) -> tuple[int, int]:
        """Count the characters that are not blank: YAML may only have changed the blanks."""
        line, column = node.start_mark.line, node.start_mark.column
        if node.style in ("|", ">"):
            line, column = line + 1, 0
        elif node.style in ("'", '"'):
            column += 1
        wanted = sum(not char.isspace() for char in value[:offset])
        lines = self.text.splitlines()
        while line < len(lines):
            for at in range(column, len(lines[line])):
                if not lines[line][at].isspace():
                    if wanted == 0:
                        return line, at
                    wanted -= 1
            line, column = line + 1, 0
        return node.start_mark.line, node.start_mark.column

    def _at(self, line: int, column: int, message: str, hint: str) -> Fault:
        lines = self.text.splitlines()
        source = lines[line] if line < len(lines) else ""
        return Fault(self.name, line + 1, column + 1, message, hint, source)


def parse(name: str, text: str) -> Document:
    """Read YAML; what is wrong with it stands in ``faults`` and the data is what could be read."""
    document = Document(name, text)
    loader = yaml.CSafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is not None:
            document.data = _plain(document, loader, root, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"this is not YAML: {error.problem or error.context}"
        place = (mark.line, mark.column) if mark else (0, 0)
        document.faults.append(document._at(*place, message, ""))
    except yaml.YAMLError as error:
        document.faults.append(Fault(name, 0, 0, f"this is not YAML: {error}"))
    finally:
        loader.dispose()
    return document


def _plain(document: Document, loader: yaml.CSafeLoader, node: yaml.Node, path: Path) -> Any:
    document.nodes[path] = node
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, loader, node, path)
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(document, loader, item, (*path, index)) for index, item in enumerate(node.value)
        ]
    return _scalar(document, loader, node, path)


def _mapping(
    document: Document, loader: yaml.CSafeLoader, node: yaml.MappingNode, path: Path
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name is None:
            mark = key.start_mark
            document.faults.append(document._at(mark.line, mark.column, "a key must be text", ""))
            continue
        if name in result:
            mark = key.start_mark
            first = document.keys[(*path, name)].start_mark.line + 1
            document.faults.append(
                document._at(
                    mark.line, mark.column, f"duplicate `{name}`", f"it stands on line {first} too"
                )
            )
            continue
        document.keys[(*path, name)] = key
        result[name] = _plain(document, loader, value, (*path, name))
    return result


def _scalar(document: Document, loader: yaml.CSafeLoader, node: yaml.Node, path: Path) -> Any:
    try:
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        reason = getattr(error, "problem", None) or str(error)
        document.faults.append(document.fault(path, f"this value cannot be read: {reason}"))
        return None
