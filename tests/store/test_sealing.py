"""Entries are sealed once each, whatever happens beside the sealer."""

import threading

import pytest
from sqlalchemy import Engine, select
from sqlmodel import col

from casework.errors import LedgerFault
from casework.ledger.tree import Frontier, leaf_hash
from casework.store.audit import verify
from casework.store.engine import reading, transaction
from casework.store.ledger import append
from casework.store.sealing import seal
from casework.store.tables import Checkpoint, LedgerEntry, LedgerLeaf
from tests.factories.ledger import BY, NOW, drafts, sealed, signer, tamper, write


def leaves(engine: Engine) -> list[tuple[int, int]]:
    with reading(engine) as session:
        rows = session.execute(
            select(col(LedgerLeaf.leaf_index), col(LedgerLeaf.entry_id)).order_by(
                col(LedgerLeaf.leaf_index)
            )
        )
        return [(index, entry) for index, entry in rows]


def test_an_empty_ledger_has_nothing_to_seal(engine: Engine) -> None:
    assert seal(engine, signer(), NOW) is None


def test_entries_are_sealed_in_the_order_they_were_written(engine: Engine) -> None:
    written = write(engine, drafts(3, 2))
    done = seal(engine, signer(), NOW)
    tree = Frontier()
    for entry in written:
        tree.append(leaf_hash(bytes.fromhex(entry.digest)))
    assert done is not None
    assert (done.added, done.size, done.root) == (6, 6, tree.root().hex())
    assert signer().verifier.open(done.note).root == tree.root()


def test_sealing_goes_on_where_it_stopped_and_does_nothing_twice(engine: Engine) -> None:
    first = sealed(engine, drafts(3, 2))
    second = sealed(engine, drafts(3, 1))
    again = seal(engine, signer(), NOW)
    assert again is not None
    assert (first.size, second.size, again.added, again.note) == (6, 9, 0, second.note)
    assert verify(engine, signer().verifier, allow_unsealed=False).fault is None


@pytest.mark.parametrize("batch", [1, 3, 7, 8])
def test_every_batch_is_under_a_checkpoint_of_its_own(engine: Engine, batch: int) -> None:
    write(engine, drafts(7, 1))
    done = seal(engine, signer(), NOW, batch=batch)
    assert done is not None
    assert (done.added, done.size) == (7, 7)
    with reading(engine) as session:
        sizes = list(session.scalars(select(col(Checkpoint.size)).order_by(col(Checkpoint.size))))
    assert sizes == [*range(batch, 7, batch), 7]
    assert verify(engine, signer().verifier, allow_unsealed=False).fault is None


def test_an_entry_committed_late_behind_sealed_ones_is_sealed_too(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time: no entry commits out of order")
    with transaction(engine) as late:
        append(late, drafts(1, 1), BY, NOW)
        write(engine, drafts(3, 1)[1:])
        first = seal(engine, signer(), NOW)
        assert first is not None
        assert first.size == 2
    second = seal(engine, signer(), NOW)
    assert second is not None
    assert (second.added, second.size) == (1, 3)
    order = [entry for _, entry in leaves(engine)]
    assert order[2] < min(order[:2])
    assert verify(engine, signer().verifier, allow_unsealed=False).fault is None


def test_the_sealer_looks_only_once_at_what_is_settled(engine: Engine) -> None:
    sealed(engine, drafts(3, 2))
    with reading(engine) as session:
        through = session.scalar(select(col(Checkpoint.sealed_through)))
        last = session.scalar(select(col(LedgerEntry.id)).order_by(col(LedgerEntry.id).desc()))
    assert through == last


def test_sealers_at_once_and_writers_beside_them_leave_one_sound_history(engine: Engine) -> None:
    faults: list[BaseException] = []

    def keep(work: object) -> None:
        try:
            for turn in range(5):
                if work == "seal":
                    seal(engine, signer(), NOW, batch=4)
                else:
                    write(engine, drafts(4, 1 + turn % 2))
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=keep, args=(work,)) for work in ("seal", "write") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    seal(engine, signer(), NOW)
    report = verify(engine, signer().verifier, allow_unsealed=False)
    assert report.fault is None
    assert report.entries == report.sealed == 3 * 4 * (1 + 2 + 1 + 2 + 1)
    assert [index for index, _ in leaves(engine)] == list(range(report.sealed))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE checkpoints SET note = replace(note, '6', '7')", "checkpoint"),
        ("UPDATE checkpoints SET size = 5", "its row does not say"),
        ("UPDATE checkpoints SET frontier = '[]'", "malformed"),
        (f"""UPDATE checkpoints SET frontier = '["{"00" * 32}", "{"11" * 32}"]'""", "its root"),
    ],
)
def test_the_sealer_does_not_build_on_a_checkpoint_that_was_changed(
    engine: Engine, change: str, message: str
) -> None:
    sealed(engine, drafts(3, 2))
    tamper(engine, change)
    write(engine, drafts(1, 1))
    with pytest.raises(LedgerFault, match=message):
        seal(engine, signer(), NOW)


def test_the_sealer_does_not_build_on_the_checkpoint_of_another_key(engine: Engine) -> None:
    sealed(engine, drafts(3, 2))
    with pytest.raises(LedgerFault, match="not signed by"):
        seal(engine, signer(2), NOW)
