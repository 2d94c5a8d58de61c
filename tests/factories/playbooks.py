"""A bundle whose rule on threats has a playbook that asks, and cases that it brought to people."""

from datetime import UTC, datetime

from sqlalchemy import Engine

from casework.policy.bundle import bundle_from_files
from casework.policy.model import Bundle
from casework.store.engine import transaction
from casework.store.gates import gate_by_id
from casework.store.playbooks import answer_step, followed
from casework.store.tables import Case
from tests.factories.escalation import person
from tests.factories.gates import waiting_case
from tests.factories.policy import FILES

TREE = """\
kind:
  ask: What is it?
  required: true
  answers:
    threat: {title: A threat, next: danger}
    figure: {title: A figure of speech, action: no_action}
danger:
  ask: Is life in danger now?
  required: true
  answers:
    "yes": {title: "Yes", escalate_to: legal}
    "no": {title: "No", next: before}
before:
  ask: Was there one before?
  answers:
    "yes": {title: "Yes", action: suspend}
    "no": {title: "No", action: suspend}
"""

RULE = """\
- {id: menace, when: threat AND spam, route: review, severity: P1, queue: general,
   action: suspend, reason: Menace., category: threats, playbook: threats}
"""

ASKING = {
    **FILES,
    "playbooks/threats.yaml": TREE,
    "categories.yaml": FILES["categories.yaml"]
    + "threats: {title: Threats, covered: true, description: Them., clauses: {T1: No threats.}}\n",
    "rules.yaml": RULE + FILES["rules.yaml"],
}


def asking_bundle() -> Bundle:
    """The small bundle, with a marked category whose rule has a playbook that asks."""
    return bundle_from_files(ASKING)


def asking_case(engine: Engine, external_id: str = "T-1", *, queue: str = "general") -> str:
    """A case that the rule on threats brought to people; returns the gate's id."""
    gate = waiting_case(engine, external_id, queue=queue, bundle=asking_bundle())
    with transaction(engine) as session:
        session.get_one(Case, gate_by_id(session, gate).case_id).rule_id = "menace"
    return gate


def follow(engine: Engine, gate: str, who: str) -> None:
    """Have somebody give the first answer to whatever a gate's playbook requires."""
    with transaction(engine) as session:
        found = gate_by_id(session, gate)
        case = session.get_one(Case, found.case_id)
        while (playbook := followed(session, case, found)) and playbook.walk.missing:
            step = playbook.walk.missing[0]
            answer_step(session, gate, step.id, step.choices[0].id, person(who), datetime.now(UTC))
