"""The story of an incident, lived through the functions that people use, and its report."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.cases import Severity, case_id
from casework.gates import gate_id
from casework.holds import Scope
from casework.incidents.audiences import Audience
from casework.incidents.missed import Miss
from casework.incidents.report import report
from casework.incidents.roles import IncidentRole
from casework.incidents.states import IncidentStatus
from casework.incidents.story import Story
from casework.policy.bundle import bundle_from_files
from casework.policy.evaluate import decide, frame
from casework.store.carrying import carry_out
from casework.store.decisions import record_outcomes
from casework.store.engine import reading, transaction
from casework.store.facts import rows_for_policy
from casework.store.gates import gate_by_id
from casework.store.holds import Placing, lift_hold, place_hold
from casework.store.incidents.cases import attach_cases, detach_cases
from casework.store.incidents.lifecycle import Opening, move_incident, rate_incident
from casework.store.incidents.notes import Telling, add_note, tell_update
from casework.store.incidents.reports import report_at_closing, sign_off
from casework.store.incidents.roles import assume_role
from casework.store.incidents.story import story_of
from casework.store.incidents.work import add_follow_up, ask_partner, settle_task
from casework.store.ledger import entries_of
from casework.store.policy import adopt_bundle
from tests.factories.enriched import enriched_case
from tests.factories.gates import BY, NOW
from tests.factories.incidents import add_team, done, minutes, opened
from tests.factories.policy import FILES

GOLDEN = Path(__file__).parent / "incident_report.md"

#: The small bundle, where a senior may answer in every queue, with a macro for updates.
BUNDLE = bundle_from_files(
    {
        **FILES,
        "queues.yaml": FILES["queues.yaml"].replace("roles: [partner]", "roles: [partner, senior]"),
        "macros/news.md": "{{incident}}: {{cases}} cases. {{said}}",
    }
)
SIGNALS = {
    "closed": {"patterns": {"spam": True}, "source": {"threat": False}},
    "held": {"patterns": {"spam": True}, "source": {"threat": False}},
    "unsure": {"patterns": {"spam": True}},
    "uncaught": {"patterns": {"spam": False}, "source": {"threat": False}},
    "threat": {"patterns": {"spam": False}, "source": {"threat": True}},
}


def decided(engine: Engine, name: str, at: datetime) -> str:
    """A case that the machine has decided; returns its id."""
    case = enriched_case(engine, name, SIGNALS[name])
    with reading(engine) as session:
        facts = rows_for_policy(session, [case])
    outcomes = decide(BUNDLE, frame(BUNDLE, [each.row for each in facts]))
    with transaction(engine) as session:
        adopt_bundle(session, BUNDLE, BY, NOW)
        record_outcomes(session, BUNDLE, facts, outcomes, BY, at)
    return case


def answered(engine: Engine, case: str, person: str, at: datetime, **fields: str | None) -> None:
    """A person's answer at the first gate of a case, and what becomes of it."""
    gate = gate_id(case, 1, 1)
    with reading(engine) as session:
        seen = gate_by_id(session, gate).evidence_digest
    payload = {"rationale": "secret reason", "evidence_digest": seen, "action": None, **fields}
    if answer_gate(engine, gate, person, payload, now=at).decided:
        with transaction(engine) as session:
            carry_out(session, gate, BY, at)


