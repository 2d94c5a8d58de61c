"""The escalation sweep, and its quick way for what cannot wait for the next one."""

import logging
from collections import Counter
from typing import Any, Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from casework.cases import Severity
from casework.errors import PolicyError
from casework.policy.bundle import read_bundle
from casework.store.access import due_access, end_access
from casework.store.assignment import run_out
from casework.store.engine import reading, transaction
from casework.store.escalation import take_due_steps
from casework.store.incidents.overdue import tell_overdue
from casework.store.orphans import mend_orphans
from tasks.context import Context, surroundings
from tasks.retrying import can_help

log = logging.getLogger(__name__)

_TASK: Final[dict[str, Any]] = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": 3,
    "retry_delay_seconds": [1, 5, 20],
    "retry_condition_fn": can_help,
}


@task(**_TASK)
async def sweep_clocks() -> dict[str, int]:
    """Do everything that clocks, claims and holds ask for by now. Safe to repeat and to run twice.

    Returns:
        ``expired`` people whose access was ended; ``mended`` gates that had no clocks;
        ``overdue_tasks`` of partners that were told of; ``released`` and ``resumed`` gates;
        ``gates`` that were looked at, ``breached`` targets, and steps by kind. What is 0 is left
        out.
    """
    return dict(sweep(surroundings("escalation")))


@task(**_TASK)
async def act_at_once() -> dict[str, int]:
    """Take the steps that are due at P0, without waiting for the next sweep.

    Returns:
        As ``sweep_clocks``.
    """
    return dict(climb(surroundings("escalation"), Severity.P0))


def sweep(here: Context) -> Counter[str]:
    """Take back, climb, and mend, each in transactions of its own until nothing is left.

    What is odd comes last, so that it keeps nothing else from being done.
    """
    counts = _end_access(here) + _run_out(here) + climb(here) + _overdue(here)
    if mended := _mend(here):
        counts += climb(here)
        counts["mended"] = mended
    return counts


def _end_access(here: Context) -> Counter[str]:
    """End the access of everybody whose time is over, each in a transaction of its own."""
    with reading(here.engine) as session:
        due = due_access(session, here.now)
    ended = 0
    for person in due:
        with transaction(here.engine) as session:
            ended += end_access(session, person, here.by, here.now)
    return +Counter({"expired": ended})


def _run_out(here: Context) -> Counter[str]:
    counts: Counter[str] = Counter()
    while True:
        with transaction(here.engine) as session:
            done = Counter(run_out(session, here.by, here.now))
        if not +done:
            return counts
        counts += done


def _overdue(here: Context) -> Counter[str]:
    """Tell of partner tasks whose time is over, where the policy in force says whom."""
    try:
        destination = read_bundle(here.settings.bundle_dir).overdue_to
    except PolicyError as error:
        # Ladders climb on under the bundles that their gates were opened under.
        log.warning("overdue partner tasks are told to nobody: %s", error.code)
        return Counter()
    if destination is None:
        return Counter()
    with transaction(here.engine) as session:
        told = tell_overdue(session, destination, here.by, here.now)
    return +Counter({"overdue_tasks": told})


def _mend(here: Context) -> int:
    number = 0
    while True:
        with transaction(here.engine) as session:
            mended = mend_orphans(session, here.by, here.now)
        if not mended:
            return number
        log.warning("%d open gates had no clocks, the first %s", len(mended), mended[0])
        number += len(mended)


def climb(here: Context, severity: Severity | None = None) -> Counter[str]:
    """Take every step that is due, of one severity or of all."""
    counts: Counter[str] = Counter()
    while True:
        with transaction(here.engine) as session:
            taken = take_due_steps(session, here.by, here.now, severity=severity)
        if not taken["gates"]:
            return counts
        counts += taken
