"""The page on settings and the code say the same."""

from pathlib import Path

from pydantic import SecretStr

from casework.settings import Settings
from tests.docs.pages import rows


def test_the_settings_page_lists_every_setting_with_its_default() -> None:
    written = [cells for cells in rows("docs/settings.md") if cells[0].startswith("CASEWORK_")]
    declared = [
        [f"CASEWORK_{name.upper()}", _shown(field.default), field.description]
        for name, field in Settings.model_fields.items()
    ]
    assert written == declared


def _shown(default: object) -> str:
    plain = default.get_secret_value() if isinstance(default, SecretStr) else default
    if plain is None or plain == "":
        return "empty"
    return plain.as_posix() if isinstance(plain, Path) else str(plain)
