"""An export proves itself without the database, and says which line does not hold."""

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from casework.errors import LedgerFault, NotFound
from casework.ledger.checkpoint import parse_verifier
from casework.ledger.entries import Action, Draft, Provenance
from casework.ledger.export import verify_export
from casework.qa.pseudonyms import pseudonyms
from casework.store.engine import transaction
from casework.store.export import export
from casework.store.ledger import append
from casework.store.people import add_person
from tests.factories.gates import BY, NOW
from tests.factories.ledger import drafts, sealed, signer, tamper, write

KEY = signer().verifier


@pytest.fixture
def ledger(engine: Engine) -> Engine:
    """Three chains of three entries under two checkpoints."""
    sealed(engine, drafts(3, 2))
    sealed(engine, drafts(3, 1))
    return engine


def lines_of(engine: Engine, case: str | None = None) -> list[bytes]:
    lines: list[bytes] = []
    export(engine, KEY, lines.append, case)
    return lines


def test_an_export_verifies_without_the_database(ledger: Engine) -> None:
    lines = lines_of(ledger)
    report = verify_export(lines, KEY)
    assert (report.entries, report.size, report.case, report.key_given) == (9, 9, None, True)
    assert len(lines) == 10


def test_without_a_key_the_report_says_whose_word_it_took(ledger: Engine) -> None:
    report = verify_export(lines_of(ledger))
    assert report.key_given is False
    assert parse_verifier(report.verifier) == KEY


def test_one_case_is_proved_without_the_others(ledger: Engine) -> None:
    lines = lines_of(ledger, "c1")
    report = verify_export(lines, KEY)
    assert (report.entries, report.size, report.case) == (3, 9, "c1")
    assert not any(b'"c0\\"' in line or b'"c2\\"' in line for line in lines)


def test_entries_not_sealed_yet_are_left_out_and_counted(ledger: Engine) -> None:
    write(ledger, drafts(3, 1))
    lines: list[bytes] = []
    assert export(ledger, KEY, lines.append).unsealed == 3
    assert export(ledger, KEY, lambda _: None, "c1").unsealed == 1
    assert verify_export(lines, KEY).entries == 9


def test_what_is_not_sealed_cannot_be_exported(engine: Engine) -> None:
    with pytest.raises(NotFound, match="nothing is sealed"):
        lines_of(engine)
    sealed(engine, drafts(1, 1))
    with pytest.raises(NotFound, match="case c9"):
        lines_of(engine, "c9")


def test_a_ledger_that_does_not_verify_is_not_exported(ledger: Engine) -> None:
    tamper(ledger, f"UPDATE ledger_leaves SET digest = '{'0' * 64}' WHERE leaf_index = 4")
    with pytest.raises(LedgerFault, match="does not verify"):
        lines_of(ledger)


def test_another_key_does_not_verify_an_export(ledger: Engine) -> None:
    with pytest.raises(LedgerFault, match=r"line 1: .*not signed by"):
        verify_export(lines_of(ledger), signer(2).verifier)


