"""A backlog of a million cases that wait: some taken in by the pipeline, the rest copies of them.

A copy has a case, its content, readings, gate and clocks under ids of its own, spread over queues,
severities and due dates; it has no history, which starts with whoever looks at it.
"""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlmodel import Session, SQLModel

from benchmarks.waiting import waiting
from casework.store.engine import reading, transaction

SEEDS: Final = 1_000

#: Copies of every seed in one transaction.
_AT_ONCE: Final = 50

#: Queues of the default bundle in which one person decides, and the shares of the severities.
QUEUES: Final = ("trust_safety", "account_security", "fraud", "support")
_SEVERITIES: Final = (
    "(ARRAY['P0','P1','P2','P3','P4'])[width_bucket({dice} % 100, ARRAY[0,1,10,40,80])]"
)

_SEEDS: Final = "SELECT id FROM cases WHERE intake_id = 'iseed'"

#: A number that is the same for all rows of one copy, and like no other.
_DICE: Final = "(hashtext({case} || n) & 2147483647)"


async def backlog(engine: Engine, folder: Path, cases: int) -> None:
    """Have so many cases wait in a PostgreSQL store, a multiple of SEEDS."""
    await waiting(engine, folder, SEEDS, "seed")
    for first in range(1, cases // SEEDS, _AT_ONCE):
        last = min(first + _AT_ONCE, cases // SEEDS) - 1
        with transaction(engine) as session:
            for table in ("cases", "case_revisions", "signal_readings", "gates", "clocks"):
                session.execute(text(_copy(table)), {"first": first, "last": last})
    with reading(engine) as session:
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        session.execute(text("VACUUM ANALYZE"))


def waits(session: Session) -> int:
    """How many gates are open."""
    return session.scalar(text("SELECT count(*) FROM gates WHERE status = 'open'")) or 0


def _copy(table: str) -> str:
    """The statement that copies the seeds' rows of a table."""
    case = "t.id" if table == "cases" else "t.case_id"
    columns = [column.name for column in SQLModel.metadata.tables[table].columns]
    new = _columns(case, table)
    values = ", ".join(new.get(name, f"t.{name}") for name in columns)
    seeds = f"SELECT * FROM {table} WHERE {case[2:]} IN ({_SEEDS})"
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} "
        f"FROM ({seeds}) t CROSS JOIN generate_series(CAST(:first AS int), CAST(:last AS int)) n"
    )


def _columns(case: str, table: str) -> dict[str, Any]:
    """What is not as the seed has it, by column."""
    dice = _DICE.format(case=case)
    name = f"substr(md5({case} || n), 1, 20)"
    opened = f"now() - make_interval(secs => {dice} % 259200)"
    due = f"{opened} + interval '48 hours'"
    queues = "','".join(QUEUES)
    new = {
        "case_id": f"'c' || {name}",
        "gate_id": f"'g' || {name} || '-1-1'",
        "queue": f"(ARRAY['{queues}'])[1 + {dice} / 100 % {len(QUEUES)}]",
        "severity": _SEVERITIES.format(dice=dice),
        "opened_at": opened,
        "started_at": opened,
        "due_at": due,
        "ranks_at": due,
        "next_at": "NULL",
        "intake_id": "'copies'",
        "external_id": "t.external_id || '-' || n",
    }
    new["id"] = new["gate_id"] if table == "gates" else new["case_id"]
    return new
