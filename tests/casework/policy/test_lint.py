"""Linting: every fault at once, each with its place, a caret and a hint."""

from pathlib import Path

import pytest

from casework.cases import Route
from casework.errors import PolicyError
from casework.policy.bundle import bundle_from_files, load_bundle
from casework.policy.faults import Fault
from casework.policy.lint import lint
from casework.resources import resource
from tests.factories.bundles import bundle_files, rule_yaml
from tests.factories.policy import FILES


def written(tmp_path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def faults(tmp_path: Path, files: dict[str, str]) -> list[Fault]:
    return lint(written(tmp_path, files))


def of_rules(tmp_path: Path, *conditions: str) -> list[tuple[str, str]]:
    rules = "".join(rule_yaml(i, (each, Route.REVIEW)) for i, each in enumerate(conditions))
    return [(f.message, f.hint) for f in faults(tmp_path, bundle_files(rules))]


def test_the_default_bundle_has_no_fault() -> None:
    assert lint(resource("policies/default")) == []


def test_a_fault_is_shown_as_a_compiler_shows_one(tmp_path: Path) -> None:
    files = bundle_files(rule_yaml(0, ("b1 AND thret", Route.REVIEW)))
    [fault] = faults(tmp_path, files)
    assert fault.render() == (
        "rules.yaml:2:17: unknown signal `thret`\n"
        '  2 |   when: "b1 AND thret"\n'
        "    |                 ^\n"
        "  hint: did you mean `threat`?"
    )


@pytest.mark.parametrize("style", [">-", "|", ">"])
def test_a_fault_in_folded_text_is_found_on_its_line(tmp_path: Path, style: str) -> None:
    rules = rule_yaml(0, ("X", Route.REVIEW)).replace(
        'when: "X"', f"when: {style}\n    b1 AND\n    (b3 OR\n      thret)"
    )
    [fault] = faults(tmp_path, bundle_files(rules))
    assert (fault.line, fault.column) == (5, 7)


@pytest.mark.parametrize(
    ("condition", "message", "hint"),
    [
        ("t1 > 5", "`t1` is text and `5` is number", "compare values of one type"),
        ("i1 IN (1, 'a')", "`i1` is number and `'a'` is text", "compare values of one type"),
        ("i1", "this is number, not a condition", "compare it with something"),
        ("NOT n1", "`n1` is number, not boolean", "compare it: n1 > 0"),
        ("b1 > b3", "true and false have no order", "use = or <>"),
        ("n1 = NULL", "NULL is never equal to anything", "write IS NULL or IS NOT NULL"),
        ("b1 IS TRUE", "IS takes NULL alone", "use = or COALESCE(signal, false)"),
        ("n1 >", "this SQL does not parse", "Required keyword: 'expression' missing"),
        ("other.b1", "`other.b1` has a table name", "name the signal alone"),
    ],
)
def test_a_condition_of_the_wrong_type_or_form_is_refused(
    tmp_path: Path, condition: str, message: str, hint: str
) -> None:
    assert of_rules(tmp_path, condition) == [(message, hint)]


@pytest.mark.parametrize(
    "condition",
    [
        "random() > 0.5",
        "now() > 1",
        "sum(n1) > 1",
        "n1 / 2 > 1",
        "CASE WHEN b1 THEN TRUE ELSE FALSE END",
        "(SELECT TRUE)",
        "CAST(i1 AS text) = '1'",
        "row_number() OVER () = 1",
        "b1; b3",
        "t1 ~ 'a'",
    ],
)
def test_what_is_not_the_same_for_every_case_and_time_is_not_allowed(
    tmp_path: Path, condition: str
) -> None:
    [(message, _)] = of_rules(tmp_path, condition)
    assert message.endswith("is not allowed in a rule")


def test_every_fault_of_every_file_is_reported_at_once(tmp_path: Path) -> None:
    rules = (
        "- {id: a, when: spam, route: close, severity: P1, queue: general, reason: x}\n"
        "- {id: a, when: threat, route: review, severity: P1, reason: x}\n"
        "- {id: b, when: threat, route: review, severity: P9, queue: generl, reason: x, quue: 1}\n"
        "- {id: c, when: threat, route: review, severity: P1, queue: legal, action: suspend,"
        " reason: x, playbook: none, category: conduc}\n"
    )
    files = {
        **FILES,
        "rules.yaml": rules,
        "actions.yaml": "ban: {title: Ban, approvals: 9, reversible: true}\n"
        "suspend: {title: S, reversible: false, inverse: unsuspnd, macro: bye}\n",
        "patterns.yaml": "spam: {any_of: ['(?=x)']}\nspam: {any_of: [x]}\nother: {any_of: [x]}\n",
        "queues.yaml": FILES["queues.yaml"].replace("partner: Legal", "partner: Lawyers"),
        "extra.yaml": "{}",
    }
    del files["categories.yaml"]
    shown = "\n".join(fault.render() for fault in faults(tmp_path, files))
    for message in (
        "extra.yaml: a bundle has no such file",
        "categories.yaml: this file is missing",
        "a rule that closes has no queue",
        "duplicate rule `a`",
        "`severity` is 'P9'",
        "unknown key `quue`",
        "queue `legal` does not allow `suspend`",
        "unknown playbook `none`",
        "unknown category `conduc`",
        "`approvals`: input should be less than or equal to 5",
        "`suspend` is not reversible",
        "unknown action `unsuspnd`",
        "unknown macro `bye`",
        "this regular expression does not compile",
        "duplicate `spam`",
        "unknown signal `other`",
        "`partner` is 'Lawyers'",
        "did you mean `queue`?",
    ):
        assert message in shown


@pytest.mark.parametrize(
    ("name", "before", "after", "message"),
    [
        ("bundle.yaml", "queue: general", "queue: generl", "unknown queue `generl`"),
        ("bundle.yaml", "action: no_action", "action: ban", "queue `general` does not allow `ban`"),
        ("bundle.yaml", "severity: P3,", "", "`severity` is missing"),
        ("bundle.yaml", "source: in_use", "source: perhaps", "`source` is 'perhaps'"),
        ("bundle.yaml", ", source: in_use", "", "unknown provider `source`"),
        ("signals.yaml", "spam: {", "kind: {", "`kind` is a case field"),
        ("signals.yaml", "threat: {", "select: {", "`select` is a word of SQL"),
        ("signals.yaml", "provider: patterns", "provider: source", "`spam` is no pattern signal"),
        ("queues.yaml", "escalates_to: [legal]", "escalates_to: [lgal]", "unknown queue `lgal`"),
        ("queues.yaml", "escalates_to: [legal]", "escalates_to: [general]", "hands over to itself"),
        ("actions.yaml", ", inverse: unsuspend", "", "`suspend` has no inverse"),
        ("rules.yaml", "queue: legal, ", "", "sends to a person but names no queue"),
        ("rules.yaml", "when: spam", "when: true", "`when`: input should be a valid string"),
        ("categories.yaml", "conduct: {", "conduct: [", "this is not YAML"),
    ],
)
def test_each_kind_of_fault_is_found(
    tmp_path: Path, name: str, before: str, after: str, message: str
) -> None:
    assert before in FILES[name]
    found = faults(tmp_path, {**FILES, name: FILES[name].replace(before, after, 1)})
    assert [fault for fault in found if message in fault.message]


@pytest.mark.parametrize(
    "condition",
    [
        "n1 > 0.5 AND n1 < 0.4",
        "i1 > 3 AND i1 < 4",
        "t1 = 'a' AND t1 = 'b'",
        "b1 AND NOT b1",
        "t1 LIKE 'a%' AND NOT t1 LIKE 'a%'",
        "1 = 0",
        "n1 IS NULL AND n1 > 2",
    ],
)
def test_a_rule_that_can_never_be_true_is_found(tmp_path: Path, condition: str) -> None:
    [(message, _)] = of_rules(tmp_path, condition)
    assert message == "rule `r0` can never be true"


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("b1 AND b3", "b3 AND b1"),
        ("n1 > 0.5", "n1 >= 0.8 AND t1 LIKE 'x%'"),
        ("b1 OR i1 < 3", "i1 IN (1, 2)"),
        ("b1", "( b1 )"),
        ("1 = 1", "b3"),
        ("coalesce(n1, 1) > 0", "n1 IS NULL"),
        ("lower(t1) = 'x' OR b1", "lower(t1) = 'x'"),
    ],
)
def test_a_rule_that_another_always_precedes_is_found(
    tmp_path: Path, earlier: str, later: str
) -> None:
    [(message, hint)] = of_rules(tmp_path, earlier, later)
    assert message == "rule `r1` can never decide: `r0` comes first"
    assert "line 1" in hint


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("n1 > 0.5", "n1 > 0.4"),
        ("n1 > 0.5 AND b1", "n1 > 0.5"),
        ("t1 LIKE 'a%'", "t1 LIKE 'ab%'"),
        ("t1 > 'a'", "t1 > 'b'"),
        ("b1", "b1 IS NULL"),
        ("i1 > 2.5", "i1 > 2"),
    ],
)
def test_a_rule_that_can_decide_or_may_is_let_pass(
    tmp_path: Path, earlier: str, later: str
) -> None:
    found = of_rules(tmp_path, earlier, later)
    assert found == ([] if earlier != "i1 > 2.5" else found[:1])


