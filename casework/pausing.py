"""Ruling on rights that are to be paused or given back, whichever way a lead does it.

The ruling is committed, a refusal too, before anybody is told.
"""

from datetime import datetime

from sqlalchemy import Engine

from casework.errors import Denied, InputError
from casework.gates import ActorKind
from casework.ledger.entries import Provenance
from casework.qa.rights import Objection, Refused, Ruling
from casework.store.engine import transaction
from casework.store.qa.rights import rule_on_right
from casework.store.tables import PausedRight
from casework.version import code_version


def rule(
    engine: Engine, right: str, ruling: Ruling, reason: str, actor: str, *, now: datetime
) -> PausedRight:
    """Confirm or dismiss a proposal, or give a paused right back.

    Raises:
        NotFound: there is no such proposal.
        Denied: this person may not, or it is not the time for it.
        InputError: the reason is too short to be one.
    """
    if len(reason.strip()) < 3:
        raise InputError(f"to {ruling} it takes a reason", hint='--reason "..."')
    by = Provenance(actor=actor, actor_kind=str(ActorKind.PERSON), code_version=code_version())
    with transaction(engine) as session:
        found = rule_on_right(session, right, ruling, reason.strip(), by, now)
    if isinstance(found, Refused):
        hint = "casework qa rights list"
        if found.reason is Objection.TRAINING:
            hint = "casework qa train PLAN --person ID"
        raise Denied(found.message, reason=str(found.reason), hint=hint)
    return found
