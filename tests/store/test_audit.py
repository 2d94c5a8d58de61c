"""Verification names the first fault and where it is, whatever was done to the database."""

import json
from hashlib import sha256

import pytest
from sqlalchemy import Engine, text

from casework.errors import LedgerFault
from casework.ledger.entries import Draft
from casework.ledger.tree import Frontier, leaf_hash
from casework.ledger.verify import Fault, FaultKind
from casework.store.audit import verify
from casework.store.engine import reading, transaction
from casework.store.ledger import append
from casework.store.sealing import seal
from tests.factories.ledger import BY, NOW, drafts, sealed, signer, tamper, write

KEY = signer().verifier


@pytest.fixture
def ledger(engine: Engine) -> Engine:
    """Three chains of three entries under two checkpoints: entry ids 1 to 9, leaves 0 to 8."""
    sealed(engine, drafts(3, 2))
    sealed(engine, drafts(3, 1))
    return engine


def fault_of(engine: Engine) -> Fault:
    fault = verify(engine, KEY).fault
    assert fault is not None
    return fault


def test_a_ledger_nobody_touched_verifies(ledger: Engine) -> None:
    report = verify(ledger, KEY, allow_unsealed=False)
    assert report.fault is None
    assert (report.entries, report.chains, report.sealed, report.unsealed) == (9, 3, 9, 0)
    assert report.checkpoints == 2


def test_an_empty_ledger_verifies(engine: Engine) -> None:
    report = verify(engine, KEY, allow_unsealed=False)
    assert (report.fault, report.entries, report.root) == (None, 0, None)


def test_entries_not_sealed_yet_are_counted_and_no_fault_unless_asked(ledger: Engine) -> None:
    write(ledger, drafts(1, 2))
    report = verify(ledger, KEY)
    assert (report.fault, report.unsealed) == (None, 2)
    strict = verify(ledger, KEY, allow_unsealed=False).fault
    assert strict is not None
    assert (strict.kind, strict.where) == (FaultKind.UNSEALED, "after leaf 9")


CHAIN_CHANGES = {
    "an edited body": (
        "UPDATE ledger_entries SET body = replace(body, 'case.opened', 'case.closed') WHERE id = 5",
        "chain c1, position 1 (entry 5)",
        "edited",
    ),
    "another digest": (
        f"UPDATE ledger_entries SET digest = '{'0' * 64}' WHERE id = 5",
        "chain c1, position 1 (entry 5)",
        "edited",
    ),
    "a body that is no JSON": (
        f"UPDATE ledger_entries SET body = 'x', digest = '{sha256(b'x').hexdigest()}' WHERE id = 5",
        "chain c1, position 1 (entry 5)",
        "not JSON",
    ),
    "a body that is no entry": (
        f"UPDATE ledger_entries SET body = '1', digest = '{sha256(b'1').hexdigest()}' WHERE id = 5",
        "chain c1, position 1 (entry 5)",
        "not an entry",
    ),
    "an entry taken out": (
        "DELETE FROM ledger_entries WHERE id = 5",
        "chain c1, position 2 (entry 8)",
        "position 1 is missing",
    ),
    "a first entry taken out": (
        "DELETE FROM ledger_entries WHERE id = 2",
        "chain c1, position 1 (entry 5)",
        "position 0 is missing",
    ),
    "a gap closed up": (
        "DELETE FROM ledger_entries WHERE id = 5; "
        "UPDATE ledger_entries SET position = 1 WHERE id = 8",
        "chain c1, position 1 (entry 8)",
        "before it",
    ),
    "entries that changed places": (
        "UPDATE ledger_entries SET position = 9 WHERE id = 5; "
        "UPDATE ledger_entries SET position = 1 WHERE id = 8; "
        "UPDATE ledger_entries SET position = 2 WHERE id = 5",
        "chain c1, position 1 (entry 8)",
        "before it",
    ),
    "an entry moved to another chain": (
        "UPDATE ledger_entries SET chain = 'c2', position = 3 WHERE id = 8",
        "chain c2, position 3 (entry 8)",
        "before it",
    ),
    "a column action": (
        "UPDATE ledger_entries SET action = 'case.closed' WHERE id = 5",
        "chain c1, position 1 (entry 5)",
        "column action",
    ),
    "a column actor": (
        "UPDATE ledger_entries SET actor = 'nobody' WHERE id = 5",
        "chain c1, position 1 (entry 5)",
        "column actor",
    ),
    "a column at": (
        "UPDATE ledger_entries SET at = '2020-01-01 00:00:00.000000' WHERE id = 5",
        "chain c1, position 1 (entry 5)",
        "column at",
    ),
    "a chain renamed": (
        "UPDATE ledger_entries SET chain = 'c9' WHERE chain = 'c1'",
        "chain c9, position 0 (entry 2)",
        "column chain",
    ),
}


