"""The file that declares who may post."""

from pathlib import Path
from typing import Any

import pytest

from casework.errors import ConfigurationError, MappingError
from casework.inbox.load import load_sources, secrets_of
from casework.inbox.posts import Vendor
from casework.inbox.sources import Source, matters
from casework.resources import resource
from tests.factories.posts import inbox_file

SLACK: dict[str, Any] = {"vendor": "slack", "secrets": [{"env": "SLACK_SECRET"}]}


def loaded(folder: Path, **sources: dict[str, Any]) -> dict[str, Source]:
    return load_sources(inbox_file(folder, **sources))


def refusal(folder: Path, text: str) -> str:
    """What is said of a file with this text."""
    path = folder / "inbox.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        load_sources(path)
    return refused.value.message


def test_a_source_has_a_vendor_secrets_and_limits(tmp_path: Path) -> None:
    [source] = loaded(tmp_path, slack={**SLACK, "rate": 5, "max_bytes": 1000}).values()
    assert (source.id, source.vendor, source.reports) == ("slack", Vendor.SLACK, False)
    assert (source.entry.rate, source.entry.max_bytes, source.mapping) == (5, 1000, None)


def test_a_generic_source_without_a_mapping_reads_fields_by_their_own_names(
    tmp_path: Path,
) -> None:
    entry = {"vendor": "standard", "secrets": [{"env": "X"}]}
    [source] = loaded(tmp_path, generic=entry).values()
    assert source.reports
    assert source.mapping is not None
    assert source.mapping.rest == "keep"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources: {a: {vendor: slak, secrets: [{env: X}]}}", ":1:"),
        ("sources:\n  a:\n    vendor: slack\n    secret: x", ":4:"),
        ("sources:\n  a: {vendor: slack, secrets: [{env: X, file: y}]}", "one of the two"),
        ("sources: {a: {vendor: slack, secrets: []}}", "at least 1"),
        ("sources: {Big Name: {vendor: slack, secrets: [{env: X}]}}", "pattern"),
        ("sources: {a: {vendor: zendesk, secrets: [{env: X}]}}", "name a mapping"),
        ("sources: {a: {vendor: jira, secrets: [{env: X}], mapping: m.yaml}}", "take no mapping"),
        ("sources: {a: {vendor: jira, secrets: [{env: X}], team: T1}}", "Slack alone"),
        ("sources: {a: {vendor: jira, secrets: [{env: X}], max_bytes: 99999999}}", "less than"),
        ("sources: [", "not YAML"),
        ("sources: {a: {vendor: jira, secrets: [{env: X}]}, a: {}}", "duplicate `a`"),
    ],
)
def test_a_fault_is_shown_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    message = refusal(tmp_path, text)
    assert said in message
    assert "inbox.yaml" in message


def test_a_misspelt_option_names_the_one_that_was_meant(tmp_path: Path) -> None:
    text = "sources:\n  a:\n    vendor: slack\n    secret: x\n    secrets: [{env: X}]\n"
    assert "did you mean `secrets`?" in refusal(tmp_path, text)


def test_a_file_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_sources(tmp_path / "none.yaml")


def test_a_mapping_is_found_beside_the_file_and_checked(tmp_path: Path) -> None:
    entry = {"vendor": "zendesk", "secrets": [{"env": "X"}], "mapping": "m.yaml"}
    (tmp_path / "m.yaml").write_text("fields: {external_id: {from: id, required: true}}")
    [source] = loaded(tmp_path, desk=entry).values()
    assert source.mapping is not None
    for broken in ("fields: {}", "format: csv\nfields: {external_id: id}"):
        (tmp_path / "m.yaml").write_text(broken)
        with pytest.raises(MappingError):
            loaded(tmp_path, desk=entry)


def test_secrets_come_from_variables_and_files_and_one_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text("the new one\n")
    places = [{"env": "OLD"}, {"file": "new.txt"}, {"file": "none.txt"}]
    [source] = loaded(tmp_path, slack={**SLACK, "secrets": places}).values()
    keys = secrets_of(source, {"OLD": "the old one"}, tmp_path)
    assert [each.get_secret_value() for each in keys.secrets] == ["the old one", "the new one"]
    assert list(keys.missing) == ["file none.txt"]
    assert "the old one" not in repr(keys)
    assert secrets_of(source, {}, tmp_path / "elsewhere").secrets == ()


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ({"action": "opened", "issue": {"draft": False}}, True),
        ({"action": "closed", "issue": {"draft": False}}, False),
        ({"action": "opened", "issue": {"draft": True}}, False),
        ({"action": "opened", "issue": None}, False),
        ({}, False),
    ],
)
def test_only_names_the_posts_that_matter(
    tmp_path: Path, record: dict[str, Any], wanted: bool
) -> None:
    only = {"action": ["opened", "edited"], "issue.draft": [False]}
    [source] = loaded(tmp_path, slack={**SLACK, "only": only}).values()
    assert matters(source, record) is wanted


@pytest.mark.parametrize(
    ("vendor", "mapping"),
    [
        ("zendesk", "zendesk-events"),
        ("zendesk", "zendesk-trigger"),
        ("github", "github-issues"),
        ("coop_reports", "coop-reports"),
    ],
)
def test_the_shipped_mappings_load_for_their_vendors(
    tmp_path: Path, vendor: str, mapping: str
) -> None:
    path = resource("samples/mappings") / f"{mapping}.yaml"
    entry = {"vendor": vendor, "secrets": [{"env": "X"}], "mapping": str(path)}
    assert loaded(tmp_path, one=entry)["one"].mapping is not None
