"""A short incident over the demo's store: three cases of one pattern, from page to report."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Engine, select
from sqlmodel import col

from casework.cases import Severity, Status
from casework.commanding import Act, act
from casework.errors import NotFound
from casework.holds import Scope
from casework.incidents.audiences import Audience
from casework.incidents.roles import IncidentRole
from casework.incidents.states import IncidentStatus, incident_id
from casework.policy.bundle import load_bundle
from casework.policy.model import Bundle
from casework.settings import Settings
from casework.store.engine import reading
from casework.store.holds import Placing, lift_hold, place_hold
from casework.store.incidents.cases import attach_cases
from casework.store.incidents.lifecycle import Opening, move_incident, open_incident
from casework.store.incidents.notes import Telling, add_note, tell_update
from casework.store.incidents.reports import sign_off
from casework.store.incidents.roles import assume_role
from casework.store.incidents.work import add_follow_up, ask_partner, settle_task
from casework.store.tables import Case, Incident

T = TypeVar("T")

#: How many cases of the pattern the incident takes.
_CASES: Final = 3

_UPDATE: Final = Telling(
    "first",
    Audience.INTERNAL,
    "incident_internal",
    {
        "known": "Several reports name one scam; some say that they paid.",
        "next": "Engineering blocks its links; we look again in an hour.",
    },
)


@dataclass(frozen=True, slots=True)
class Room:
    """Where an incident is worked on: the store, the incident, and a clock for each step."""

    engine: Engine
    incident: str
    clock: Callable[[], datetime]

    def step(self, who: str, do: Act[T]) -> T:
        """Do something as a person, under the guard."""
        return act(self.engine, self.incident, who, do, now=self.clock())


def run_incident(
    settings: Settings,
    engine: Engine,
    clock: Callable[[], datetime],
    *,
    rule: str = "fraud",
    lead: str = "ben",
    commander: str = "mia",
) -> tuple[str, Path]:
    """Run an incident over the oldest cases that a rule caught; running it again changes nothing.

    ``lead`` must be a lead and ``commander`` senior; ``clock`` gives the time of each step.

    Returns:
        The report as Markdown, and the file it was written to.

    Raises:
        NotFound: the rule has caught no case that still waits.
    """
    title = "Several reports of one scam"
    opening = Opening(f"demo:{rule}", title, Severity.P1, "fraud", detected_at=clock())
    room = Room(engine, incident_id(opening.key), clock)
    if not _is_closed(room):
        cases = _of_one_pattern(engine, rule)
        room.step(lead, lambda s, by, at: open_incident(s, opening, by, at))
        _begin(room, cases, lead, commander)
        hold = _work(room, load_bundle(settings.bundle_dir), commander)
        _end(room, hold, commander)
    markdown = room.step(commander, lambda s, by, at: sign_off(s, room.incident, by, at).markdown)
    path = settings.home / "incidents" / f"{room.incident}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(markdown, encoding="utf8")
    return markdown, path


def _begin(room: Room, cases: list[str], lead: str, commander: str) -> None:
    incident, role = room.incident, IncidentRole.COMMANDER
    text = "All of them name the same shop. We take it for one sender."
    room.step(lead, lambda s, by, at: attach_cases(s, incident, cases, by, at))
    room.step(lead, lambda s, by, at: assume_role(s, incident, role, commander, by, at))
    room.step(commander, lambda s, by, at: add_note(s, incident, text, key="1", by=by, now=at))


def _work(room: Room, bundle: Bundle, commander: str) -> str:
    """Ask Engineering, tell those who work on it, and stop the machine; return the hold."""
    incident, what, soon = room.incident, "Block the shop's links.", timedelta(hours=1)
    room.step(
        commander,
        lambda s, by, at: ask_partner(s, incident, "Engineering", what, at + soon, by, at),
    )
    room.step(commander, lambda s, by, at: tell_update(s, incident, _UPDATE, bundle, by, at))
    wanted = Placing(Scope.RULE, "close_spam", "Some of the scam's messages look like spam.")
    return room.step(
        commander, lambda s, by, at: place_hold(s, incident, wanted, bundle, by, at).id
    )


def _end(room: Room, hold: str, commander: str) -> None:
    incident, month = room.incident, timedelta(days=30)
    room.step(
        commander, lambda s, by, at: move_incident(s, incident, IncidentStatus.CONTAINED, by, at)
    )
    room.step(commander, lambda s, by, at: settle_task(s, incident, 1, done=True, by=by, now=at))
    room.step(commander, lambda s, by, at: lift_hold(s, incident, hold, by, at))
    what = "A rule for the shop's pattern, tried on all of history first."
    room.step(
        commander,
        lambda s, by, at: add_follow_up(s, incident, what, "Policy", at + month, by, at),
    )
    room.step(
        commander, lambda s, by, at: move_incident(s, incident, IncidentStatus.RESOLVED, by, at)
    )


def _is_closed(room: Room) -> bool:
    with reading(room.engine) as session:
        found = session.get(Incident, room.incident)
    return found is not None and found.status == IncidentStatus.CLOSED


def _of_one_pattern(engine: Engine, rule: str) -> list[str]:
    statement = (
        select(col(Case.id))
        .where(col(Case.rule_id) == rule, col(Case.status) == Status.WAITING)
        .order_by(col(Case.received_at), col(Case.id))
        .limit(_CASES)
    )
    with reading(engine) as session:
        cases = list(session.scalars(statement))
    if not cases:
        raise NotFound(f"no case waits that rule {rule} caught", hint="casework cases list")
    return cases
