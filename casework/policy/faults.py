"""A fault in a policy bundle, shown as a compiler shows one."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from casework.errors import PolicyError


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong, where (line and column from 1, 0 for a whole file) and what was meant."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    source: str = ""  # the line it stands on

    def render(self) -> str:
        """The place and the message, then the source line with a caret, then the hint."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        lines = [f"{place}: {self.message}"]
        if self.line and self.source:
            number = str(self.line)
            lines.append(f"  {number} | {self.source}")
            lines.append(f"  {' ' * len(number)} | {' ' * (self.column - 1)}^")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, str | int]:
        """The same for programs."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "hint": self.hint,
        }


def refuse(faults: Sequence[Fault]) -> None:
    """Raise when there is any fault.

    Raises:
        PolicyError: its message shows every fault.
    """
    if not faults:
        return
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    shown = "\n".join(fault.render() for fault in faults)
    raise PolicyError(
        f"the policy bundle has {count}\n{shown}", hint="run: casework policy lint DIR"
    )


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """Each fault once, by file and place."""
    return sorted(set(faults))


def nearest(name: str, known: Collection[str], what: str = "") -> str:
    """Say which known name was probably meant, or which there are."""
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    if not known:
        return f"no {what} is declared" if what else ""
    shown = ", ".join(sorted(known)[:12])
    return f"known: {shown}{', ...' if len(known) > 12 else ''}"


def read_files(folder: Path) -> tuple[dict[str, str], list[Fault]]:
    """Read the files of a bundle as text by relative path, with a fault for each unreadable one."""
    files: dict[str, str] = {}
    faults: list[Fault] = []
    if not folder.is_dir():
        return files, [Fault(str(folder), 0, 0, "there is no such folder")]
    patterns = ("*.yaml", "*.yml", "playbooks/*.md", "playbooks/*.yaml", "macros/*.md")
    for path in sorted(found for pattern in patterns for found in folder.glob(pattern)):
        name = path.relative_to(folder).as_posix()
        try:
            files[name] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault(name, 0, 0, f"cannot be read: {error}"))
    return files, faults