def test_a_stored_bundle_is_read_again_with_its_digest(tmp_path: Path) -> None:
    folder = written(tmp_path, {**FILES, "playbooks/a.md": "# A\n"})
    bundle = load_bundle(folder)
    assert bundle_from_files(bundle.files) == bundle
    assert bundle.playbooks == {"a": "# A\n"}


def test_one_character_more_gives_another_digest() -> None:
    more = {**FILES, "rules.yaml": FILES["rules.yaml"] + "# said\n"}
    assert bundle_from_files(more).digest != bundle_from_files(FILES).digest


def test_loading_a_faulty_bundle_raises_with_every_fault(tmp_path: Path) -> None:
    folder = written(tmp_path, bundle_files(rule_yaml(0, ("thret OR i1", Route.REVIEW))))
    with pytest.raises(PolicyError, match=r"(?s)2 faults.*thret.*`i1` is number"):
        load_bundle(folder)


def test_a_folder_that_does_not_exist_is_a_fault(tmp_path: Path) -> None:
    messages = [fault.message for fault in lint(tmp_path / "nowhere")]
    assert "there is no such folder" in messages


def test_a_file_that_is_not_utf_8_is_a_fault(tmp_path: Path) -> None:
    folder = written(tmp_path, FILES)
    (folder / "rules.yaml").write_bytes(b"\xff\xfe")
    assert [fault for fault in lint(folder) if fault.message.startswith("cannot be read")]
