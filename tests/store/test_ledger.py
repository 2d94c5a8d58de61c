"""Entries take their place at the end of their chains, on both databases."""

import threading

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from casework.ledger.entries import Action, Draft
from casework.store.engine import reading, transaction
from casework.store.ledger import append, entries_of
from tests.factories.ledger import BY, NOW, drafts, write


def test_entries_are_stored_as_they_were_chained(engine: Engine) -> None:
    written = write(engine, drafts(chains=3, each=2)) + write(engine, drafts(chains=3, each=1))
    with reading(engine) as session:
        stored = [row for name in ("c0", "c1", "c2") for row in entries_of(session, name)]
    seen = [(e.chain, e.position, e.action, e.body, e.digest) for e in stored]
    assert seen == sorted(map(tuple, written))
    assert {(entry.actor, entry.at) for entry in stored} == {(BY.actor, NOW)}
    assert [entry.position for entry in stored] == [0, 1, 2] * 3


def test_many_chains_are_continued_at_once(engine: Engine) -> None:
    write(engine, drafts(chains=40_000, each=1))
    again = write(engine, drafts(chains=40_001, each=1))
    assert [entry.position for entry in again] == [1] * 40_000 + [0]


def test_writing_nothing_writes_nothing(engine: Engine) -> None:
    assert write(engine, []) == []


def _write_and_fail(engine: Engine) -> None:
    with transaction(engine) as session:
        append(session, drafts(1, 1), BY, NOW)
        raise RuntimeError


def test_an_entry_that_is_undone_leaves_its_place_free(engine: Engine) -> None:
    with pytest.raises(RuntimeError):
        _write_and_fail(engine)
    assert write(engine, drafts(1, 1))[0].position == 0


def test_a_place_is_taken_once(engine: Engine) -> None:
    write(engine, drafts(1, 1))
    columns = "chain, position, action, actor, at, body, digest"
    copy = f"INSERT INTO ledger_entries ({columns}) SELECT {columns} FROM ledger_entries"
    with pytest.raises(IntegrityError), transaction(engine) as session:
        session.execute(text(copy))


def test_writers_of_one_chain_take_turns(engine: Engine) -> None:
    def add(name: str) -> None:
        for turn in range(10):
            write(engine, [Draft("c1", Action.CASE_REVISED, {"by": name, "turn": turn})])

    threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engine) as session:
        assert [entry.position for entry in entries_of(session, "c1")] == list(range(40))
