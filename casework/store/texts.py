"""The text of an effect: its macro, filled in from its case at the moment it is sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from casework.effects import Effect
from casework.errors import ConfigurationError
from casework.gates import Verdict
from casework.macros import day, render
from casework.policy.model import Bundle
from casework.store.incidents.updates import update_text
from casework.store.policy import stored_bundle
from casework.store.tables import Case, Decision


def text_of(session: Session, effect: Effect, in_force: Bundle) -> str:
    """What an effect says; nothing where it names no macro.

    An update of an incident says what was told then. Else the macro is that of the bundle the
    effect names as its ``policy``, or of the one in force.

    Raises:
        ConfigurationError: there is no such macro, or the case cannot fill it in.
        NotFound: the bundle or the update that it names is not kept.
    """
    if "update" in effect.data:
        return update_text(session, effect)
    name = effect.data.get("macro")
    if name is None:
        return ""
    policy = effect.data.get("policy")
    bundle = in_force if policy is None else stored_bundle(session, str(policy))
    if name not in bundle.macros:
        raise ConfigurationError(
            f"policy {bundle.name} {bundle.version} has no macro `{name}`",
            hint="put it into the bundle, then: casework effects retry KEY",
        )
    return render(str(name), bundle.macros[name], _values(session, effect, bundle))


def _values(session: Session, effect: Effect, bundle: Bundle) -> dict[str, str]:
    """Every field of ``casework.macros.FIELDS`` that the case has, and the bundle's own."""
    values = dict(bundle.macro_fields)
    case = session.get(Case, effect.case_id) if effect.case_id else None
    if case is not None:
        values |= {"reference": case.external_id, "received": day(case.received_at)}
    decision = _decision(session, effect.data)
    if decision is not None:
        values["decided"] = day(decision.decided_at)
        values |= _clause(bundle, decision.clause)
    if until := effect.data.get("until"):
        values["until"] = day(datetime.fromisoformat(str(until)))
    return values


def _decision(session: Session, data: Mapping[str, Any]) -> Decision | None:
    """The approval at the gate that caused the effect, one that names a clause if there is one,
    or the machine's decision."""
    origin = data.get("origin")
    if origin is None:
        return None
    statement = (
        select(Decision)
        .where(col(Decision.gate_id) == origin, col(Decision.verdict) == Verdict.APPROVE)
        .order_by(col(Decision.clause).is_(None), col(Decision.decided_at).desc())
        .limit(1)
    )
    return session.scalar(statement) or session.get(Decision, str(origin))


def _clause(bundle: Bundle, clause: str | None) -> dict[str, str]:
    """A clause and its text; a clause that the bundle does not have says nothing."""
    for category in bundle.categories.values():
        if clause is not None and clause in category.clauses:
            return {"clause": clause, "clause_text": category.clauses[clause]}
    return {}