@pytest.mark.parametrize("name", CHAIN_CHANGES)
def test_a_chain_fault_is_named_where_it_is(ledger: Engine, name: str) -> None:
    statements, where, message = CHAIN_CHANGES[name]
    tamper(ledger, *statements.split("; "))
    fault = fault_of(ledger)
    assert (fault.kind, fault.where) == (FaultKind.CHAIN, where)
    assert message in fault.message


def rewrite(engine: Engine, chain: str, *, leaves: bool = False) -> None:
    """Forge a whole chain: another actor in every entry, all digests and links made anew."""
    previous, changes = "0" * 64, []
    with reading(engine) as session:
        found = session.execute(
            text("SELECT id, body FROM ledger_entries WHERE chain = :chain ORDER BY position"),
            {"chain": chain},
        ).all()
    for entry_id, body in found:
        document = {**json.loads(body), "actor": "someone else", "previous": previous}
        forged = json.dumps(document, sort_keys=True, separators=(",", ":"))
        previous = sha256(forged.encode()).hexdigest()
        changes.append(
            f"UPDATE ledger_entries SET body = '{forged}', digest = '{previous}', "
            f"actor = 'someone else' WHERE id = {entry_id}"
        )
        if leaves:
            changes.append(
                f"UPDATE ledger_leaves SET digest = '{previous}' WHERE entry_id = {entry_id}"
            )
    tamper(engine, *(change.replace("%", "%%") for change in changes))


def resign(engine: Engine, seed: int) -> None:
    """Replace all checkpoints by one over the rows as they are, signed with some key."""
    tree = Frontier()
    with reading(engine) as session:
        for digest in session.scalars(text("SELECT digest FROM ledger_leaves ORDER BY leaf_index")):
            tree.append(leaf_hash(bytes.fromhex(digest)))
    note = signer(seed).sign(tree.size, tree.root())
    frontier = json.dumps([node.hex() for node in tree.hashes])
    tamper(
        engine,
        "DELETE FROM checkpoints",
        f"INSERT INTO checkpoints (size, root, frontier, sealed_through, note, signed_at) VALUES "
        f"({tree.size}, '{tree.root().hex()}', '{frontier}', 9, '{note}', '2026-03-02 09:30:00')",
    )


def test_a_chain_rewritten_whole_differs_from_its_leaves(ledger: Engine) -> None:
    rewrite(ledger, "c1")
    fault = fault_of(ledger)
    assert (fault.kind, fault.where) == (FaultKind.TREE, "leaf 1 (entry 2)")
    assert "not that of the entry" in fault.message


def test_a_chain_and_its_leaves_rewritten_do_not_make_the_signed_root(ledger: Engine) -> None:
    rewrite(ledger, "c1", leaves=True)
    fault = fault_of(ledger)
    assert (fault.kind, fault.where) == (FaultKind.TREE, "checkpoint 6")
    assert "rewritten" in fault.message


def test_a_history_rewritten_under_another_key_is_not_signed(ledger: Engine) -> None:
    rewrite(ledger, "c1", leaves=True)
    resign(ledger, seed=2)
    fault = fault_of(ledger)
    assert (fault.kind, fault.where) == (FaultKind.SIGNATURE, "checkpoint 9")


def test_a_history_rewritten_by_the_signer_shows_against_a_note_kept_elsewhere(
    ledger: Engine,
) -> None:
    kept = seal(ledger, signer(), NOW)
    assert kept is not None
    rewrite(ledger, "c1", leaves=True)
    resign(ledger, seed=1)
    assert verify(ledger, KEY).fault is None
    fault = verify(ledger, KEY, witnessed=[kept.note]).fault
    assert fault is not None
    assert (fault.kind, fault.where) == (FaultKind.TREE, "checkpoint 9")


