"""Soft keys, by the published vectors and against OpenSSL."""

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from citybrain.engines.keys import SoftKeys, Suite
from citybrain.kernel.errors import BadInputError

gmssl = pytest.importorskip("gmssl_pyx")
DER_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
"""SubjectPublicKeyInfo of an uncompressed SM2 point (RFC 5480, GM/T 0006 curve 1.2.156.10197.1.301)."""


@pytest.fixture(params=["intl", "sm"])
def suite(request: pytest.FixtureRequest) -> Suite:
    return "intl" if request.param == "intl" else "sm"


def test_a_signature_is_ours_and_no_other(tmp_path: Path, suite: Suite) -> None:
    keys = SoftKeys(tmp_path / "keys", suite)
    signature = keys.sign("通知".encode())
    assert SoftKeys(tmp_path / "keys", suite).verify("通知".encode(), signature)
    assert not keys.verify(b"another", signature)
    assert not keys.verify("通知".encode(), b"")
    assert not keys.verify("通知".encode(), signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not SoftKeys(tmp_path / "others", suite).verify("通知".encode(), signature)


def test_what_is_sealed_opens_with_its_context_alone(tmp_path: Path, suite: Suite) -> None:
    keys = SoftKeys(tmp_path / "keys", suite)
    sealed = keys.seal(b"secret", b"case 7")
    assert SoftKeys(tmp_path / "keys", suite).open(sealed, b"case 7") == b"secret"
    assert b"secret" not in sealed
    assert keys.seal(b"secret", b"case 7") != sealed
    for changed, context in (
        (sealed, b"case 8"),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"case 7"),
        (sealed[:20], b"case 7"),
        (b"", b"case 7"),
        (b"\x09" + sealed[1:], b"case 7"),
    ):
        with pytest.raises(BadInputError):
            keys.open(changed, context)


@given(plain=st.binary(max_size=200), context=st.binary(max_size=20))
def test_sealing_loses_nothing(tmp_path_factory: pytest.TempPathFactory, plain: bytes, context: bytes) -> None:
    keys = SoftKeys(tmp_path_factory.getbasetemp() / "law", "sm")
    assert keys.open(keys.seal(plain, context), context) == plain


def test_key_files_belong_to_their_owner_alone_and_stay(tmp_path: Path, suite: Suite) -> None:
    SoftKeys(tmp_path, suite)
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(files) == {f"{suite}.sealing.key", f"{suite}.signing.key"}
    assert [oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == ["0o600", "0o600"]
    SoftKeys(tmp_path, suite)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_soft_keys_say_that_they_are_not_for_production(tmp_path: Path, suite: Suite) -> None:
    assert "未经认证，不得用于生产" in SoftKeys(tmp_path, suite).label.zh


def test_sm4_is_the_standards_cipher() -> None:
    """GB/T 32907-2016, appendix A.1."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    block = Cipher(algorithms.SM4(key), modes.ECB()).encryptor().update(key)  # noqa: S305 (one block of the standard)
    assert block.hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_gcm_is_that_of_rfc_8998() -> None:
    """RFC 8998, appendix A.1."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    cipher = Cipher(algorithms.SM4(key), modes.GCM(bytes.fromhex("00001234567800000000abcd"))).encryptor()
    cipher.authenticate_additional_data(bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"))
    plain = b"".join(bytes([byte]) * 8 for byte in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    found = cipher.update(plain) + cipher.finalize()
    assert found.hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    )
    assert cipher.tag.hex() == "83de3541e4c2b58177e065a9bf7b62ec"


def test_sm3_is_the_standards_digest() -> None:
    """GB/T 32905-2016, appendix A.1."""
    assert gmssl.sm3_hash(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="OpenSSL is not installed")
def test_openssl_accepts_our_sm2_signature(tmp_path: Path) -> None:
    keys = SoftKeys(tmp_path / "keys", "sm")
    public = (tmp_path / "keys" / "sm.signing.key").read_bytes()[:64]
    (tmp_path / "key.der").write_bytes(DER_HEAD + public)
    (tmp_path / "message").write_bytes(b"message")
    (tmp_path / "signature").write_bytes(keys.sign(b"message"))
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.der", "-keyform", "DER", "-in", "message"]
    check += ["-sigfile", "signature", "-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "message").write_bytes(b"another")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode != 0
