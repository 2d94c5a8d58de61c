"""Effects on their way, and a store that holds some."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from casework.effects import Effect, EffectKind
from casework.policy.bundle import bundle_from_files
from casework.policy.model import Bundle
from casework.store.engine import transaction
from casework.store.outbox import enqueue
from casework.store.sending import Claimed, claim
from tests.factories.gates import BY, NOW
from tests.factories.policy import FILES


def effect(key: str = "act:g1:log", **more: Any) -> Effect:
    """An effect for the destination ``log``, unless told otherwise."""
    given: dict[str, Any] = {"kind": EffectKind.ACT, "destination": "log", "case_id": "c1", **more}
    return Effect(key=key, **given)


def queue(engine: Engine, *effects: Effect, now: datetime = NOW) -> int:
    """Put effects into the outbox; how many were new."""
    with transaction(engine) as session:
        return enqueue(session, effects, BY, now)


def take(
    engine: Engine, limit: int = 10, *, destination: str = "log", now: datetime = NOW
) -> list[Claimed]:
    """Claim what is due for a destination, as a sender does."""
    with transaction(engine) as session:
        return claim(session, destination, limit, "sender", now)


#: The small bundle, with a platform that acts and a desk that answers.
LEAVING = {
    **FILES,
    "destinations.yaml": """\
platform: {type: webhook, takes: [act, reverse]}
desk: {type: log, takes: [reply, set_status]}
""",
    "actions.yaml": """\
no_action: {title: Do nothing, approvals: 1, reversible: false}
warn: {title: Warn, approvals: 1, reversible: false, macro: warned, to: [desk]}
suspend: {title: Suspend, approvals: 1, reversible: true, inverse: unsuspend, lasts: 7 days,
          to: [platform]}
unsuspend: {title: Lift it, approvals: 1, reversible: true, inverse: suspend, to: [platform]}
ban: {title: Ban, approvals: 2, reversible: true, inverse: lift_ban, macro: banned,
      to: [platform, desk]}
lift_ban: {title: Lift a ban, approvals: 2, reversible: true, inverse: ban, to: [platform]}
""",
    "queues.yaml": FILES["queues.yaml"].replace(
        "actions: [no_action, suspend]", "actions: [no_action, suspend, unsuspend, warn, ban]"
    ),
    "macros/warned.md": 'Please read {{ clause_text or "our rules" }}.\n',
    "macros/banned.md": "Your account is closed. Your case: {{ reference }}.\n",
}


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """A bundle's files in a folder, which is returned."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def leaving_bundle() -> Bundle:
    """The small bundle with destinations: bans and suspensions leave, and can be undone."""
    return bundle_from_files(LEAVING)
