"""Gathering the story of an incident out of the store."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from casework.cases import Route
from casework.gates import ActorKind, GateStatus, Verdict
from casework.incidents.durations import detection
from casework.incidents.missed import CaseOutcome, missed
from casework.incidents.states import IncidentStatus
from casework.incidents.story import Decided, FollowUp, HoldTold, Note, Story, Update
from casework.incidents.timeline import Moment, moments_of, timeline
from casework.ledger.entries import Action
from casework.policy.bundle import bundle_from_files
from casework.policy.explain import explain
from casework.policy.model import Bundle
from casework.store.facts import rows_for_policy
from casework.store.incidents.lifecycle import incident_by_id
from casework.store.incidents.reading import numbered, tasks_of, tenures_of
from casework.store.lookup import among
from casework.store.policy import stored_files
from casework.store.tables import (
    Case,
    Decision,
    Gate,
    HeldCase,
    Hold,
    Incident,
    IncidentCase,
    IncidentFollowUp,
    IncidentNote,
    IncidentUpdate,
    LedgerEntry,
)

#: The report does not tell of itself.
_UNTOLD: Final = (Action.INCIDENT_REPORTED, Action.INCIDENT_PUBLISHED)


def story_of(session: Session, incident: str) -> Story:
    """Everything about one incident, as it stands now.

    Raises:
        NotFound: there is no such incident.
    """
    found = incident_by_id(session, incident)
    times = _times(session, incident)
    now_under = sorted({each.case_id for each in times if each.detached_at is None})
    cases = _cases(session, now_under)
    received = [case.received_at for case in cases]
    told = "as told" if found.detected_at else "its first case" if received else "its opening"
    return Story(
        **_facts(found),
        detected_at=detection(found.detected_at, received, found.opened_at),
        detected_by=told,
        cases={case.id: case.status for case in cases},
        tenures=tenures_of(session, incident),
        moments=timeline(_moments(session, incident, times)),
        notes=_notes(session, incident),
        tasks=tasks_of(session, incident),
        updates=_updates(session, incident),
        follow_ups=_follow_ups(session, incident),
        holds=_holds(session, incident),
        decisions=_decisions(session, now_under),
        missed=missed(_outcomes(session, now_under)),
    )


def _facts(found: Incident) -> dict[str, Any]:
    names = ("id", "title", "severity", "category", "opened_by", "opened_at", "closed_at")
    facts = {name: getattr(found, name) for name in names}
    return {**facts, "status": IncidentStatus(found.status)}


def _times(session: Session, incident: str) -> list[IncidentCase]:
    """Every case's times under an incident."""
    statement = select(IncidentCase).where(col(IncidentCase.incident_id) == incident)
    return list(session.scalars(statement.order_by(col(IncidentCase.turn))))


def _cases(session: Session, names: Sequence[str]) -> list[Case]:
    statement = select(Case).where(among(session, col(Case.id), names)).order_by(col(Case.id))
    return list(session.scalars(statement))


def _moments(session: Session, incident: str, times: Sequence[IncidentCase]) -> Iterator[Moment]:
    """The incident's entries, and those of its cases up to when they last left it."""
    until = {each.case_id: each.detached_at for each in times}  # the last turn counts
    statement = (
        select(LedgerEntry)
        .where(among(session, col(LedgerEntry.chain), [incident, *until]))
        .where(col(LedgerEntry.action).not_in(_UNTOLD))
    )
    for entry in session.scalars(statement):
        left = until.get(entry.chain)
        # An attachment is told once: on the incident's own chain.
        repeated = entry.chain != incident and entry.action.startswith("incident.")
        if not repeated and (left is None or entry.at <= left):
            yield from moments_of(entry.id or 0, entry.body)


def _notes(session: Session, incident: str) -> list[Note]:
    return [
        Note(row.number, row.text, row.corrects, row.author, row.noted_at)
        for row in numbered(session, IncidentNote, incident)
    ]


def _updates(session: Session, incident: str) -> list[Update]:
    return [
        Update(row.number, row.audience, row.macro, row.text, row.digest, row.told_by, row.told_at)
        for row in numbered(session, IncidentUpdate, incident)
    ]


def _follow_ups(session: Session, incident: str) -> list[FollowUp]:
    return [
        FollowUp(row.number, row.what, row.owner, row.due, row.done_at)
        for row in numbered(session, IncidentFollowUp, incident)
    ]


