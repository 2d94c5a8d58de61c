"""The signing key is made once and kept to its owner."""

import multiprocessing
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from casework.errors import ConfigurationError
from casework.ledger.keys import load_signer

ORIGIN = "casework.example/ledger"


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ledger.pem"
    first, second = load_signer(path, ORIGIN), load_signer(path, ORIGIN)
    assert first.verifier == second.verifier
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_only_its_owner_can_read_a_key(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ledger.pem"
    load_signer(path, ORIGIN)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["ledger.pem"]


def _verifier(path: Path) -> str:
    return str(load_signer(path, ORIGIN).verifier)


def test_processes_that_make_it_at_once_end_with_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_verifier, [tmp_path / "ledger.pem"] * 8))) == 1


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.pem"
    path.write_text("hello")
    with pytest.raises(ConfigurationError, match="not an unencrypted PEM private key"):
        load_signer(path, ORIGIN)


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.pem"
    path.write_bytes(
        generate_private_key(SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(ConfigurationError, match="Ed25519"):
        load_signer(path, ORIGIN)


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        load_signer(tmp_path / "file" / "ledger.pem", ORIGIN)
