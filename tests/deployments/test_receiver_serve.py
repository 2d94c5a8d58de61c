"""Putting the receiver together: its sources, their secrets, and a store that keeps."""

from pathlib import Path

import pytest
from sqlalchemy import text

from casework.errors import ConfigurationError, StoreError
from casework.inbox.posts import Vendor
from casework.settings import Settings
from casework.store.engine import open_engine, reach_the_disk, reading
from deployments.cli.up import _parts
from deployments.receiver.serve import composed, doors_of
from tests.factories.posts import SECRET, inbox_file, source


def declared(folder: Path, secrets: list[dict[str, str]] | None = None) -> Settings:
    """Settings that declare one source, a generic one."""
    entry = source(Vendor.STANDARD, folder)
    if secrets is not None:
        entry["secrets"] = secrets
    path = inbox_file(folder, forms=entry)
    return Settings(home=folder, database_url="", inbox_file=path)


def test_a_door_has_every_secret_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OLD", SECRET)
    monkeypatch.delenv("NEW", raising=False)
    settings = declared(tmp_path, [{"env": "OLD"}, {"env": "NEW"}, {"file": "standard.secret"}])
    door = doors_of(settings)["forms"]
    assert [secret.get_secret_value() for secret in door.secrets] == [SECRET, SECRET]
    assert "env NEW" in caplog.text
    assert SECRET not in caplog.text + repr(door)


@pytest.mark.parametrize("secret", ["", "whsec_!", "whsec_"])
def test_a_secret_that_can_check_nothing_stops_the_receiver(tmp_path: Path, secret: str) -> None:
    settings = declared(tmp_path)
    (tmp_path / "standard.secret").write_text(secret)
    with pytest.raises(ConfigurationError, match="source forms") as refusal:
        doors_of(settings)
    assert "whsec_!" not in refusal.value.message


def test_the_stack_has_a_receiver_where_sources_are_declared(tmp_path: Path) -> None:
    always = ("review-worker", "batch-worker", "console")
    assert _parts(declared(tmp_path)) == (*always, "receiver")
    assert _parts(Settings(home=tmp_path, inbox_file=None)) == always
    (tmp_path / "standard.secret").unlink()
    with pytest.raises(ConfigurationError):
        _parts(declared(tmp_path, [{"file": "none"}]))


def test_the_receiver_does_not_start_on_a_store_that_is_not_set_up(tmp_path: Path) -> None:
    settings = declared(tmp_path)
    with pytest.raises(StoreError, match="not set up"):
        composed(settings)
    open_engine(settings.store_url).dispose()


def test_what_the_receiver_commits_reaches_the_disk(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'casework.db'}")
    usual = 1
    with reading(engine) as session:
        assert session.execute(text("PRAGMA synchronous")).scalar() == usual
    engine.dispose()
    reach_the_disk(engine)
    with reading(engine) as session:
        assert session.execute(text("PRAGMA synchronous")).scalar() == usual + 1
    engine.dispose()
