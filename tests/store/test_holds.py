"""Holds in the store: from when one is placed the machine closes nothing in its scope."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, event, select

from casework.errors import Conflict, Denied, InputError, NotFound
from casework.holds import Scope
from casework.store.engine import reading, transaction
from casework.store.holds import Placing, holds_in_force, lift_hold, place_hold
from casework.store.incidents.cases import attach_cases
from casework.store.incidents.reports import sign_off
from casework.store.ledger import entries_of
from casework.store.tables import Case, Decision, Gate, HeldCase, Hold
from tests.factories.enriched import enriched_case
from tests.factories.holds import BUNDLE, review
from tests.factories.incidents import add_team, commanded, done, resolved
from tests.factories.intake import actions_in, number_of

SPAM = {"patterns": {"spam": True}, "source": {"threat": False}}
THREAT = {"patterns": {"spam": False}, "source": {"threat": True}}


@pytest.fixture(autouse=True)
def team(engine: Engine) -> None:
    add_team(engine)


def placed(engine: Engine, incident: str, scope: Scope, value: str = "", who: str = "mia") -> str:
    wanted = Placing(scope, value, "secret reason")
    return done(
        engine, incident, who, lambda s, by, at: place_hold(s, incident, wanted, BUNDLE, by, at).id
    )


def status_of(engine: Engine, case: str) -> str:
    with reading(engine) as session:
        return session.get_one(Case, case).status


@pytest.mark.parametrize(
    ("scope", "value"),
    [(Scope.RULE, "spam"), (Scope.SOURCE, "test"), (Scope.SUBJECT, "s1"), (Scope.CASES, "")],
)
def test_a_case_in_scope_goes_to_a_person_and_one_out_of_it_is_closed(
    engine: Engine, scope: Scope, value: str
) -> None:
    incident = commanded(engine)
    case = enriched_case(engine, "T-1", SPAM, subject_id="s1")
    done(engine, incident, "mia", lambda s, by, at: attach_cases(s, incident, [case], by, at))
    hold = placed(engine, incident, scope, value)
    review(engine, case)
    with reading(engine) as session:
        [gate] = session.scalars(select(Gate))
        [decision] = session.scalars(select(Decision))
        told = [orjson.loads(entry.body) for entry in entries_of(session, case)]
    assert status_of(engine, case) == "waiting"
    assert gate.reason == f"held by {hold} of incident {incident}: Spam."
    assert (decision.verdict, decision.rule_id) == ("review", "spam")
    [said] = [entry["data"] for entry in told if entry["action"] == "case.decided"]
    assert (said["hold"], said["rule"], said["route"]) == (hold, "spam", "review")
    assert number_of(engine, HeldCase, HeldCase.hold_id == hold) == 1
    done(engine, incident, "mia", lambda s, by, at: lift_hold(s, incident, hold, by, at))
    other = enriched_case(engine, "T-2", SPAM, subject_id="s1")
    review(engine, other)
    assert status_of(engine, other) == "closed"
    assert status_of(engine, case) == "waiting", "what was held stays with people"


def test_what_goes_to_a_person_anyway_is_not_counted_as_held(engine: Engine) -> None:
    placed(engine, commanded(engine), Scope.SOURCE, "test")
    case = enriched_case(engine, "T-1", THREAT)
    review(engine, case)
    with reading(engine) as session:
        assert session.scalars(select(Gate.reason)).one() == "A threat."  # type: ignore[call-overload]
    assert number_of(engine, HeldCase) == 0


def test_a_scope_is_held_once_at_a_time_and_lifted_once(engine: Engine) -> None:
    incident = commanded(engine)
    first = placed(engine, incident, Scope.RULE, "spam")
    assert placed(engine, incident, Scope.RULE, "spam") == first
    for _ in range(2):
        done(engine, incident, "mia", lambda s, by, at: lift_hold(s, incident, first, by, at))
    assert placed(engine, incident, Scope.RULE, "spam") != first
    told = [action for action in actions_in(engine, incident) if action.startswith("hold")]
    assert told == ["hold.placed", "hold.lifted", "hold.placed"]


@pytest.mark.parametrize(
    ("scope", "value", "reason"),
    [
        (Scope.RULE, "spaam", "why"),
        (Scope.CATEGORY, "nonsense", "why"),
        (Scope.SOURCE, " ", "why"),
        (Scope.SOURCE, "test", " "),
    ],
)
def test_a_hold_that_would_hold_nothing_is_refused(
    engine: Engine, scope: Scope, value: str, reason: str
) -> None:
    incident, wanted = commanded(engine), Placing(scope, value, reason)
    with pytest.raises(InputError):
        done(
            engine,
            incident,
            "mia",
            lambda s, by, at: place_hold(s, incident, wanted, BUNDLE, by, at),
        )


def test_only_those_in_command_place_and_lift(engine: Engine) -> None:
    incident = commanded(engine)
    hold = placed(engine, incident, Scope.RULE, "spam")
    with pytest.raises(Denied):
        placed(engine, incident, Scope.SOURCE, "test", who="sam")
    with pytest.raises(Denied):
        done(engine, incident, "sam", lambda s, by, at: lift_hold(s, incident, hold, by, at))
    with pytest.raises(NotFound):
        done(engine, incident, "mia", lambda s, by, at: lift_hold(s, incident, "h0", by, at))


def test_an_incident_with_an_active_hold_does_not_close(engine: Engine) -> None:
    incident = resolved(engine)
    hold = placed(engine, incident, Scope.RULE, "spam")
    with pytest.raises(Conflict, match=hold):
        done(engine, incident, "mia", lambda s, by, at: sign_off(s, incident, by, at))


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What is sent to the database."""
    sent: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def test_where_nothing_is_held_a_batch_asks_once_and_writes_nothing_more(engine: Engine) -> None:
    review(engine, enriched_case(engine, "T-0", SPAM))
    case = enriched_case(engine, "T-1", SPAM)
    with statements(engine) as sent:
        review(engine, case)
    about = [each for each in sent if "holds" in each or "held_cases" in each]
    assert len(about) == 1
    assert about[0].startswith("SELECT")
    assert not any("incident_cases" in each for each in sent)


def test_a_hold_is_placed_after_the_batch_that_is_under_way(engine: Engine) -> None:
    """Or the batch would close cases by the holds of before, after everybody was told."""
    incident = commanded(engine)
    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as session:
            assert not holds_in_force(session, BUNDLE)
            placing = pool.submit(placed, engine, incident, Scope.RULE, "spam")
            with pytest.raises(Late):
                placing.result(timeout=0.3)
        hold = placing.result(timeout=30)
    with reading(engine) as session:
        assert session.get_one(Hold, hold).lifted_at is None