def lived(engine: Engine, clock: Callable[[], datetime]) -> str:
    """An incident from its opening to its closing; returns its id."""
    add_team(engine)
    cases = {name: decided(engine, name, NOW) for name in ("closed", "unsure", "uncaught")}
    opening = Opening("page-7", "Secret title | with <tags>", Severity.P2, "conduct")
    incident = opened(engine, opening, clock())

    def step(who: str, do: Callable) -> object:  # type: ignore[type-arg]
        return done(engine, incident, who, do, clock())

    step("ana", lambda s, by, at: attach_cases(s, incident, list(cases.values()), by, at))
    command, scribe = IncidentRole.COMMANDER, IncidentRole.SCRIBE
    step("lou", lambda s, by, at: assume_role(s, incident, command, "sam", by, at))
    step("sam", lambda s, by, at: rate_incident(s, incident, Severity.P1, by, at))
    hold = Placing(Scope.RULE, "spam", "secret reason")
    held = step("sam", lambda s, by, at: place_hold(s, incident, hold, BUNDLE, by, at).id)
    cases |= {name: decided(engine, name, clock()) for name in ("held", "threat")}
    late = [cases["held"], cases["threat"]]
    step("ana", lambda s, by, at: attach_cases(s, incident, late, by, at))
    step("lou", lambda s, by, at: assume_role(s, incident, command, "mia", by, at))
    step("mia", lambda s, by, at: assume_role(s, incident, scribe, "ana", by, at))
    step("ana", lambda s, by, at: add_note(s, incident, "secret note", key="1", by=by, now=at))
    correction = "secret correction"
    step(
        "ana",
        lambda s, by, at: add_note(s, incident, correction, key="2", corrects=1, by=by, now=at),
    )
    soon = timedelta(minutes=20)
    for what in ("secret block", "secret letter"):
        step(
            "mia",
            lambda s, by, at, what=what: ask_partner(s, incident, "Legal", what, at + soon, by, at),
        )
    answered(engine, cases["held"], "mia", clock(), verdict="approve", action="suspend")
    answered(engine, cases["uncaught"], "ana", clock(), verdict="approve", action="no_action")
    answered(engine, cases["unsure"], "mia", clock(), verdict="escalate", escalate_to="general")
    telling = Telling("1", Audience.PARTNERS, "news", {"said": "secret news"})
    step("mia", lambda s, by, at: tell_update(s, incident, telling, BUNDLE, by, at))
    step("mia", lambda s, by, at: move_incident(s, incident, IncidentStatus.CONTAINED, by, at))
    step("mia", lambda s, by, at: detach_cases(s, incident, [cases["threat"]], by, at))
    step("pat", lambda s, by, at: settle_task(s, incident, 1, done=True, by=by, now=at))
    step("mia", lambda s, by, at: settle_task(s, incident, 2, done=False, by=by, now=at))
    step("mia", lambda s, by, at: lift_hold(s, incident, str(held), by, at))
    month = timedelta(days=30)
    step(
        "mia",
        lambda s, by, at: add_follow_up(s, incident, "secret plan", "sam", at + month, by, at),
    )
    step("mia", lambda s, by, at: move_incident(s, incident, IncidentStatus.RESOLVED, by, at))
    step("mia", lambda s, by, at: sign_off(s, incident, by, at))
    return incident


@pytest.fixture
def incident(engine: Engine) -> str:
    return lived(engine, minutes())


def told(engine: Engine, incident: str) -> Story:
    with reading(engine) as session:
        return story_of(session, incident)


def test_the_report_is_the_one_we_know(engine: Engine, incident: str) -> None:
    with reading(engine) as session:
        kept = report_at_closing(session, incident).markdown
    assert kept == GOLDEN.read_text(encoding="utf8")


def test_the_report_without_words_has_the_same_lines_and_nothing_that_people_wrote(
    engine: Engine, incident: str
) -> None:
    story = told(engine, incident)
    later = story.moments[-1].at
    with_words, with_ids = (report(story, later, words=words) for words in (True, False))
    assert "secret" in with_words.lower()
    assert "secret" not in with_ids.lower()
    assert len(with_ids.splitlines()) == len(with_words.splitlines())


def test_the_policy_s_misses_are_named_by_rule(engine: Engine, incident: str) -> None:
    found = {(each.miss, each.rule_id): each.cases for each in told(engine, incident).missed}
    assert found == {
        (Miss.CLOSED, "spam"): (case_id("test", "closed"),),
        (Miss.WOULD_CLOSE, "spam"): (case_id("test", "held"),),
        (Miss.HANDED_OVER, "threat"): (case_id("test", "unsure"),),
        (Miss.NO_RULE, None): (case_id("test", "uncaught"),),
        (Miss.UNDECIDED, "threat"): (case_id("test", "unsure"),),
    }


def test_a_case_that_left_is_told_of_until_it_left(engine: Engine, incident: str) -> None:
    left = case_id("test", "threat")
    story = told(engine, incident)
    before = [each for each in story.moments if each.chain == left]
    assert before
    assert left not in story.cases
    answered(engine, left, "mia", NOW + timedelta(days=2), verdict="approve", action="no_action")
    assert [each for each in told(engine, incident).moments if each.chain == left] == before


def test_every_entry_of_the_incident_is_on_its_timeline(engine: Engine, incident: str) -> None:
    with reading(engine) as session:
        written = [each.id for each in entries_of(session, incident)]
    shown = [each.entry for each in told(engine, incident).moments if each.chain == incident]
    assert shown == written[:-1], "all but the entry that says that the report was kept"
