"""A key that signs callbacks."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """A new key."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


def key_file(path: Path, key: rsa.RSAPrivateKey) -> Path:
    """A key as OpenSSL writes it."""
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path
