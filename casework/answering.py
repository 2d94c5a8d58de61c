"""Taking a person's answer: the one way in, whichever path it came by.

The command line, the console and Prefect's Resume form all call ``answer_gate``. It commits the
ruling, a refusal too, before anything else happens; waking the run is the caller's next step and
changes nothing of the decision.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from pydantic import ValidationError
from sqlalchemy import Engine
from sqlmodel import Session

from casework.denials import Denial, Refused, refusal_of
from casework.errors import InputError
from casework.gates import Accepted, ActorKind, Answer
from casework.ledger.entries import Provenance
from casework.policy.model import Bundle
from casework.store.answers import take_answer
from casework.store.consequences import terms_at
from casework.store.engine import reading, transaction
from casework.store.gates import deny, gate_by_id
from casework.store.people import answering
from casework.store.policy import stored_bundle
from casework.store.restrictions import check_known
from casework.store.reversal import Reversal, deny_reversal, reverse
from casework.store.tables import Gate
from casework.version import code_version

#: What is done in the transaction in which the guard has ruled.
Ruled: TypeAlias = Callable[[Session, Accepted | Refused], None]


#: Seconds for which somebody who has decided waits for Prefect. One that hangs would keep them for
#: minutes: its client waits long, and tries again.
WAKE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Taken:
    """An accepted answer. ``missing`` more people are needed before the gate is decided."""

    gate_id: str
    case_id: str
    missing: int
    flow_run_id: str | None

    @property
    def decided(self) -> bool:
        """Whether the gate is decided."""
        return self.missing == 0


def answer_gate(
    engine: Engine,
    gate_id: str,
    actor: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    kind: ActorKind = ActorKind.PERSON,
    ruled: Ruled = lambda session, ruling: None,
) -> Taken:
    """Take one answer at one gate.

    Args:
        engine: the store.
        gate_id: the gate that is answered.
        actor: id of the person who answers.
        payload: the fields of ``casework.gates.Answer``, not yet validated.
        now: the time of the answer.
        kind: whether the person's identity was checked.
        ruled: what else belongs into the transaction of the ruling, a refusal too.

    Raises:
        NotFound: there is no such gate, or its case is restricted to others.
        Denied: the guard refused the answer.
        Conflict: somebody was faster, or the case has newer content.
    """
    by = Provenance(actor=actor, actor_kind=str(kind), code_version=code_version())
    with reading(engine) as session:
        found = gate_by_id(session, gate_id)
        check_known(session, found.case_id, gate_id, actor)
        bundle = stored_bundle(session, found.policy_digest)
    with transaction(engine) as session:
        gate = gate_by_id(session, gate_id)
        ruling = _rule(session, gate, bundle, payload, kind, by, now)
        ruled(session, ruling)
        taken = Taken(gate_id, gate.case_id, getattr(ruling, "missing", 1), gate.flow_run_id)
    if isinstance(ruling, Refused):
        raise refusal_of(ruling)
    return taken


def _rule(
    session: Session,
    gate: Gate,
    bundle: Bundle,
    payload: Mapping[str, Any],
    kind: ActorKind,
    by: Provenance,
    now: datetime,
) -> Accepted | Refused:
    person = answering(session, by.actor, kind)
    if person is None:
        message = f"nobody is known as {by.actor}"
        return _denied(session, gate, Denial.UNKNOWN_PERSON, message, by, now)
    try:
        answer = Answer.model_validate(payload)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        return _denied(session, gate, Denial.MALFORMED, faults, by, now)
    terms = terms_at(session, bundle, gate, answer.action)
    return take_answer(session, gate.id, person, answer, terms, by, now)


def _denied(
    session: Session, gate: Gate, reason: Denial, message: str, by: Provenance, now: datetime
) -> Refused:
    deny(session, gate, reason, by, now)
    return Refused(reason, message)


def reverse_action(
    engine: Engine,
    case: str,
    actor: str,
    reason: str,
    *,
    now: datetime,
    action: str | None = None,
    kind: ActorKind = ActorKind.PERSON,
) -> Reversal:
    """Undo what was done about a closed case, or open the gate at which others decide that.

    Args:
        engine: the store.
        case: its id, or ``source:external id``.
        actor: id of the person who wants it.
        reason: why; it is kept with the decision.
        now: the time.
        action: which of the actions that stand; None: the newest.
        kind: whether the person's identity was checked.

    Raises:
        NotFound: there is no such case.
        Denied: the guard does not let this person undo it.
        Conflict: nothing stands that could be undone, or the case is not closed.
        InputError: the reason is too short to be one.
    """
    if len(reason.strip()) < 3:
        raise InputError("an action is undone for a reason", hint='--reason "..."')
    by = Provenance(actor=actor, actor_kind=str(kind), code_version=code_version())
    with transaction(engine) as session:
        ruling = _ruled_reversal(session, case, reason, kind, by, now, action)
    if isinstance(ruling, Refused):
        raise refusal_of(ruling)
    return ruling


def _ruled_reversal(
    session: Session,
    case: str,
    reason: str,
    kind: ActorKind,
    by: Provenance,
    now: datetime,
    action: str | None,
) -> Reversal | Refused:
    person = answering(session, by.actor, kind)
    if person is None:
        deny_reversal(session, case, Denial.UNKNOWN_PERSON, by, now)
        return Refused(Denial.UNKNOWN_PERSON, f"nobody is known as {by.actor}")
    return reverse(session, case, person, reason, by, now, action)


def bundle_of(engine: Engine, policy_digest: str) -> Bundle:
    """The bundle with this digest, as the store keeps it: the terms a gate was opened under.

    Raises:
        NotFound: no bundle with this digest has decided anything.
    """
    with reading(engine) as session:
        return stored_bundle(session, policy_digest)
