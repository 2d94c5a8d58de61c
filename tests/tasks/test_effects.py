"""Sending: each destination for itself, what fails is tried again, what cannot be sent is kept."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.breaker import FIRST_REST, OPEN_AFTER
from casework.effects import TELLING, Delivery, EffectKind, Receipt
from casework.errors import (
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    StoreError,
)
from casework.policy.bundle import bundle_from_files
from casework.policy.model import DestinationSpec
from casework.ports import Destination
from casework.settings import Settings
from casework.store.carrying import carry_out
from casework.store.engine import reading, transaction
from casework.store.outbox import attempts_of, effect_by_key, list_effects
from casework.store.restrictions import restrict
from tasks import effects
from tasks.effects import Sender, send
from tests.factories.effects import LEAVING, effect, leaving_bundle, queue
from tests.factories.gates import BY, NOW, add_people, answer, waiting_case


@dataclass
class Far:
    """A system far away: what it was sent, and what it answers next."""

    name: str = "platform"
    got: list[Delivery] = field(default_factory=list)
    fails: Callable[[Delivery], Exception | None] = lambda delivery: None
    closed: bool = False
    at_once: int = 0
    most_at_once: int = 0

    async def deliver(self, delivery: Delivery) -> Receipt:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        self.got.append(delivery)
        if error := self.fails(delivery):
            raise error
        return Receipt(f"far-{len(self.got)}")

    async def close(self) -> None:
        self.closed = True


@dataclass
class World:
    """A sender with a clock of its own and the systems it reaches."""

    sender: Sender
    systems: dict[str, Far]
    at: datetime = NOW

    def send(self, case_id: str | None = None) -> dict[str, int]:
        return asyncio.run(send(replace(self.sender, now=lambda: self.at), case_id))

    def later(self, **more: float) -> "World":
        self.at += timedelta(**more)
        return self


@pytest.fixture
def world(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    systems = {"platform": Far("platform"), "desk": Far("desk")}

    def reached(settings: Settings, spec: DestinationSpec) -> Destination | None:
        return systems.get(spec.id)

    monkeypatch.setattr(effects, "destination_of", reached)
    settings = Settings(home=tmp_path, console_url="https://console.example/")
    return World(Sender(settings, engine, leaving_bundle(), BY, "here:1"), systems)


def status(world: World, key: str) -> str:
    with reading(world.sender.engine) as session:
        return effect_by_key(session, key).status


def test_what_is_due_is_sent_to_every_destination(world: World) -> None:
    queue(world.sender.engine, effect("a", destination="platform"), effect("b", destination="desk"))
    queue(world.sender.engine, effect("c", destination="desk", not_before=NOW + timedelta(days=1)))
    assert world.send() == {"sent": 2, "failed": 0, "dead": 0, "held": 0}
    assert [each.effect.key for each in world.systems["desk"].got] == ["b"]
    assert [far.closed for far in world.systems.values()] == [True, True]
    assert world.send()["sent"] == 0
    assert world.later(days=1).send()["sent"] == 1


def test_no_more_is_sent_at_once_than_the_destination_takes(world: World) -> None:
    queue(world.sender.engine, *(effect(f"e{n}", destination="desk") for n in range(9)))
    assert world.send()["sent"] == 9
    assert world.systems["desk"].most_at_once <= 4


def test_one_destination_that_is_down_does_not_hold_up_another(world: World) -> None:
    queue(world.sender.engine, effect("a", destination="platform"), effect("b", destination="desk"))
    world.systems["platform"].fails = lambda _: ProviderUnavailable("down")
    assert world.send() == {"sent": 1, "failed": 1, "dead": 0, "held": 0}


def test_what_fails_for_a_while_is_sent_later_under_the_same_key(world: World) -> None:
    queue(world.sender.engine, effect("a", destination="platform"))
    far = world.systems["platform"]
    far.fails = lambda _: ProviderUnavailable("down") if len(far.got) < 3 else None
    assert world.send()["failed"] == 1
    assert world.send() == {"sent": 0, "failed": 0, "dead": 0, "held": 0}, "it waits its turn"
    world.later(minutes=1).send()
    assert world.later(minutes=1).send()["sent"] == 1
    assert [each.effect.key for each in far.got] == ["a", "a", "a"]
    with reading(world.sender.engine) as session:
        outcomes = [each.outcome for each in attempts_of(session, "a")]
    assert outcomes == ["provider_unavailable", "provider_unavailable", "sent"]


def test_a_destination_is_left_alone_as_long_as_it_asks(world: World) -> None:
    queue(world.sender.engine, effect("a", destination="desk"), effect("b", destination="desk"))
    far = world.systems["desk"]
    far.fails = lambda _: RateLimited("busy", retry_after=300)
    world.send()
    far.fails = lambda _: None
    asked = len(far.got)
    assert world.later(seconds=299).send()["sent"] == 0
    assert len(far.got) == asked
    world.later(minutes=10).send()
    assert (status(world, "a"), status(world, "b")) == ("sent", "sent")


def test_what_is_refused_for_good_is_dead_and_named(world: World) -> None:
    queue(world.sender.engine, effect("a", destination="platform"))
    world.systems["platform"].fails = lambda _: ProviderRefused("no such account", answered=422)
    assert world.send()["dead"] == 1
    with reading(world.sender.engine) as session:
        [row] = list_effects(session)
        [attempt] = attempts_of(session, "a")
    assert (row.status, row.error, attempt.message) == (
        "dead",
        "provider_refused",
        "no such account",
    )


def test_what_failed_too_often_is_dead(world: World) -> None:
    files = LEAVING["destinations.yaml"].replace("webhook,", "webhook, retry: {attempts: 2},")
    bundle = bundle_from_files({**LEAVING, "destinations.yaml": files})
    world.sender = replace(world.sender, bundle=bundle)
    queue(world.sender.engine, effect("a", destination="platform"))
    world.systems["platform"].fails = lambda _: ProviderUnavailable("down")
    assert world.send()["failed"] == 1
    assert world.later(hours=1).send()["dead"] == 1


def test_with_revoked_credentials_nothing_is_lost_and_nobody_is_hammered(world: World) -> None:
    queue(world.sender.engine, *(effect(f"e{n}", destination="desk") for n in range(20)))
    far = world.systems["desk"]
    far.fails = lambda _: ProviderRefused("who are you?", answered=401)
    world.send()
    assert len(far.got) <= 4, "those that were on their way when the first came back"
    far.fails = lambda _: None
    world.later(minutes=20).send()
    assert world.later(minutes=20).send()["dead"] == 0
    with reading(world.sender.engine) as session:
        assert {row.status for row in list_effects(session)} == {"sent"}


def test_a_breaker_opens_lets_one_try_and_closes(world: World) -> None:
    queue(world.sender.engine, *(effect(f"e{n:02}", destination="desk") for n in range(30)))
    far = world.systems["desk"]
    far.fails = lambda _: ProviderUnavailable("down")
    world.send()
    assert OPEN_AFTER <= len(far.got) < OPEN_AFTER + 4
    asked = len(far.got)
    world.later(seconds=FIRST_REST.total_seconds()).send()
    assert len(far.got) == asked + 1, "one alone tries it out"
    far.fails = lambda _: None
    world.later(minutes=2).send()
    assert len(far.got) > asked + 2


def test_two_senders_at_once_send_each_effect_once(world: World) -> None:
    queue(world.sender.engine, *(effect(f"e{n:02}", destination="desk") for n in range(24)))
    other = replace(world.sender, name="there:2")

    async def both() -> list[dict[str, int]]:
        senders = (replace(each, now=lambda: NOW) for each in (world.sender, other))
        return await asyncio.gather(*(send(each) for each in senders))

    counts = asyncio.run(both())
    assert sum(each["sent"] for each in counts) == 24
    keys = [each.effect.key for each in world.systems["desk"].got]
    assert sorted(keys) == sorted(set(keys))


def test_a_destination_that_is_not_set_up_keeps_its_effects_waiting(world: World) -> None:
    queue(world.sender.engine, effect("a", destination="platform"), effect("b", destination="gone"))
    del world.systems["platform"]
    assert world.send() == {"sent": 0, "failed": 0, "dead": 0, "held": 2}
    assert status(world, "a") == status(world, "b") == "waiting"


def test_a_fault_of_ours_in_one_effect_does_not_keep_the_others(world: World) -> None:
    queue(world.sender.engine, effect("a", destination="desk"), effect("b", destination="desk"))
    world.systems["desk"].fails = lambda each: (
        KeyError("secret") if each.effect.key == "a" else None
    )
    assert world.send() == {"sent": 1, "failed": 0, "dead": 1, "held": 0}
    with reading(world.sender.engine) as session:
        [attempt] = attempts_of(session, "a")
    assert attempt.message == "desk could not be sent it (KeyError)"


def test_a_store_that_fails_in_the_middle_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(world.sender.engine, effect("a", destination="desk"))

    def gone(*_: object) -> None:
        raise StoreError("the store is gone")

    with monkeypatch.context() as patch:
        patch.setattr(effects, "note_sent", gone)
        with pytest.raises(StoreError):
            world.send()
    assert status(world, "a") == "waiting"
    assert world.later(minutes=3).send()["sent"] == 1
    assert [each.effect.key for each in world.systems["desk"].got] == ["a", "a"]


def test_the_effects_of_one_case_are_sent_alone(world: World) -> None:
    queue(
        world.sender.engine,
        effect("a", destination="desk", case_id="c1"),
        effect("b", destination="desk", case_id="c2"),
    )
    assert world.send("c2")["sent"] == 1
    assert (status(world, "a"), status(world, "b")) == ("waiting", "sent")


def test_a_reply_says_what_its_macro_makes_of_the_case_when_it_is_sent(world: World) -> None:
    engine = world.sender.engine
    add_people(engine)
    gate = waiting_case(engine, bundle=leaving_bundle())
    answer_gate(engine, gate, "ana", answer(action="warn", clause="C1"), now=NOW)
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)
    assert world.send()["sent"] == 2
    reply = next(each for each in world.systems["desk"].got if each.effect.kind is EffectKind.REPLY)
    assert reply.text == "Please read Be civil..\n"
    assert reply.link == f"https://console.example/cases/{reply.effect.case_id}"
    assert reply.queued_at == NOW


def macro_fails(world: World, data: dict[str, object]) -> str:
    queue(world.sender.engine, effect("a", kind=EffectKind.REPLY, destination="desk", data=data))
    assert world.send()["dead"] == 1
    with reading(world.sender.engine) as session:
        return attempts_of(session, "a")[0].message


def test_a_reply_whose_macro_cannot_be_filled_is_dead_and_says_why(world: World) -> None:
    message = macro_fails(world, {"macro": "banned"})
    why, way_out = message.split("; ")
    assert why == "macro `banned` says reference, which this case does not have"
    assert 'reference or "..."' in way_out


def test_a_reply_whose_macro_is_gone_is_dead_and_says_why(world: World) -> None:
    message = macro_fails(world, {"macro": "gone"})
    assert message.startswith("policy small 1 has no macro `gone`; put it into the bundle")


def test_who_is_told_of_a_restricted_case_is_told_no_name_of_it(world: World) -> None:
    add_people(world.sender.engine)
    gate = waiting_case(world.sender.engine, bundle=leaving_bundle())
    case = f"c{gate[1:].split('-')[0]}"
    about = {"gate": gate, "queue": "general", "severity": "P1", "action": "suspend"}
    about |= {"evidence": "e" * 64, "person": "ana", "clock": "decision"}
    with transaction(world.sender.engine) as session:
        restrict(session, case, ["ana"], "because", BY, NOW, operating=True)
    for kind in TELLING:
        key = f"{kind}:{gate}"
        asked = effect(key, kind=kind, destination="platform", case_id=case, data=about)
        queue(world.sender.engine, asked)
    queue(world.sender.engine, effect("act:1", destination="platform", case_id=case, data=about))
    assert world.send()["sent"] == len(TELLING) + 1
    told = {each.effect.kind: each for each in world.systems["platform"].got}
    assert told.pop(EffectKind.ACT).effect.case_id == case, "it is done to something"
    for each in told.values():
        said = repr(each)
        assert case[1:] not in said, "nor a gate, which bears the case's id"
        assert not {"suspend", "ana", "e" * 64} & set(each.effect.data.values())
        assert each.text == "A restricted case in queue general needs somebody"
        assert each.link == "https://console.example/queues/general"
    assert len({each.effect.data["alias"] for each in told.values()}) == 1
    assert len({each.effect.key for each in told.values()}) == len(TELLING)


def test_the_same_restricted_page_is_the_same_whenever_it_is_tried(world: World) -> None:
    add_people(world.sender.engine)
    gate = waiting_case(world.sender.engine, bundle=leaving_bundle())
    case = f"c{gate[1:].split('-')[0]}"
    with transaction(world.sender.engine) as session:
        restrict(session, case, ["ana"], "because", BY, NOW, operating=True)
    data = {"queue": "general"}
    page = effect("page:1", kind=EffectKind.PAGE, destination="platform", case_id=case, data=data)
    queue(world.sender.engine, page)
    world.systems["platform"].fails = lambda delivery: ProviderUnavailable("away")
    world.send()
    world.later(hours=1).send()
    first, second = (each.effect for each in world.systems["platform"].got)
    assert first == second
