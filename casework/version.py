"""Which code is running: written into every ledger entry."""

from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parent.parent
_PACKAGES: Final = ("casework", "integrations", "tasks", "flows", "deployments")


@lru_cache(maxsize=1)
def code_version() -> str:
    """The release and a digest of the source that was loaded, such as ``0.1.0+3f1c09aa72de``."""
    try:
        release = version("casework")
    except PackageNotFoundError:
        release = "0"
    tree = sha256()
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            tree.update(str(path.relative_to(_ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{release}+{tree.hexdigest()[:12]}"
