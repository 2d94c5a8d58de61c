"""Risk review as a task: batches until nothing is left, repeated without harm."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from casework.errors import PolicyError
from casework.store.engine import open_engine, reading
from casework.store.ledger import entries_of
from casework.store.tables import PolicyBundle
from flows.risk_review import summary
from tasks.risk_review import adopt_policy, decide_batch
from tests.factories.enriched import enriched_case
from tests.factories.policy import FILES, small_bundle


@pytest.fixture
def store(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A store and a small policy, as the settings name them."""
    for name, text in FILES.items():
        (tmp_path / "policy").mkdir(exist_ok=True)
        (tmp_path / "policy" / name).write_text(text)
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    monkeypatch.setenv("CASEWORK_POLICY_DIR", str(tmp_path / "policy"))
    monkeypatch.setenv("CASEWORK_BATCH_SIZE", "3")
    return open_engine(store_url)


async def review_all(policy: str) -> list[dict[str, Any]]:
    batches, after = [], None
    while (batch := await decide_batch.fn(policy, None, after))["after"] is not None:
        batches.append(batch["counts"])
        after = tuple(batch["after"])
    return batches


@pytest.mark.anyio
async def test_cases_are_decided_batch_by_batch_and_a_second_run_finds_none(
    store: Engine,
) -> None:
    for number in range(7):
        signals = {"patterns": {"spam": True}, "source": {"threat": number == 0}}
        enriched_case(store, f"T-{number}", signals)
    policy = await adopt_policy.fn()
    batches = await review_all(policy)
    assert len(batches) == 3
    assert sum(batch["closed"] for batch in batches) == 6
    assert sum(batch["escalated"] for batch in batches) == 1
    assert await review_all(policy) == []


@pytest.mark.anyio
async def test_the_bundle_is_adopted_once_with_an_entry(store: Engine) -> None:
    assert await adopt_policy.fn() == await adopt_policy.fn() == small_bundle().digest
    with reading(store) as session:
        assert session.get_one(PolicyBundle, small_bundle().digest).name == "small"
        assert [entry.action for entry in entries_of(session, "system")] == ["policy.adopted"]


@pytest.mark.anyio
async def test_a_policy_that_does_not_lint_decides_nothing(store: Engine, tmp_path: Path) -> None:
    (tmp_path / "policy" / "rules.yaml").write_text("- {id: a, when: thret}\n")
    with pytest.raises(PolicyError, match="did you mean `threat`"):
        await adopt_policy.fn()


def test_the_summary_counts_by_rule_and_queue() -> None:
    ways = {("close", "spam", None): 12, ("review", None, "general"): 3}
    assert summary("a" * 64, ways).splitlines()[2:] == [
        "| route | rule | queue | cases |",
        "|---|---|---|---:|",
        "| close | spam |  | 12 |",
        "| review | none (default) | general | 3 |",
    ]
