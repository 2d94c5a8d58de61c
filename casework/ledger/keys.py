"""The key that signs checkpoints: made once, kept in a file that its owner alone can read."""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casework.errors import ConfigurationError
from casework.ledger.checkpoint import Signer, Verifier


def load_signer(path: Path, origin: str) -> Signer:
    """Load the key of a file, PEM PKCS 8; make it where there is none.

    Of two processes that make it at once, one does, and both use its key.

    Raises:
        ConfigurationError: the file cannot be read or written, or holds another kind of key.
    """
    try:
        if not path.exists():
            _make(path)
        return Signer(origin, _read(path))
    except OSError as error:
        raise ConfigurationError(
            f"the signing key {path} cannot be used: {error.strerror}",
            hint="set CASEWORK_SIGNING_KEY_FILE to a file that this user can read",
        ) from error


def load_verifier(path: Path, origin: str) -> Verifier:
    """Load the public side of the key of a file; never make one.

    Raises:
        ConfigurationError: there is no such file, or it holds another kind of key.
    """
    if not path.exists():
        raise ConfigurationError(
            f"there is no signing key at {path}", hint="give the verifier key: --key name+id+key"
        )
    return load_signer(path, origin).verifier


def _read(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{path} is not an unencrypted PEM private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} does not hold an Ed25519 key")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link, unlike a rename, does not replace the key that another process just made: where
        # there is one it is the key, and ours is dropped.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
