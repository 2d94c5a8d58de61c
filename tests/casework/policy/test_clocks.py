"""Calendars, clocks and ladders of a bundle: what is made of them, and what lint says of them."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from casework.cases import Severity
from casework.clocks.calendars import ALWAYS, instant_after
from casework.clocks.ladders import Step, StepKind
from casework.clocks.model import ClockKind
from casework.clocks.promises import DEFAULTS
from casework.policy.bundle import bundle_from_files, load_bundle
from casework.policy.lint import lint
from casework.resources import resource
from tests.factories.policy import CLOCKS, FILES

HOUR = timedelta(hours=1)


def faults(tmp_path: Path, file: str, before: str, after: str) -> list[str]:
    files = {**FILES, **CLOCKS}
    assert before in files[file]
    files[file] = files[file].replace(before, after, 1)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return [fault.render() for fault in lint(tmp_path)]


def test_a_bundle_without_clocks_promises_what_is_usual() -> None:
    bundle = bundle_from_files(FILES)
    assert bundle.promises.by_queue == DEFAULTS.by_queue
    assert bundle.promises.of("general", "P0").calendar == ALWAYS
    assert ClockKind.PARTNER_ANSWER not in bundle.promises.kinds("legal", "P0")


def test_a_queue_has_its_own_targets_and_the_default_ones_for_the_rest() -> None:
    promises = bundle_from_files({**FILES, **CLOCKS}).promises
    own, shared = promises.of("general", "P1"), promises.of("general", "P3")
    assert own.targets == {ClockKind.FIRST_TOUCH: HOUR, ClockKind.DECISION: 4 * HOUR}
    assert shared == promises.of("nowhere", "P3") == promises.by_queue["default"][Severity.P3]
    monday = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
    assert instant_after(own.calendar, monday, 2 * HOUR) == monday + 19 * HOUR
    assert instant_after(own.calendar, monday - 24 * HOUR, HOUR) == monday + 17 * HOUR + HOUR, (
        "that Monday is a holiday"
    )


def test_only_a_partner_queue_owes_a_partners_answer() -> None:
    promises = bundle_from_files({**FILES, **CLOCKS}).promises
    assert ClockKind.PARTNER_ANSWER in promises.kinds("legal", "P0")
    assert ClockKind.PARTNER_ANSWER not in promises.kinds("mixed", "P0")


def test_a_ladder_has_its_steps_in_order() -> None:
    ladder = bundle_from_files({**FILES, **CLOCKS}).promises.of("general", "P0").ladder
    assert ladder.steps[:2] == (
        Step("page", StepKind.PAGE, percent=0, to="on_call"),
        Step("untouched", StepKind.REMIND, ClockKind.FIRST_TOUCH, 100, to="chat"),
    )
    assert [step.amount(2 * HOUR) for step in ladder.steps] == [
        timedelta(), 2 * HOUR, HOUR, 2 * HOUR, 2.5 * HOUR, 3 * HOUR,
    ]  # fmt: skip


def test_the_default_bundle_keeps_a_promise_for_every_queue_and_severity() -> None:
    bundle = load_bundle(resource("policies/default"))
    for queue in bundle.queues:
        for level in Severity:
            promise = bundle.promises.of(queue, level)
            assert promise.ladder.steps, (queue, level)
            if level in (Severity.P0, Severity.P1):
                assert promise.calendar == ALWAYS, "what cannot wait does not wait for the morning"
    holidays = bundle.promises.of("legal", "P3").calendar.holidays
    assert date(2026, 12, 25) in holidays


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        ("calendars.yaml", "Europe/London", "Europe/Londn", "did you mean `Europe/London`?"),
        ("calendars.yaml", "09:00-17:00", "09:00-25:00", "write hours such as 09:00-17:30"),
        ("calendars.yaml", "09:00-17:00", "[13:00-17:00, 09:00-14:00]", "in order and apart"),
        ("calendars.yaml", "mon-fri", "mon-frei", "write a day or days, such as sat or mon-fri"),
        ("calendars.yaml", "mon-fri", "fri-mon", "a week begins with mon"),
        ("calendars.yaml", "{mon-fri:", "{mon: 10:00-11:00, mon-fri:", "`mon` has hours more than"),
        ("calendars.yaml", "2026-03-02", "2026-02-30", "calendars.yaml:4:14: `2026-02-30`: "),
        ("calendars.yaml", "{mon-fri: 09:00-17:00}", "{}", "at least 1 item"),
        ("clocks.yaml", "general:", "genral:", "did you mean `general`?"),
        ("clocks.yaml", "calendar: office", "calendar: ofice", "did you mean `office`?"),
        ("clocks.yaml", "ladder: urgent", "ladder: urgnt", "did you mean `urgent`?"),
        ("clocks.yaml", "decision: 4h", "decision: 2d", "write hours and minutes, such as 90m"),
        ("clocks.yaml", "decision: 4h", "decision: 0h", "write hours and minutes, such as 90m"),
        ("clocks.yaml", "decision: 4h", "decison: 4h", "did you mean `decision`?"),
        ("clocks.yaml", "first_touch: 1h", "first_touch: 9h", "later than the decision"),
        ("clocks.yaml", "  P4:", "  P5:", "known: P0, P1, P2, P3"),
        ("clocks.yaml", "  P4: {first_touch: 2h, decision: 8h}", "", "promises nothing for P4"),
        ("ladders.yaml", "at: 50%", "at: 0.5", "write a share of the target, such as 50%"),
        ("ladders.yaml", "at: 50%", "at: 50%, after: 1h", "needs either `at` or `after`"),
        ("ladders.yaml", "at: 50%, ", "", "needs either `at` or `after`"),
        ("ladders.yaml", "id: half", "id: page", "duplicate step `page`"),
        ("ladders.yaml", "do: page, to: on_call", "do: page", "step `page` goes nowhere"),
        ("ladders.yaml", "do: reassign, to: mixed", "do: lock, to: mixed", "`lock` takes no `to`"),
        ("ladders.yaml", "do: reassign, to: mixed", "do: reassign, to: mixd", "you mean `mixed`?"),
        ("ladders.yaml", "do: reassign, to: mixed", "do: reassign", "has no escalation target"),
        ("ladders.yaml", "do: page, to: on_call", "do: page, to: oncall", "you mean `on_call`?"),
        ("ladders.yaml", "do: page, to: on_call", "do: page, to: chat", "`chat` takes no page"),
        ("ladders.yaml", "do: raise, to: P0", "do: raise, to: P7", "unknown severity `P7`"),
        ("ladders.yaml", "do: raise", "do: approve", "known: lock, page, raise"),
        ("ladders.yaml", "clock: first_touch", "clock: partner_answer", "there is no target"),
        ("queues.yaml", "roles: [analyst, senior, lead]", "roles: [analyst]", "who is a lead"),
        ("queues.yaml", "escalates_to: [legal]", "escalation_target: legl", "mean `legal`?"),
        ("queues.yaml", "escalates_to: [general]", "escalation_target: general", "fewer people"),
    ],
)  # fmt: skip
def test_a_fault_is_found_with_its_place_and_a_hint(
    tmp_path: Path, file: str, before: str, after: str, said: str
) -> None:
    found = faults(tmp_path, file, before, after)
    assert any(said in fault for fault in found), found
    assert all("^" in fault for fault in found), "each shows where it stands"


def test_a_ladder_is_no_way_round_two_people(tmp_path: Path) -> None:
    moving = "{first_touch: 15m, decision: 1h, partner_answer: 1h, ladder: urgent}"
    found = faults(
        tmp_path, "clocks.yaml", "{first_touch: 15m, decision: 1h, partner_answer: 1h}", moving
    )
    assert any(
        "moves from `legal` to `mixed`, which needs fewer people" in fault for fault in found
    )
