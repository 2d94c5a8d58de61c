"""Evidence for providers, and cases in the store that wait for their signals."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert

from casework.cases import Evidence, case_id
from casework.store.engine import transaction
from casework.store.tables import Case, CaseRevision

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def evidence(number: int = 1, **fields: Any) -> Evidence:
    """One piece of evidence; the number makes its id."""
    given: dict[str, Any] = {
        "case_id": case_id("desk", str(number)),
        "revision": 1,
        "source": "desk",
        "content_digest": f"{number:064x}",
        "received_at": RECEIVED,
        **fields,
    }
    return Evidence(**given)


def stored(engine: Engine, items: Sequence[dict[str, Any]]) -> list[str]:
    """Put cases into the store as intake leaves them; return their ids.

    Keys of the cases table set its columns, ``title`` and ``body`` the content.
    """
    cases, revisions = [], []
    for number, item in enumerate(items, start=1):
        fields = dict(item)
        content = {name: fields.pop(name) for name in ("title", "body") if name in fields}
        external = fields.pop("external_id", str(number))
        case: dict[str, Any] = {
            "id": case_id("desk", external),
            "source": "desk",
            "external_id": external,
            "revision": 1,
            "status": "opened",
            "content_digest": f"{number:064x}",
            "intake_id": "i1",
            "received_at": RECEIVED,
            "opened_at": RECEIVED,
            "updated_at": RECEIVED,
            "subject_id": None,
            "reporter_id": None,
            "action": None,
            **fields,
        }
        named = ("subject_id", "reporter_id")
        content.update({name: case[name] for name in named if case[name]})
        cases.append(case)
        revisions.append(
            {
                "case_id": case["id"],
                "revision": case["revision"],
                "content": {"external_id": external, **content},
                "content_digest": case["content_digest"],
                "intake_id": case["intake_id"],
                "recorded_at": RECEIVED,
            }
        )
    with transaction(engine) as session:
        session.execute(insert(Case), cases)
        session.execute(insert(CaseRevision), revisions)
    return [case["id"] for case in cases]