CHANGES = {
    "a body edited": (
        lambda lines: [*lines[:4], lines[4].replace(b"case.opened", b"case.closed"), *lines[5:]],
        "line 5: its proof does not lead",
    ),
    "a line cut out": (lambda lines: lines[:4] + lines[5:], "line 5: leaf 3 should be here"),
    "lines that changed places": (
        lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]],
        "line 5: leaf 3 should be here",
    ),
    "a line twice": (lambda lines: [*lines, lines[-1]], "line 11: leaf 9 should be here"),
    "the end cut off": (lambda lines: lines[:-1], "line 9: the export ends after 8 of 9"),
    "half a line cut off": (
        lambda lines: [*lines[:-1], lines[-1][:50]],
        "line 10: this is not an entry",
    ),
    "everything cut off": (lambda lines: lines[:1], "line 1: the export ends after 0 of 9"),
    "nothing at all": (lambda lines: [], "line 1: this is not the header"),
    "the count edited": (
        lambda lines: [lines[0].replace(b'"entries":9', b'"entries":8'), *lines[1:-1]],
        "line 1: 8 entries do not make a tree of 9",
    ),
    "the checkpoint edited": (
        lambda lines: [lines[0].replace(b"ledger\\n9\\n", b"ledger\\n8\\n"), *lines[1:]],
        "line 1: the checkpoint's signature is not valid",
    ),
    "a proof step dropped": (
        lambda lines: [*lines[:1], lines[1].replace(b'"proof":["', b'"proof":[],"x":["')],
        "line 2: this is not an entry",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_export_fails_at_its_line(ledger: Engine, name: str) -> None:
    change, message = CHANGES[name]
    with pytest.raises(LedgerFault, match=message):
        verify_export(change(lines_of(ledger)), KEY)


def test_a_case_with_an_entry_left_out_fails_at_its_line(ledger: Engine) -> None:
    lines = lines_of(ledger, "c1")
    with pytest.raises(LedgerFault, match="line 3: the entry does not follow"):
        verify_export(lines[:2] + lines[3:], KEY)


def test_an_entry_of_another_case_has_no_place_in_the_export_of_one(ledger: Engine) -> None:
    lines, others = lines_of(ledger, "c1"), lines_of(ledger, "c2")
    with pytest.raises(LedgerFault, match="line 2: an entry of c2"):
        verify_export([lines[0], others[1]], KEY)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_passes(ledger: Engine, data: st.DataObject) -> None:
    lines = lines_of(ledger, "c1")
    number = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[number]) - 2))
    changed = bytearray(lines[number])
    changed[place] ^= data.draw(st.integers(1, 255))
    lines[number] = bytes(changed)
    try:
        report = verify_export(lines, KEY)
    except LedgerFault:
        return
    # Only the copy of the verifier key may differ: with a key given it is not read.
    assert number == 0
    assert (report.entries, report.case) == (3, "c1")


def test_without_names_the_order_is_proved_and_nobody_is_named(engine: Engine) -> None:
    with transaction(engine) as session:
        add_person(session, "mia", name="Mia", roles=["qa"], queues=["*"], by=BY, now=NOW)
        told = {"before": "mia", "team": ["mia", "x"], "of": {"mia": 1}, "note": "mia was here"}
        by = Provenance("os:root", "person", "test")
        append(session, [Draft("c1", Action.GATE_ASSIGNED, told)], by, NOW)
        append(session, [Draft("c1", Action.GATE_CLAIMED)], Provenance("mia", "person"), NOW)
    sealed(engine, drafts(1, 1))
    name = pseudonyms(b"key")
    plain, hidden = lines_of(engine), []
    export(engine, KEY, hidden.append, None, name)
    report = verify_export(hidden, KEY)
    assert (report.pseudonyms, report.entries) == (True, len(plain) - 1)
    assert verify_export(plain, KEY).pseudonyms is False
    [assigned] = [line for line in hidden if b"gate.assigned" in line]
    body = orjson.loads(orjson.loads(assigned)["body"])
    m = name("mia")
    assert body["actor"] == name("os:root")
    assert body["data"] == told | {"before": m, "team": [m, "x"], "of": {m: 1}}
    assert [n for n, line in enumerate(hidden) if b'\\"mia\\"' in line] == []
    again: list[bytes] = []
    export(engine, KEY, again.append, None, name)
    assert again == hidden


@pytest.mark.parametrize("change", ["left out", "digest", "swapped", "plain format"])
def test_an_export_without_names_that_was_changed_does_not_verify(
    ledger: Engine, change: str
) -> None:
    lines: list[bytes] = []
    export(ledger, KEY, lines.append, None, pseudonyms(b"key"))
    if change == "left out":
        del lines[4]
    elif change == "digest":
        digest = orjson.loads(lines[4])["digest"]
        lines[4] = lines[4].replace(digest.encode(), b"0" * 64)
    elif change == "swapped":
        lines[4], lines[5] = lines[5], lines[4]
    else:
        lines[0] = lines[0].replace(b"casework-ledger/1-pseudonyms", b"casework-ledger/1")
    with pytest.raises(LedgerFault):
        verify_export(lines, KEY)
