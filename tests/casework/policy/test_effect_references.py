"""Linting destinations and macros: each fault with its place and a way out."""

from pathlib import Path

import pytest

from casework.policy.bundle import bundle_from_files
from casework.policy.lint import lint
from tests.factories.effects import LEAVING
from tests.factories.policy import FILES


def faults(tmp_path: Path, changes: dict[str, tuple[str, str]]) -> list[str]:
    files = dict(LEAVING)
    for name, (before, after) in changes.items():
        assert before in files[name]
        files[name] = files[name].replace(before, after)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return [fault.render() for fault in lint(tmp_path)]


def test_a_bundle_with_destinations_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, {}) == []


def test_a_bundle_of_before_there_were_destinations_is_read(tmp_path: Path) -> None:
    bundle = bundle_from_files(FILES)
    assert bundle.destinations == {}
    assert bundle.actions["suspend"].to == ()


def test_a_fault_shows_the_line_the_place_and_what_was_meant(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, {"actions.yaml": ("macro: warned, to: [desk]", "to: [dask]")})
    assert fault == (
        "actions.yaml:2:59: unknown destination `dask`\n"
        "  2 | warn: {title: Warn, approvals: 1, reversible: false, to: [dask]}\n"
        "    |                                                           ^\n"
        "  hint: did you mean `desk`?"
    )


DESTINATIONS, ACTIONS = "destinations.yaml", "actions.yaml"


@pytest.mark.parametrize(
    ("file", "before", "after", "message", "hint"),
    [
        (DESTINATIONS, "webhook", "webhok", "`type` is 'webhok'", "did you mean `webhook`?"),
        (DESTINATIONS, "reply, ", "replay, ", "`0` is 'replay'", "did you mean `reply`?"),
        (DESTINATIONS, "takes: [act, reverse]", "takes: []", "`takes`: tuple should", ""),
        (DESTINATIONS, "webhook,", "webhook, per_minute: 0,", "`per_minute`: input should", ""),
        (
            DESTINATIONS,
            "webhook,",
            "webhook, retry: {atempts: 3},",
            "unknown key `atempts`",
            "did you mean `attempts`?",
        ),
        (
            DESTINATIONS,
            "webhook,",
            "webhook, retry: {first_wait: 10},",
            "`first_wait`: write a number and a unit, such as 7 days",
            "",
        ),
        (
            DESTINATIONS,
            "type: webhook,",
            "type: pagerduty, options: {componnt: x},",
            "unknown option `componnt`",
            "did you mean `component`?",
        ),
        (
            DESTINATIONS,
            "takes: [act, reverse]",
            "takes: [act]",
            "`suspend` could not be undone at `platform`",
            "let `platform` take reverse too, or say reversible: false",
        ),
        (
            DESTINATIONS,
            "takes: [reply, set_status]",
            "takes: [notify]",
            "`desk` takes nothing that an action causes",
            "let it take one of: act, reply, resolve, set_status",
        ),
        (
            ACTIONS,
            "lasts: 7 days,\n          to: [platform]",
            "lasts: 7 days",
            "nothing outside would end `suspend`",
            "name a destination that takes reverse under `to`",
        ),
        (
            ACTIONS,
            "macro: warned, to",
            "macro: warned, lasts: 2 days, to",
            "nothing undoes `warn`",
            "name its inverse, or leave `lasts` out",
        ),
        (
            ACTIONS,
            "lasts: 7 days",
            "lasts: a week",
            "`lasts`: write a number and a unit, such as 7 days",
            "",
        ),
        (
            "macros/warned.md",
            'clause_text or "our rules"',
            "clause_txt",
            "unknown field `clause_txt`",
            "did you mean `clause_text`?",
        ),
        (
            "macros/warned.md",
            "{{ clause_text",
            "{{ Clause",
            "these braces are no field",
            'write {{ field }} or {{ field or "words" }}',
        ),
        (
            "macros/banned.md",
            "{{ reference }}",
            "{{ until }}",
            "macro `banned` says until when, and `ban` does not end by itself",
            "say how long it lasts: lasts: 7 days",
        ),
        (
            "bundle.yaml",
            'version: "1"',
            'version: "1"\nmacro_fields: {clause: C}',
            "`clause` is a field of the case",
            "choose another name",
        ),
    ],
)
def test_what_does_not_fit_is_said(
    tmp_path: Path, file: str, before: str, after: str, message: str, hint: str
) -> None:
    found = faults(tmp_path, {file: (before, after)})
    fitting = [fault for fault in found if message in fault]
    assert fitting, found
    assert f"hint: {hint}" in fitting[0] if hint else "hint:" not in fitting[0]


def test_a_macro_may_say_what_its_bundle_declares(tmp_path: Path) -> None:
    changes = {
        "bundle.yaml": ('version: "1"', 'version: "1"\nmacro_fields: {help_line: "0800"}'),
        "macros/warned.md": ('clause_text or "our rules"', "help_line"),
    }
    assert faults(tmp_path, changes) == []


def test_a_stored_bundle_with_a_macro_of_before_fields_were_declared_is_read() -> None:
    files = {**LEAVING, "macros/warned.md": "{{answer}} and {{ more"}
    assert bundle_from_files(files).macros["warned"] == "{{answer}} and {{ more"


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("desc", "unknown destination `desc`\n"),
        ("platform", "`platform` takes no notify\n"),
    ],
)
def test_who_is_told_of_overdue_tasks_must_be_there_and_take_it(
    tmp_path: Path, named: str, message: str
) -> None:
    told = f'version: "1"\nincidents: {{notify: {named}}}'
    [fault] = faults(tmp_path, {"bundle.yaml": ('version: "1"', told)})
    assert fault.startswith(f"bundle.yaml:3:21: {message}")
