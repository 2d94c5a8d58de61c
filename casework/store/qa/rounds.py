"""Opening a round: what was drawn becomes items, each with the gates of its re-review."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlmodel import Session, col

from casework.canonical import digest
from casework.errors import NotFound
from casework.gates import ActorKind
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.qa.plans import Plan
from casework.qa.population import population_digest
from casework.qa.reviews import GateKind, ItemStatus, RoundKind
from casework.qa.sampling import Sample
from casework.store.engine import is_sqlite
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.qa.population import Frame, Window
from casework.store.tables import Case, Decision, Gate, Person, QaGate, QaGolden, QaItem, QaRound

#: Any number of our own: whoever draws on PostgreSQL holds this advisory lock.
_LOCK: Final = 0x6361_7365_7161


@dataclass(frozen=True, slots=True)
class Proposal:
    """A draw that is to be recorded: which plan, by which seed, for whom."""

    name: str
    plan: Plan
    seed: str
    policy_digest: str
    default_queue: str  # where the machine's decisions are looked at
    kind: RoundKind = RoundKind.SAMPLE
    team: tuple[str, ...] = ()  # who answers each item; empty: whoever may

    def round_id(self, window: Window) -> str:
        """The round's id, derived, so that drawing twice draws once."""
        times = [window.opens.isoformat(), window.closes.isoformat()]
        name = [self.name, self.kind, self.seed, *times, sorted(self.team)]
        return "r" + digest([str(part) for part in name])[:15]


def round_by_id(session: Session, round_id: str) -> QaRound:
    """One round.

    Raises:
        NotFound: there is no such round.
    """
    found = session.get(QaRound, round_id)
    if found is None:
        raise NotFound(f"there is no round {round_id}", hint="casework qa rounds")
    return found


def rounds(session: Session, plan: str | None = None, limit: int = 50) -> list[QaRound]:
    """The latest rounds, of one plan or of all, the newest first."""
    statement = select(QaRound).order_by(col(QaRound.drawn_at).desc(), col(QaRound.id))
    if plan is not None:
        statement = statement.where(col(QaRound.plan) == plan)
    return list(session.scalars(statement.limit(limit)))


def open_round(
    session: Session,
    proposal: Proposal,
    frame: Frame,
    sample: Sample,
    golden: Sequence[QaGolden],
    by: Provenance,
    now: datetime,
) -> QaRound:
    """Record a draw with all that repeats it, and open the gates of its re-review."""
    _alone(session)
    round_id = proposal.round_id(frame.window)
    if existing := session.get(QaRound, round_id):
        return existing
    reviewers = {each.decision_id: each.reviewers for each in sample.drawn}
    stratum = {each.decision_id: list(each.stratum) for each in sample.drawn}
    rows = _decisions(session, list(reviewers))
    items = [_item(round_id, proposal, stratum, *row) for row in rows]
    items += [_known(round_id, each) for each in golden]
    seen = _participants(session, {item.case_id for item in items})
    gates = []
    for item in items:
        team = proposal.team or (None,) * reviewers.get(item.decision_id, 1)
        barred = seen.get(item.case_id, frozenset())
        gates += _gates(item, [name for name in team if name not in barred], now)
    found = _round(round_id, proposal, frame, sample, by, now)
    session.add_all([found, *items, *gates])
    session.flush()
    # By itself: of many chains at once only those are safe whose cases are held.
    append(session, [_told_of(found, golden)], by, now)
    _hold(session, {item.case_id for item in items})
    append(session, _opened(items, gates), by, now)
    return found


def _alone(session: Session) -> None:
    """Let nobody else draw until the transaction ends; SQLite has one writer anyway."""
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _hold(session: Session, cases: Collection[str]) -> None:
    """Hold cases until the transaction ends."""
    held = select(col(Case.id)).where(among(session, col(Case.id), cases))
    session.execute(held.order_by(col(Case.id)).with_for_update())


def _decisions(session: Session, ids: list[str]) -> list[Any]:
    """The decisions drawn, with the queue of their gate and the vendor of who took them."""
    statement = (
        select(Decision, col(Gate.queue), col(Person.vendor))
        .outerjoin(Gate, col(Gate.id) == col(Decision.gate_id))
        .outerjoin(Person, col(Person.id) == col(Decision.actor))
        .where(among(session, col(Decision.id), ids))
        .order_by(col(Decision.id))
    )
    return [tuple(row) for row in session.execute(statement)]


def _participants(session: Session, cases: Collection[str]) -> dict[str, frozenset[str]]:
    """Who has decided anything about some cases."""
    found: dict[str, set[str]] = {}
    statement = select(col(Decision.case_id), col(Decision.actor)).where(
        among(session, col(Decision.case_id), cases),
        col(Decision.actor_kind) != ActorKind.MACHINE,
    )
    for case, actor in session.execute(statement):
        found.setdefault(case, set()).add(actor)
    return {case: frozenset(actors) for case, actors in found.items()}


