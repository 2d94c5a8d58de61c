"""Where the files that ship with Casework are: in a checkout, or inside the installed package."""

from pathlib import Path

from casework.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """Find a shipped file or folder by its path from the project's root, such as ``samples``.

    Raises:
        ConfigurationError: this installation does not hold it.
    """
    for root in (_PACKAGE.parent, _PACKAGE / "bundled"):
        if (found := root / name).exists():
            return found
    raise ConfigurationError(
        f"this installation of Casework has no {name}", hint="install it again"
    )
