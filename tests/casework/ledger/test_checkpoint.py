"""Checkpoints are C2SP signed notes."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casework.errors import InputError, LedgerFault
from casework.ledger.checkpoint import Signer, Verifier, parse_head, parse_verifier

ROOT = bytes(range(32))

# The example of the Go implementation that the specification grew from.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SAYING = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
SIGNED = (
    f"{SAYING}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
    "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def signer(seed: int = 1, name: str = "casework.example/ledger") -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def test_a_note_that_another_implementation_signed_opens() -> None:
    verifier = parse_verifier(NEUMANN)
    assert str(verifier) == NEUMANN
    assert verifier.text_of(SIGNED) == SAYING


def test_a_checkpoint_reads_as_the_specification_says() -> None:
    note = signer().sign(42, ROOT)
    text, signature = note.split("\n\n")
    assert text == "casework.example/ledger\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    assert signature.startswith("\u2014 casework.example/ledger ")


def test_what_was_signed_is_read_back() -> None:
    head = signer().verifier.open(signer().sign(42, ROOT))
    assert (head.origin, head.size, head.root) == ("casework.example/ledger", 42, ROOT)


def test_a_verifier_key_survives_being_written_down() -> None:
    assert parse_verifier(f" {signer().verifier}\n") == signer().verifier


def test_a_witness_may_add_its_signature() -> None:
    note = signer().sign(42, ROOT)
    witness = signer(2, "witness.example").sign(42, ROOT).split("\n\n")[1]
    assert signer().verifier.open(note + witness).size == 42


@pytest.mark.parametrize("position", range(0, 70, 3))
def test_a_changed_byte_is_noticed(position: int) -> None:
    note = signer().sign(42, ROOT)
    changed = note[:position] + chr(ord(note[position]) ^ 1) + note[position + 1 :]
    with pytest.raises(LedgerFault):
        signer().verifier.open(changed)


def test_another_key_of_the_same_name_is_refused() -> None:
    with pytest.raises(LedgerFault, match="not signed by"):
        signer(2).verifier.open(signer(1).sign(42, ROOT))


def test_a_forged_signature_under_the_right_key_id_is_refused() -> None:
    right, wrong = signer(1), signer(2)
    forged = Signer(right.name, wrong.key).sign(42, ROOT)
    genuine = right.sign(42, ROOT)
    graft = genuine[: genuine.rindex(" ") + 7] + forged[forged.rindex(" ") + 7 :]
    with pytest.raises(LedgerFault):
        right.verifier.open(graft)


def test_a_checkpoint_of_another_ledger_is_refused() -> None:
    other = signer(name="other.example")
    note = other.sign(42, ROOT)
    key = Verifier("casework.example/ledger", other.verifier.key)
    with pytest.raises(LedgerFault):
        key.open(note)


@pytest.mark.parametrize("note", ["", "a\n\n", "a\n\nb", "a\n\nb\n", "\n\n\u2014 a !!\n"])
def test_what_is_not_a_note_is_refused(note: str) -> None:
    with pytest.raises(LedgerFault, match="not a signed note"):
        signer().verifier.open(note)


@pytest.mark.parametrize(
    "text", ["", "a\n1\nAAAA\n", f"a\n01\n{'A' * 43}=\n", f"a\n-1\n{'A' * 43}=\n", "a\n1\n!\n"]
)
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(LedgerFault, match="not the text of a checkpoint"):
        parse_head(text)


@pytest.mark.parametrize("key", ["", "a+b", NEUMANN[:-4], NEUMANN.replace("+AR", "+AQ")])
def test_what_is_not_a_verifier_key_is_refused(key: str) -> None:
    with pytest.raises(InputError):
        parse_verifier(key)


def test_a_verifier_key_copied_wrongly_is_refused() -> None:
    with pytest.raises(InputError, match="copied wrongly"):
        parse_verifier(NEUMANN.replace("Neumann", "Newman"))