def _item(
    round_id: str,
    proposal: Proposal,
    stratum: dict[str, list[str]],
    decision: Decision,
    queue: str | None,
    vendor: str | None,
) -> QaItem:
    origin = queue or proposal.default_queue
    machine = decision.actor_kind == ActorKind.MACHINE
    handed = decision.queue if decision.verdict == "escalate" else None
    return QaItem(
        id=digest([round_id, decision.id])[:32],
        round_id=round_id,
        decision_id=decision.id,
        case_id=decision.case_id,
        revision=decision.revision,
        stratum=stratum[decision.id],
        queue=decision.queue or origin,
        origin=origin,
        evidence_digest=decision.evidence_digest,
        policy_digest=decision.policy_digest,
        actor=decision.actor,
        actor_kind=str(ActorKind.MACHINE if machine else ActorKind.PERSON),
        vendor=vendor,
        verdict=decision.verdict,
        action=None if handed else decision.action,
        escalate_to=handed,
        severity=decision.severity,
        clause=decision.clause,
        rule_id=decision.rule_id,
        status=ItemStatus.OPEN,
    )


def _known(round_id: str, golden: QaGolden) -> QaItem:
    return QaItem(
        id=digest([round_id, golden.id])[:32],
        round_id=round_id,
        decision_id=golden.id,
        golden=True,
        case_id=golden.case_id,
        revision=golden.revision,
        stratum=[],
        queue=golden.queue,
        origin=golden.queue,
        evidence_digest=golden.evidence_digest,
        policy_digest=golden.policy_digest,
        actor=golden.added_by,
        actor_kind=str(ActorKind.PERSON),
        verdict=golden.verdict,
        action=golden.action,
        escalate_to=golden.escalate_to,
        clause=golden.clause,
        status=ItemStatus.OPEN,
    )


def _gates(item: QaItem, team: Sequence[str | None], now: datetime) -> list[QaGate]:
    return [new_gate(item, GateKind.REVIEW, slot, now, who) for slot, who in enumerate(team)]


def new_gate(
    item: QaItem, kind: GateKind, slot: int, now: datetime, reserved_for: str | None = None
) -> QaGate:
    """A gate for an item that is not in the store yet; its id is derived, and says nothing."""
    return QaGate(
        id="q" + digest([item.id, str(kind), slot])[:23],
        item_id=item.id,
        round_id=item.round_id,
        case_id=item.case_id,
        kind=kind,
        queue=item.queue,
        reserved_for=reserved_for,
        status="open",
        opened_at=now,
    )


def _round(
    round_id: str, proposal: Proposal, frame: Frame, sample: Sample, by: Provenance, now: datetime
) -> QaRound:
    plan = proposal.plan
    return QaRound(
        id=round_id,
        kind=proposal.kind,
        plan=proposal.name,
        seed=proposal.seed,
        opens=frame.window.opens,
        closes=frame.window.closes,
        plan_digest=plan.digest(),
        policy_digest=proposal.policy_digest,
        population_digest=population_digest(frame.population),
        sample_digest=sample.digest(),
        population=sum(stratum.population for stratum in sample.strata),
        sampled=len(sample.drawn),
        strata=[stratum.as_dict(plan.strata) for stratum in sample.strata],
        document=plan.document(),
        drawn_by=by.actor,
        drawn_at=now,
    )


def _told_of(found: QaRound, golden: Iterable[QaGolden]) -> Draft:
    digests = ("plan_digest", "population_digest", "sample_digest")
    names = ("plan", "kind", "seed", "population", "sampled", *digests)
    data: dict[str, Any] = {name: getattr(found, name) for name in names}
    data |= {"round": found.id, "kind": str(found.kind)}
    data |= {"opens": found.opens.isoformat(), "closes": found.closes.isoformat()}
    data["golden_digest"] = digest(sorted(each.id for each in golden))
    return Draft(SYSTEM, Action.QA_DRAWN, data, policy_digest=found.policy_digest)


def _opened(items: Sequence[QaItem], gates: Iterable[QaGate]) -> list[Draft]:
    of_item: defaultdict[str, list[str]] = defaultdict(list)
    for gate in gates:
        of_item[gate.item_id].append(gate.id)
    return [
        Draft(
            item.case_id,
            Action.QA_OPENED,
            {"round": item.round_id, "item": item.id, "gates": of_item[item.id]},
            item.revision,
            item.evidence_digest,
            item.policy_digest,
        )
        for item in items
    ]