def _holds(session: Session, incident: str) -> list[HoldTold]:
    statement = (
        select(col(HeldCase.hold_id), func.count())
        .join(Hold, col(Hold.id) == col(HeldCase.hold_id))
        .where(col(Hold.incident_id) == incident)
        .group_by(col(HeldCase.hold_id))
    )
    held = {row[0]: row[1] for row in session.execute(statement)}
    names = ("id", "scope", "value", "reason", "placed_by", "placed_at", "lifted_at")
    return [
        HoldTold(**{name: getattr(row, name) for name in names}, held=held.get(row.id, 0))
        for row in numbered(session, Hold, incident)
    ]


def _decisions(session: Session, cases: Sequence[str]) -> list[Decided]:
    """Decisions about cases, counted by who took them and what they said."""
    said = tuple(map(col, (Decision.actor, Decision.actor_kind, Decision.verdict, Decision.action)))
    statement = (
        select(*said, func.count())
        .where(among(session, col(Decision.case_id), cases))
        .group_by(*said)
    )
    rows = [Decided(*row) for row in session.execute(statement)]
    return sorted(rows, key=lambda row: (row.actor_kind, row.actor, row.verdict, row.action or ""))


def _outcomes(session: Session, cases: Sequence[str]) -> list[CaseOutcome]:
    """What the machine decided about each case last, and how people ended it."""
    machine = _last_of_the_machine(session, cases)
    held = _held(session, cases)
    ended = _ended(session, cases)
    doubtful = [each for each in machine.values() if each.unknown]
    undecided = _undecided(session, doubtful)
    return [
        CaseOutcome(
            case_id=case,
            route=decision.verdict,
            rule_id=decision.rule_id,
            proposed=held.get((case, decision.revision), decision.action),
            held=(case, decision.revision) in held,
            undecided=undecided.get(case, ()),
            **ended.get(case, {}),
        )
        for case, decision in machine.items()
    ]


def _last_of_the_machine(session: Session, cases: Sequence[str]) -> dict[str, Decision]:
    """The machine's last decision about each case; one that closed it outlives a later one."""
    statement = (
        select(Decision)
        .where(among(session, col(Decision.case_id), cases))
        .where(col(Decision.actor_kind) == ActorKind.MACHINE)
        .order_by(col(Decision.case_id), col(Decision.revision))
    )
    last: dict[str, Decision] = {}
    for decision in session.scalars(statement):
        before = last.get(decision.case_id)
        if before is None or before.verdict != Route.CLOSE:
            last[decision.case_id] = decision
    return last


def _held(session: Session, cases: Sequence[str]) -> dict[tuple[str, int], str | None]:
    """What the machine would have closed held revisions with."""
    columns = (col(HeldCase.case_id), col(HeldCase.revision), col(HeldCase.action))
    rows = session.execute(select(*columns).where(among(session, columns[0], cases)))
    return {(case, revision): action for case, revision, action in rows}


def _ended(session: Session, cases: Sequence[str]) -> dict[str, dict[str, Any]]:
    """How people ended each case: the last decided gate, and whether one handed it over."""
    statement = (
        select(Gate)
        .where(among(session, col(Gate.case_id), cases))
        .where(col(Gate.status).in_([GateStatus.DECIDED, GateStatus.CARRIED_OUT]))
        .order_by(col(Gate.case_id), col(Gate.revision), col(Gate.step))
    )
    ended: dict[str, dict[str, Any]] = {}
    for gate in session.scalars(statement):
        passed_on = gate.verdict == Verdict.ESCALATE
        before = ended.get(gate.case_id, {"handed_over": False})
        ended[gate.case_id] = {
            "verdict": gate.verdict,
            "action": gate.action,
            "handed_over": before["handed_over"] or passed_on,
        }
    return ended


def _undecided(session: Session, decisions: Collection[Decision]) -> dict[str, tuple[str, ...]]:
    """The rules that lacked a signal before one decided, for cases that have not been revised."""
    revisions = {each.case_id: each for each in decisions}
    bundles: dict[str, Bundle] = {}
    found = {}
    for facts in rows_for_policy(session, list(revisions)):
        decision = revisions[facts.case_id]
        if facts.revision != decision.revision:
            continue
        digest = decision.policy_digest
        if digest not in bundles:
            bundles[digest] = bundle_from_files(stored_files(session, digest))
        found[facts.case_id] = tuple(_before_deciding(bundles[digest], facts.row))
    return found


def _before_deciding(bundle: Bundle, row: dict[str, Any]) -> Iterator[str]:
    for result in explain(bundle, row):
        if result.truth:
            return
        if result.undecided and result.route != Route.CLOSE:
            yield result.rule_id
