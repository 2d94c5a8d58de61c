"""Incidents in the store: guarded, once each, whoever else does it at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from casework.cases import Severity
from casework.errors import CaseworkError, Conflict, Denied, InputError, NotFound
from casework.incidents.audiences import Audience
from casework.incidents.roles import IncidentRole
from casework.incidents.states import IncidentStatus
from casework.ledger.keys import load_signer
from casework.policy.bundle import bundle_from_files
from casework.store.audit import verify
from casework.store.engine import reading, transaction
from casework.store.incidents.cases import attach_cases, detach_cases
from casework.store.incidents.lifecycle import (
    Opening,
    incident_by_id,
    list_incidents,
    move_incident,
    open_incident,
    rate_incident,
)
from casework.store.incidents.notes import Telling, add_note, tell_update
from casework.store.incidents.reading import attached, incidents_of_case, tenures_of
from casework.store.incidents.reports import (
    note_publication,
    report_at_closing,
    sign_off,
    unpublished,
)
from casework.store.incidents.roles import assume_role, renounce_role
from casework.store.incidents.work import (
    add_follow_up,
    ask_partner,
    finish_follow_up,
    settle_task,
)
from casework.store.ledger import entries_of
from casework.store.sealing import seal
from casework.store.tables import (
    Case,
    Gate,
    Incident,
    IncidentCase,
    IncidentNote,
    IncidentTask,
    IncidentTenure,
)
from tests.factories.gates import BY, NOW, waiting_case
from tests.factories.incidents import OPENING, add_team, commanded, done, opened, resolved
from tests.factories.intake import actions_in, entry_bodies, number_of
from tests.factories.policy import FILES, small_bundle

HOUR = timedelta(hours=1)
COMMANDER = IncidentRole.COMMANDER


@pytest.fixture(autouse=True)
def team(engine: Engine) -> None:
    add_team(engine)


def case_of(engine: Engine, name: str = "T-1") -> str:
    gate = waiting_case(engine, name)
    with reading(engine) as session:
        return session.get_one(Gate, gate).case_id


def at_once(work: Callable[[str], Any], *people: str) -> list[Any]:
    """Let several people do something at the same time; what each got, or was told."""

    def attempt(person: str) -> Any:
        try:
            return work(person)
        except CaseworkError as refusal:
            return refusal

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(attempt, people))


def data_of(engine: Engine, chain: str, action: str) -> list[dict[str, Any]]:
    with reading(engine) as session:
        entries = [orjson.loads(entry.body) for entry in entries_of(session, chain)]
    return [entry["data"] for entry in entries if entry["action"] == action]


def test_an_incident_is_opened_once_for_each_key(engine: Engine) -> None:
    first = opened(engine)
    assert opened(engine) == first
    assert opened(engine, Opening("page-2", "Another", Severity.P0)) != first
    assert actions_in(engine, first) == ["incident.opened"]
    with reading(engine) as session:
        listed = list_incidents(session)
    assert [row["severity"] for row in listed] == ["P0", "P1"]


def test_of_many_who_open_it_at_once_one_does(engine: Engine) -> None:
    made = at_once(
        lambda who: done(engine, "", who, lambda s, by, at: open_incident(s, OPENING, by, at).id),
        *["lou", "mia", "sam", "lou"],
    )
    assert len(set(made)) == 1
    assert actions_in(engine, made[0]) == ["incident.opened"]


@pytest.mark.parametrize(
    ("who", "reason"),
    [("ana", "role"), ("aud", "role"), ("old", "inactive"), ("zoe", "unknown_person")],
)
def test_who_may_not_open_one_is_refused_and_that_is_kept(
    engine: Engine, who: str, reason: str
) -> None:
    with pytest.raises(Denied) as refusal:
        done(engine, "", who, lambda s, by, at: open_incident(s, OPENING, by, at))
    assert refusal.value.reason == reason
    assert number_of(engine, Incident) == 0
    assert data_of(engine, "system", "incident.denied") == [{"reason": reason}]


def test_a_refusal_in_an_incident_is_kept_in_its_history(engine: Engine) -> None:
    incident = opened(engine)
    with pytest.raises(Denied):
        done(engine, incident, "ana", lambda s, by, at: sign_off(s, incident, by, at))
    with pytest.raises(Conflict):
        done(engine, incident, "lou", lambda s, by, at: sign_off(s, incident, by, at))
    denied = data_of(engine, incident, "incident.denied")
    assert [each["reason"] for each in denied] == ["role", "move"]


def test_what_does_not_exist_is_not_found(engine: Engine) -> None:
    for do in (
        lambda s, by, at: attach_cases(s, "inc0", ["c1"], by, at),
        lambda s, by, at: move_incident(s, "inc0", IncidentStatus.OPEN, by, at),
        lambda s, by, at: note_publication(s, "inc0", "d", by, at),
    ):
        with pytest.raises(NotFound):
            done(engine, "inc0", "lou", do)
    with reading(engine) as session, pytest.raises(NotFound):
        incident_by_id(session, "inc0")
    incident = opened(engine)
    for number in (
        lambda s, by, at: settle_task(s, incident, 9, done=True, by=by, now=at),
        lambda s, by, at: finish_follow_up(s, incident, 9, by, at),
        lambda s, by, at: add_note(s, incident, "x", key="k", corrects=9, by=by, now=at),
        lambda s, by, at: attach_cases(s, incident, ["c9"], by, at),
    ):
        with pytest.raises(NotFound):
            done(engine, incident, "lou", number)
    with reading(engine) as session, pytest.raises(NotFound):
        report_at_closing(session, incident)


def test_cases_are_attached_once_and_their_histories_say_so(engine: Engine) -> None:
    incident, cases = opened(engine), [case_of(engine, name) for name in ("T-1", "T-2")]

    def attach(s: Any, by: Any, at: Any) -> list[str]:
        return attach_cases(s, incident, [cases[0], "test:T-2"], by, at)

    assert done(engine, incident, "ana", attach) == sorted(cases)
    assert done(engine, incident, "ana", attach) == []
    [told] = data_of(engine, incident, "incident.case_attached")
    assert told == {"cases": sorted(cases)}
    for case in cases:
        assert data_of(engine, case, "incident.case_attached") == [{"incident": incident}]


def test_one_case_that_does_not_exist_attaches_none(engine: Engine) -> None:
    incident, case = opened(engine), case_of(engine)
    with pytest.raises(NotFound):
        done(
            engine,
            incident,
            "lou",
            lambda s, by, at: attach_cases(s, incident, [case, "c0"], by, at),
        )
    with pytest.raises(InputError):
        done(engine, incident, "lou", lambda s, by, at: attach_cases(s, incident, [], by, at))
    assert number_of(engine, IncidentCase) == 0


def test_of_two_who_attach_the_same_at_once_one_does(engine: Engine) -> None:
    incident, case = opened(engine), case_of(engine)

    def attach(who: str) -> list[str]:
        return done(
            engine, incident, who, lambda s, by, at: attach_cases(s, incident, [case], by, at)
        )

    assert sorted(at_once(attach, "lou", "mia", "sam", "ana")) == [[], [], [], [case]]
    assert number_of(engine, IncidentCase) == 1


def test_a_case_that_comes_back_has_two_times_in_the_incident(engine: Engine) -> None:
    incident, case = opened(engine), case_of(engine)
    for change in (attach_cases, detach_cases, detach_cases, attach_cases):
        done(engine, incident, "lou", lambda s, by, at, do=change: do(s, incident, [case], by, at))
    with reading(engine) as session:
        times = incidents_of_case(session, case)
        assert attached(session, incident) == [case]
    assert sorted((each.turn, each.detached_at, each.detached_by) for each in times) == [
        (1, NOW, "lou"),
        (2, None, None),
    ]
    assert actions_in(engine, case)[1:] == [
        "incident.case_attached",
        "incident.case_detached",
        "incident.case_attached",
    ]


def test_a_role_handed_over_keeps_both_times(engine: Engine) -> None:
    incident = commanded(engine)
    later = NOW + HOUR

    def take(s: Any, by: Any, at: Any) -> bool:
        return assume_role(s, incident, COMMANDER, "sam", by, at)

    assert done(engine, incident, "mia", take, later)
    assert not done(engine, incident, "lou", take, later)
    with reading(engine) as session:
        held = tenures_of(session, incident)
    assert [(each.person, each.assumed_at, each.renounced_at) for each in held] == [
        ("mia", NOW, later),
        ("sam", later, None),
    ]
    assert actions_in(engine, incident)[-2:] == ["incident.role_renounced", "incident.role_assumed"]


def test_of_many_who_take_command_at_once_the_last_holds_it_alone(engine: Engine) -> None:
    incident = opened(engine)

    def take(who: str) -> bool:
        return done(
            engine,
            incident,
            "lou",
            lambda s, by, at: assume_role(s, incident, COMMANDER, who, by, at),
        )

    at_once(take, "mia", "sam", "lou", "mia", "sam")
    with reading(engine) as session:
        held = [each for each in tenures_of(session, incident) if each.renounced_at is None]
    assert len(held) == 1


def test_the_database_itself_refuses_a_second_commander(engine: Engine) -> None:
    incident = commanded(engine)
    row = IncidentTenure(
        incident_id=incident, number=9, role="commander", person="x", assumed_at=NOW, assumed_by="x"
    )
    with pytest.raises(IntegrityError), transaction(engine) as session:
        session.add(row)


@pytest.mark.parametrize("who", ["ana", "zoe", "old"])
def test_command_is_for_those_who_can(engine: Engine, who: str) -> None:
    incident = opened(engine)
    with pytest.raises(Denied) as refusal:
        done(
            engine,
            incident,
            "lou",
            lambda s, by, at: assume_role(s, incident, COMMANDER, who, by, at),
        )
    assert refusal.value.reason == "not_qualified"


def test_anyone_may_give_up_their_own_role_and_no_analyst_another_s(engine: Engine) -> None:
    incident, scribe = commanded(engine), IncidentRole.SCRIBE
    done(engine, incident, "mia", lambda s, by, at: assume_role(s, incident, scribe, "ana", by, at))

    def give_up(role: IncidentRole, person: str) -> Callable[..., bool]:
        return lambda s, by, at: renounce_role(s, incident, role, person, by, at)

    with pytest.raises(Denied):
        done(engine, incident, "ana", give_up(COMMANDER, "mia"))
    assert done(engine, incident, "ana", give_up(scribe, "ana"))
    assert not done(engine, incident, "ana", give_up(scribe, "ana"))


def test_a_note_is_corrected_by_a_further_one_alone(engine: Engine) -> None:
    incident = opened(engine)

    def note(text: str, key: str, corrects: int | None = None) -> int:
        return done(
            engine,
            incident,
            "ana",
            lambda s, by, at: (
                add_note(s, incident, text, key=key, corrects=corrects, by=by, now=at).number
            ),
        )

    assert note("secret one", "a") == note("secret one", "a") == 1
    assert note("secret two", "b", corrects=1) == 2
    told = data_of(engine, incident, "incident.noted")
    assert [(each["note"], each["corrects"]) for each in told] == [(1, None), (2, 1)]
    with pytest.raises(IntegrityError, match="append-only"), transaction(engine) as session:
        session.get_one(IncidentNote, (incident, 1)).text = "changed"
    with pytest.raises(InputError):
        note("  ", "c")


def test_notes_of_many_at_once_are_all_kept_and_numbered(engine: Engine) -> None:
    incident = opened(engine)

    def note(who: str) -> int:
        return done(
            engine,
            incident,
            who,
            lambda s, by, at: add_note(s, incident, f"by {who}", key=who, by=by, now=at).number,
        )

    people = ("lou", "mia", "sam", "ana", "pat")
    assert sorted(at_once(note, *people)) == [1, 2, 3, 4, 5]


def test_a_partner_is_asked_once_and_its_answer_settles_it(engine: Engine) -> None:
    incident = commanded(engine)

    def ask(s: Any, by: Any, at: Any) -> int:
        return ask_partner(s, incident, "Legal", "secret matter", NOW + HOUR, by, at).number

    assert done(engine, incident, "mia", ask) == done(engine, incident, "mia", ask) == 1

    def settle(came: bool) -> Callable[..., Any]:
        return lambda s, by, at: settle_task(s, incident, 1, done=came, by=by, now=at).done_at

    assert done(engine, incident, "pat", settle(True), NOW + 2 * HOUR) == NOW + 2 * HOUR
    assert done(engine, incident, "pat", settle(True), NOW + 3 * HOUR) == NOW + 2 * HOUR
    with pytest.raises(Conflict, match="done already"):
        done(engine, incident, "mia", settle(False))
    assert number_of(engine, IncidentTask) == 1
    asked = [each for each in actions_in(engine, incident) if "task" in each]
    assert asked == ["incident.task_asked", "incident.task_done"]


@pytest.mark.parametrize(("partner", "what"), [("Marketing", "x"), ("Legal", " ")])
def test_what_cannot_be_asked_is_refused(engine: Engine, partner: str, what: str) -> None:
    incident = commanded(engine)
    with pytest.raises(InputError):
        done(
            engine,
            incident,
            "mia",
            lambda s, by, at: ask_partner(s, incident, partner, what, NOW, by, at),
        )


def test_an_update_is_kept_as_it_was_told_with_its_digest_in_the_history(engine: Engine) -> None:
    incident = commanded(engine)
    macro = "{{incident}} is {{status}}, {{severity}}: {{title}}. {{said}}"
    bundle = bundle_from_files({**FILES, "macros/news.md": macro})

    def tell(name: str, **values: str) -> Any:
        telling = Telling("k", Audience.PARTNERS, name, values)
        return done(
            engine,
            incident,
            "mia",
            lambda s, by, at: tell_update(s, incident, telling, bundle, by, at),
        )

    told = tell("news", said="secret")
    assert told.text == f"{incident} is open, P1: A secret title. secret"
    assert tell("news", said="other").text == told.text, "the same key is told once"
    [kept] = data_of(engine, incident, "incident.updated")
    assert (kept["text_digest"], kept["audience"]) == (told.digest, "partners")
    assert kept["policy"] == bundle.digest


def test_an_update_wants_a_macro_and_its_values(engine: Engine) -> None:
    incident, bundle = commanded(engine), small_bundle()
    telling = Telling("k", Audience.PUBLIC, "news", {})
    with pytest.raises(InputError, match="no macro news"):
        done(
            engine,
            incident,
            "mia",
            lambda s, by, at: tell_update(s, incident, telling, bundle, by, at),
        )


def test_follow_ups_are_added_once_and_done_once_after_the_closing_too(engine: Engine) -> None:
    incident = resolved(engine)
    done(engine, incident, "mia", lambda s, by, at: sign_off(s, incident, by, at))

    def add(owner: str) -> Callable[..., int]:
        return lambda s, by, at: add_follow_up(s, incident, "a rule", owner, NOW, by, at).number

    assert done(engine, incident, "sam", add("Policy")) == 1
    assert done(engine, incident, "sam", add("Policy")) == 1
    assert done(engine, incident, "sam", add("ana")) == 2
    with pytest.raises(InputError, match="nobody"):
        done(engine, incident, "sam", add("somebody"))

    def finish(s: Any, by: Any, at: Any) -> Any:
        return finish_follow_up(s, incident, 1, by, at).done_at

    assert done(engine, incident, "sam", finish) == NOW
    assert done(engine, incident, "sam", finish, NOW + HOUR) == NOW


def test_severity_and_status_change_once(engine: Engine) -> None:
    incident = commanded(engine)
    for change in (
        lambda s, by, at: rate_incident(s, incident, Severity.P0, by, at),
        lambda s, by, at: move_incident(s, incident, IncidentStatus.CONTAINED, by, at),
    ):
        assert done(engine, incident, "mia", change) is True
        assert done(engine, incident, "mia", change) is False
    assert data_of(engine, incident, "incident.rated") == [{"before": "P1", "after": "P0"}]
    closed = IncidentStatus.CLOSED
    with pytest.raises(Conflict, match="more than a move"):
        done(engine, incident, "mia", lambda s, by, at: move_incident(s, incident, closed, by, at))


def test_closing_waits_for_what_is_left_to_do(engine: Engine) -> None:
    incident = opened(engine)

    def close(s: Any, by: Any, at: Any) -> str:
        return sign_off(s, incident, by, at).digest

    def step(do: Callable[..., Any]) -> None:
        done(engine, incident, "lou", do)

    with pytest.raises(Conflict, match="open cannot become closed"):
        step(close)
    step(lambda s, by, at: ask_partner(s, incident, "Legal", "x", NOW, by, at))
    step(lambda s, by, at: move_incident(s, incident, IncidentStatus.RESOLVED, by, at))
    with pytest.raises(Conflict, match="nobody has ever commanded it; task 1 of Legal"):
        step(close)
    step(lambda s, by, at: assume_role(s, incident, COMMANDER, "mia", by, at))
    step(lambda s, by, at: settle_task(s, incident, 1, done=False, by=by, now=at))
    step(close)
    case = case_of(engine)
    with pytest.raises(Conflict, match="closed"):
        step(lambda s, by, at: attach_cases(s, incident, [case], by, at))


def test_of_two_who_close_it_at_once_one_does_and_both_get_the_report(engine: Engine) -> None:
    incident = resolved(engine)
    digests = at_once(
        lambda who: done(
            engine, incident, who, lambda s, by, at: sign_off(s, incident, by, at).digest
        ),
        "lou",
        "mia",
    )
    assert len(set(digests)) == 1
    assert actions_in(engine, incident).count("incident.closed") == 1
    assert data_of(engine, incident, "incident.reported") == [{"report_digest": digests[0]}]


def test_a_report_is_due_when_closed_and_again_when_something_is_added(engine: Engine) -> None:
    incident = resolved(engine)

    def due() -> list[str]:
        with reading(engine) as session:
            return unpublished(session)

    def publish() -> None:
        with transaction(engine) as session:
            note_publication(session, incident, "d", BY, NOW)

    assert due() == []
    done(engine, incident, "mia", lambda s, by, at: sign_off(s, incident, by, at))
    assert due() == [incident]
    publish()
    assert due() == []
    done(
        engine,
        incident,
        "mia",
        lambda s, by, at: add_note(s, incident, "x", key="k", by=by, now=at),
    )
    assert due() == [incident]


def test_the_history_of_an_incident_holds_no_words_and_verifies(
    engine: Engine, tmp_path: Any
) -> None:
    incident, case = commanded(engine), case_of(engine)
    for do in (
        lambda s, by, at: attach_cases(s, incident, [case], by, at),
        lambda s, by, at: add_note(s, incident, "secret note", key="k", by=by, now=at),
        lambda s, by, at: ask_partner(s, incident, "Legal", "secret task", NOW, by, at),
        lambda s, by, at: add_follow_up(s, incident, "secret plan", "ana", NOW, by, at),
    ):
        done(engine, incident, "mia", do)
    assert "secret" not in entry_bodies(engine)
    signer = load_signer(tmp_path / "key.pem", "test/ledger")
    seal(engine, signer, NOW)
    assert verify(engine, signer.verifier).fault is None
    with reading(engine) as session:
        assert len(list(session.scalars(select(Case)))) == 1
