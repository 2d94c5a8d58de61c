"""What ``casework up`` starts beside the server, and what it says of the console."""

import os
import socket
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.settings import Settings
from casework.store.accounts import set_password, use_link
from casework.store.engine import transaction
from deployments.cli.up import _parts, _tell_of_console, _with_console
from deployments.stack import PARTS
from tests.factories.gates import BY


@pytest.mark.parametrize("name", PARTS)
def test_each_part_is_a_module_that_is_there(name: str) -> None:
    assert find_spec(PARTS[name][0]) is not None


def test_the_receiver_is_left_out_where_nothing_may_post(tmp_path: Path) -> None:
    assert set(PARTS) - set(_parts(Settings(home=tmp_path))) == {"receiver"}


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names no console; what a test adds to it is gone after it."""
    for name in ("CASEWORK_CONSOLE_PORT", "CASEWORK_CONSOLE_URL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("no_environment")
def test_links_lead_to_the_console_unless_another_address_is_named() -> None:
    settings = _with_console(Settings(), 4999)
    assert (settings.console_port, settings.console_url) == (4999, "http://127.0.0.1:4999")
    os.environ["CASEWORK_CONSOLE_URL"] = "https://cases.example"
    assert _with_console(Settings(), 5000).console_url == "https://cases.example"


@pytest.mark.usefixtures("no_environment")
def test_a_port_that_is_taken_is_not_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert _with_console(Settings(console_port=port), None).console_port != port


def test_a_link_is_printed_until_somebody_has_a_password(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, now = Settings(console_port=4999), datetime.now(UTC)
    _tell_of_console(settings, engine)
    address, secret = capsys.readouterr().err.split()[1].split("/sign-in/")
    assert address == "http://127.0.0.1:4999"
    with transaction(engine) as session:
        assert use_link(session, secret, BY, now) == "admin"
        set_password(session, "admin", "correct horse battery", BY, now)
    _tell_of_console(settings, engine)
    assert capsys.readouterr().err.split() == ["console:", address]