def test_a_history_cut_back_shows_against_a_note_kept_elsewhere(ledger: Engine) -> None:
    kept = seal(ledger, signer(), NOW)
    assert kept is not None
    tamper(
        ledger,
        "DELETE FROM checkpoints WHERE size = 9",
        "DELETE FROM ledger_leaves WHERE leaf_index >= 6",
        "DELETE FROM ledger_entries WHERE id >= 7",
    )
    assert verify(ledger, KEY).fault is None
    fault = verify(ledger, KEY, witnessed=[kept.note]).fault
    assert fault is not None
    assert (fault.kind, fault.where) == (FaultKind.COUNT, "checkpoint 9")


def test_a_note_of_another_key_is_no_witness(ledger: Engine) -> None:
    with pytest.raises(LedgerFault):
        verify(ledger, KEY, witnessed=[signer(2).sign(1, b"0" * 32)])


OTHER_CHANGES = {
    "the last entry cut off": (
        "DELETE FROM ledger_entries WHERE id = 9",
        FaultKind.COUNT,
        "checkpoint 9, first at leaf 8",
    ),
    "the last entry and leaf cut off": (
        "DELETE FROM ledger_entries WHERE id = 9; DELETE FROM ledger_leaves WHERE entry_id = 9",
        FaultKind.COUNT,
        "checkpoint 9",
    ),
    "everything cut off": (
        "DELETE FROM ledger_entries; DELETE FROM ledger_leaves",
        FaultKind.COUNT,
        "checkpoint 9",
    ),
    "a leaf taken out": (
        "DELETE FROM ledger_leaves WHERE leaf_index = 4",
        FaultKind.TREE,
        "leaf 5 (entry 6)",
    ),
    "the last leaf taken out": (
        "DELETE FROM ledger_leaves WHERE leaf_index = 8",
        FaultKind.TREE,
        "checkpoint 9",
    ),
    "another digest in a leaf": (
        f"UPDATE ledger_leaves SET digest = '{'0' * 64}' WHERE leaf_index = 4",
        FaultKind.TREE,
        "leaf 4 (entry 5)",
    ),
    "leaves that changed places": (
        "UPDATE ledger_leaves SET leaf_index = 99 WHERE leaf_index = 0; "
        "UPDATE ledger_leaves SET leaf_index = 0 WHERE leaf_index = 1; "
        "UPDATE ledger_leaves SET leaf_index = 1 WHERE leaf_index = 99",
        FaultKind.TREE,
        "checkpoint 6",
    ),
    "a leaf of no checkpoint": (
        "DELETE FROM checkpoints WHERE size = 9",
        FaultKind.TREE,
        "leaf 6 (entry 7)",
    ),
    "an edited note": (
        "UPDATE checkpoints SET note = replace(note, 'ledger', 'legder') WHERE size = 6",
        FaultKind.SIGNATURE,
        "checkpoint 6",
    ),
    "an edited root": (
        f"UPDATE checkpoints SET root = '{'0' * 64}' WHERE size = 6",
        FaultKind.SIGNATURE,
        "checkpoint 6",
    ),
    "an edited size": (
        "UPDATE checkpoints SET size = 5 WHERE size = 6",
        FaultKind.SIGNATURE,
        "checkpoint 5",
    ),
}


@pytest.mark.parametrize("name", OTHER_CHANGES)
def test_any_other_fault_is_named_where_it_is(ledger: Engine, name: str) -> None:
    statements, kind, where = OTHER_CHANGES[name]
    tamper(ledger, *statements.split("; "))
    fault = fault_of(ledger)
    assert (fault.kind, fault.where) == (kind, where)


def test_an_entry_exchanged_for_an_unsealed_one_is_missed(ledger: Engine) -> None:
    write(ledger, drafts(1, 1))
    tamper(ledger, "DELETE FROM ledger_entries WHERE id = 9")
    fault = fault_of(ledger)
    assert (fault.kind, fault.where) == (FaultKind.TREE, "leaf 8 (entry 9)")


def test_an_entry_put_in_behind_the_sealed_ones_is_named(ledger: Engine) -> None:
    [entry] = write(ledger, [Draft("c7", drafts(1, 1)[0].action)])
    tamper(ledger, f"UPDATE ledger_entries SET id = -1 WHERE digest = '{entry.digest}'")
    fault = fault_of(ledger)
    assert (fault.kind, fault.where) == (FaultKind.UNSEALED, "entry -1")


def test_entries_that_are_not_committed_are_not_seen(ledger: Engine) -> None:
    with transaction(ledger) as session:
        append(session, drafts(3, 1), BY, NOW)
        assert verify(ledger, KEY).entries == 9
    assert verify(ledger, KEY).entries == 12
