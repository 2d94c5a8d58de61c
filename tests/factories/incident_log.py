"""A car maker's help desk, replayed into a store: its incidents are gates of three queues.

BPI Challenge 2013 (Ward Steeman), as published with pm4py. A support line is a queue, an impact a
severity, the country of the organization the region, and the handler's organization the vendor.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine

from casework.cases import case_id
from casework.clocks.model import ClockKind
from casework.gates import gate_id
from casework.ledger.entries import Action, Draft
from casework.policy.bundle import bundle_from_files
from casework.policy.model import Bundle
from casework.store.engine import transaction
from casework.store.ledger import append
from casework.store.policy import adopt_bundle
from casework.store.tables import Assignment, Case, Clock, Decision, Gate, Person
from tests.factories.gates import BY
from tests.factories.policy import FILES

LINES = {"": "first_line", "2nd": "second_line", "3rd": "third_line"}
SEVERITIES = {"Major": "P0", "High": "P1", "Medium": "P2", "Low": "P3"}

_QUEUE = "{name}: {{title: {name}, roles: [analyst], actions: [no_action]}}\n"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One incident: when it came, was first taken up and was done, by whom, and where."""

    id: str
    queue: str
    severity: str
    country: str
    person: str
    vendor: str
    opened: datetime
    touched: datetime | None
    taken: datetime | None  # the last time before it was done
    done: datetime | None

    def at(self, moment: datetime) -> "Ticket":
        """The incident as it was known at a moment."""
        touched = self.touched if self.touched and self.touched <= moment else None
        done = self.done if self.done and self.done <= moment else None
        return replace(self, touched=touched, done=done)


@lru_cache(maxsize=1)
def help_desk() -> Bundle:
    """A bundle with the three support lines, and the promises that hold where none are made."""
    queues = "".join(_QUEUE.format(name=name) for name in LINES.values())
    return bundle_from_files(
        {
            **FILES,
            "bundle.yaml": FILES["bundle.yaml"].replace("general", "first_line"),
            "rules.yaml": "- {id: spam, when: spam, route: close, severity: P4, "
            "action: no_action, reason: Spam.}\n",
            "queues.yaml": queues,
        }
    )


def tickets(path: Path, since: datetime, until: datetime) -> list[Ticket]:
    """The incidents that were opened between two moments, the oldest first."""
    rows: dict[str, list[dict[str, str]]] = {}
    with gzip.open(path, "rt", encoding="utf8") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["case_id"], []).append(row)
    found = [_ticket(name, events) for name, events in rows.items()]
    return sorted(
        (each for each in found if since <= each.opened < until), key=lambda each: each.opened
    )


def _ticket(name: str, events: list[dict[str, str]]) -> Ticket:
    completed = [e for e in events if e["concept:name"] == "Completed"]
    last = completed[0] if completed else events[-1]
    taken = [_at(e) for e in events if e["lifecycle:transition"] == "In Progress"]
    taken = [at for at in taken if at <= _at(last)]
    line = last["org:group"].rpartition(" ")[2]
    return Ticket(
        id=name,
        queue=LINES.get(line, "first_line"),
        severity=SEVERITIES[events[0]["impact"]],
        country=last["organization country"],
        person=last["org:resource"],
        vendor=last["organization involved"],
        opened=_at(events[0]),
        touched=taken[0] if taken else None,
        taken=taken[-1] if taken else None,
        done=_at(last) if completed else None,
    )


def _at(event: dict[str, str]) -> datetime:
    return datetime.fromisoformat(event["time:timestamp"]).astimezone(UTC)


def replay(engine: Engine, found: Iterable[Ticket], at: datetime) -> None:
    """Put incidents into a store as they were known at a moment."""
    known = [ticket.at(at) for ticket in found if ticket.opened <= at]
    with transaction(engine) as session:
        adopt_bundle(session, help_desk(), BY, known[0].opened)
        for name, vendor in {each.person: each.vendor for each in known}.items():
            session.add(
                Person(
                    id=name,
                    name=name,
                    roles=["analyst"],
                    queues=["*"],
                    vendor=vendor,
                    added_at=known[0].opened,
                )
            )
        for ticket in known:
            case = case_id("desk", ticket.id)
            append(session, [Draft(case, Action.CASE_OPENED, {})], BY, ticket.opened)
            session.add_all(_rows(ticket, case, gate_id(case, 1, 1)))


def _rows(ticket: Ticket, case: str, gate: str) -> Iterator[object]:
    digest = help_desk().digest
    where = {"queue": ticket.queue, "severity": ticket.severity, "policy_digest": digest}
    yield Case(
        id=case,
        source="desk",
        external_id=ticket.id,
        revision=1,
        content_digest="c",
        status="closed" if ticket.done else "waiting",
        intake_id="i1",
        country=ticket.country,
        received_at=ticket.opened,
        opened_at=ticket.opened,
        updated_at=ticket.opened,
        **where,
    )
    yield Gate(
        id=gate,
        case_id=case,
        revision=1,
        step=1,
        requested_by="policy",
        status="carried_out" if ticket.done else "open",
        evidence_digest="e",
        opened_at=ticket.opened,
        decided_at=ticket.done,
        **where,
    )
    yield Assignment(
        gate_id=gate,
        case_id=case,
        holder=ticket.person if ticket.touched else None,
        first_claimed_at=ticket.touched,
        last_claimed_at=ticket.taken if ticket.done else ticket.touched,
    )
    targets = help_desk().promises.of(ticket.queue, ticket.severity).targets
    for kind, end in (
        (ClockKind.FIRST_TOUCH, ticket.touched or ticket.done),
        (ClockKind.DECISION, ticket.done),
    ):
        due = ticket.opened + targets[kind]
        ended = "breached" if end and end > due else "met"
        yield Clock(
            gate_id=gate,
            kind=kind,
            case_id=case,
            started_at=ticket.opened,
            due_at=due,
            ended_at=end,
            state=ended if end else "running",
            stops=[],
            taken=[],
            **where,
        )
    if ticket.done:
        yield Decision(
            id=f"d-{case}",
            case_id=case,
            revision=1,
            gate_id=gate,
            actor=ticket.person,
            actor_kind="person",
            verdict="approve",
            action="no_action",
            unknown=[],
            evidence_digest="e",
            policy_digest=digest,
            code_version="v",
            decided_at=ticket.done,
        )
