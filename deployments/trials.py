"""Candidates in a folder, each tried on every case by a process of its own.

What comes of a trial is a file under the home folder, named after the digests of the two bundles:
every console on this machine sees it, and it outlives them. Whoever tries holds a lock on a file
beside it, which the system lets go however the process ends.

``python -m deployments.trials FOLDER RESULT`` is that process.
"""

import fcntl
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import orjson

from casework.errors import NotFound
from casework.policy.bundle import load_bundle
from casework.policy.faults import Fault
from casework.policy.lint import lint
from casework.policy.model import Bundle
from casework.settings import Settings, load_settings
from casework.store.engine import open_engine
from casework.trials import Trial
from deployments.cli.policy import backtest

#: Ids of each cell of the matrix that are kept.
IDS: Final = 100


class FolderTrials:
    """The candidates in the folder that CASEWORK_CANDIDATES_DIR names."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def names(self) -> Sequence[str]:
        """The candidates there are: its subfolders that hold a bundle."""
        folder = self._settings.candidates_dir
        if folder is None or not folder.is_dir():
            return []
        return sorted(each.parent.name for each in folder.glob("*/bundle.yaml"))

    def faults(self, name: str) -> Sequence[Fault]:
        """Every fault of a candidate."""
        return lint(self._folder(name))

    def candidate(self, name: str) -> Bundle:
        """A candidate without faults."""
        return load_bundle(self._folder(name))

    def start(self, name: str) -> None:
        """Begin to try a candidate, unless that is under way."""
        result = self._result(name)
        result.parent.mkdir(parents=True, exist_ok=True)
        with result.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            result.unlink(missing_ok=True)
            _begin(self._folder(name), result, lock)

    def trial(self, name: str) -> Trial:
        """How a candidate's trial against the bundle in force stands."""
        result = self._result(name)
        if _is_held(result.with_suffix(".lock")):
            return Trial("running")
        if result.exists():
            return Trial("done", **orjson.loads(result.read_bytes()))
        log = result.with_suffix(".log")
        if log.exists():
            lines = log.read_text(errors="replace").strip().splitlines()
            return Trial("failed", lines[-1] if lines else "it was ended before it was done")
        return Trial()

    def _folder(self, name: str) -> Path:
        if name not in self.names():
            raise NotFound(f"there is no candidate {name}", hint="see CASEWORK_CANDIDATES_DIR")
        assert self._settings.candidates_dir is not None
        return self._settings.candidates_dir / name

    def _result(self, name: str) -> Path:
        before, after = load_bundle(self._settings.bundle_dir), self.candidate(name)
        pair = f"{before.digest[:16]}-{after.digest[:16]}.json"
        return self._settings.home / "trials" / pair


def _begin(folder: Path, result: Path, lock: IO[str]) -> None:
    """Start the process that tries; the lock stays with it, for it has the same open file."""
    command = [sys.executable, "-m", "deployments.trials", str(folder), str(result)]
    with result.with_suffix(".log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, pass_fds=(lock.fileno(),))
    # Somebody has to wait for it, or it stays in the list of processes when it has ended.
    threading.Thread(target=child.wait, daemon=True).start()


def _is_held(path: Path) -> bool:
    if not path.exists():
        return False
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def try_on_every_case(folder: Path, result: Path) -> None:
    """Try a candidate against the bundle in force, and write what would change."""
    settings = load_settings()
    before, after = load_bundle(settings.bundle_dir), load_bundle(folder)
    found = backtest(open_engine(settings.store_url), before, after, settings.batch_size)
    changes = [change.as_dict() for change in found.changes()]
    document = {
        "cases": found.cases,
        "changed": found.changed,
        "changes": [each | {"case_ids": each["case_ids"][:IDS]} for each in changes],
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    part = result.with_suffix(".part")
    part.write_bytes(orjson.dumps(document))
    part.replace(result)


if __name__ == "__main__":
    try_on_every_case(Path(sys.argv[1]), Path(sys.argv[2]))
