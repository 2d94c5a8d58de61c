"""Signed heads of the tree: C2SP tlog-checkpoint in a C2SP signed note, with Ed25519.

A checkpoint's text is the ledger's origin, the tree's size and the root in base64, a line each. A
signed note is that text, an empty line, and a line for each signature: an em dash, the signer's
name, and base64 over a four-byte key id and the signature.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from casework.errors import InputError, LedgerFault

#: Signature type of the C2SP signed-note specification: Ed25519.
_ED25519: Final = b"\x01"
_DASH: Final = "\u2014 "


@dataclass(frozen=True, slots=True)
class Head:
    """A head of the tree: how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The checkpoint's text, which is what is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and the name it signs under."""

    name: str
    key: bytes  # the 32 bytes of an Ed25519 public key

    @property
    def key_id(self) -> bytes:
        """Four bytes that name the key in a signature line."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:4]

    def __str__(self) -> str:
        """The verifier key as C2SP writes it: name, key id, key."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.key).decode()}"

    def open(self, note: str) -> Head:
        """Check a note's signature and read the checkpoint in it.

        Raises:
            LedgerFault: this key did not sign it, or it is not a checkpoint of this ledger.
        """
        head = parse_head(self.text_of(note))
        if head.origin != self.name:
            raise LedgerFault(f"the checkpoint is of {head.origin}, not of {self.name}")
        return head

    def text_of(self, note: str) -> str:
        """Check a note's signature and return the text that was signed.

        Raises:
            LedgerFault: it is not a signed note, or this key did not sign it.
        """
        text, signature = _signature_of(note, self)
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text.encode())
        except InvalidSignature as error:
            raise LedgerFault("the checkpoint's signature is not valid") from error
        return text


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and the name it signs under, which is the ledger's origin."""

    name: str
    key: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        """The public side."""
        return Verifier(self.name, self.key.public_key().public_bytes_raw())

    def sign(self, size: int, root: bytes) -> str:
        """Write the signed note of a head of the tree."""
        text = Head(self.name, size, root).text()
        signature = b64encode(self.verifier.key_id + self.key.sign(text.encode())).decode()
        return f"{text}\n{_DASH}{self.name} {signature}\n"


def parse_verifier(text: str) -> Verifier:
    """Read a verifier key, ``name+keyid+key``.

    Raises:
        InputError: it is not one, or its key id is not that of its key.
    """
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    key = _decoded(encoded)
    if not name or key is None or key[:1] != _ED25519 or len(key) != 33:
        raise InputError("this is not a verifier key", hint="it reads name+keyid+key")
    verifier = Verifier(name, key[1:])
    if verifier.key_id.hex() != key_id.lower():
        raise InputError("the verifier key's id is not that of its key: it was copied wrongly")
    return verifier


def parse_head(text: str) -> Head:
    """Read a checkpoint's text; further lines are extensions, which are allowed and ignored.

    Raises:
        LedgerFault: it is not a checkpoint.
    """
    lines = text.split("\n")
    root = _decoded(lines[2]) if len(lines) > 3 else None
    if root is None or len(root) != 32 or not lines[0] or not _is_number(lines[1]):
        raise LedgerFault("this is not the text of a checkpoint")
    return Head(lines[0], int(lines[1]), root)


def _signature_of(note: str, verifier: Verifier) -> tuple[str, bytes]:
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise LedgerFault("this is not a signed note")
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        signature = _decoded(encoded)
        if not line.startswith(_DASH) or signature is None:
            raise LedgerFault("this is not a signed note")
        if name == verifier.name and signature[:4] == verifier.key_id:
            return text + "\n", signature[4:]
    raise LedgerFault(f"the checkpoint is not signed by {verifier.name} with the key given")


def _decoded(encoded: str) -> bytes | None:
    try:
        return b64decode(encoded, validate=True)
    except (Base64Error, ValueError):
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and (text == "0" or text[0] != "0")
