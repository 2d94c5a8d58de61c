"""Which tests stay in one process where several run them.

pytest-xdist's own way, groups, rewrites the ids of tests, and does nothing from pytest 9.2 on.
"""

from xdist.scheduler import LoadScopeScheduling

#: The tests that share a Prefect server: another process would have to start another one.
PREFECT = "tests/flows"


class Sharing(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives out whole files of tests, and the folder of flows as if it were one file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return PREFECT if file.startswith(f"{PREFECT}/") else file
