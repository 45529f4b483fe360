"""Soft keys, international (Ed25519, AES-256-GCM) or 国密 (SM2 with SM3, SM4-GCM): not certified, not for production."""

import importlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Literal, Protocol, TypeAlias

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes

from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.text import Text

Suite: TypeAlias = Literal["intl", "sm"]
_LABEL = Text("软件密钥，未经认证，不得用于生产", "Soft keys: not certified, not for production")
_NONCE, _TAG = 12, 16
_MARKS: dict[Suite, bytes] = {"intl": b"\x01", "sm": b"\x02"}
_SIGNER = b"1234567812345678"
"""The default identity of an SM2 signer (GM/T 0009-2012, 10)."""


class _Signer(Protocol):
    def sign(self, message: bytes) -> bytes: ...

    def verify(self, message: bytes, signature: bytes) -> bool: ...


class SoftKeys:
    """The Keys port with keys in files of a folder (0600), made where they are missing."""

    def __init__(self, folder: Path, suite: Suite = "intl") -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._mark = _MARKS[suite]
        self._algorithm: Callable[[bytes], CipherAlgorithm] = algorithms.AES if suite == "intl" else algorithms.SM4
        size = 32 if suite == "intl" else 16
        self._sealing = _kept(folder / f"{suite}.sealing.key", lambda: secrets.token_bytes(size))
        self._signer: _Signer = _Ed25519(folder) if suite == "intl" else _Sm2(folder)

    @property
    def label(self) -> Text:
        """What a person must be told about these keys (未经认证，不得用于生产)."""
        return _LABEL

    def sign(self, message: bytes) -> bytes:
        """A signature: Ed25519 (64 bytes, RFC 8032), or SM2 over SM3 in DER (GB/T 32918.2)."""
        return self._signer.sign(message)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature is ours; false for bytes that are none."""
        return self._signer.verify(message, signature)

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt with authentication (GCM), bound to a context: suite, nonce (12), ciphertext, tag (16)."""
        nonce = secrets.token_bytes(_NONCE)
        cipher = Cipher(self._algorithm(self._sealing), modes.GCM(nonce)).encryptor()
        cipher.authenticate_additional_data(self._mark + context)
        return self._mark + nonce + cipher.update(plain) + cipher.finalize() + cipher.tag

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt; raises BadInputError when the bytes or the context were changed."""
        head = 1 + _NONCE
        if len(sealed) < head + _TAG or sealed[:1] != self._mark:
            raise _changed()
        cipher = Cipher(self._algorithm(self._sealing), modes.GCM(sealed[1:head], sealed[-_TAG:])).decryptor()
        cipher.authenticate_additional_data(self._mark + context)
        plain = cipher.update(sealed[head:-_TAG])
        try:
            return plain + cipher.finalize()
        except InvalidTag:
            raise _changed() from None


class _Ed25519:
    def __init__(self, folder: Path) -> None:
        seed = _kept(folder / "intl.signing.key", lambda: Ed25519PrivateKey.generate().private_bytes_raw())
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def verify(self, message: bytes, signature: bytes) -> bool:
        try:
            self._key.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True


class _Sm2:
    def __init__(self, folder: Path) -> None:
        self._gmssl = _gmssl()
        stored = _kept(folder / "sm.signing.key", lambda: b"".join(self._gmssl.sm2_key_generate()))
        self._public, self._private = stored[:64], stored[64:]

    def sign(self, message: bytes) -> bytes:
        return bytes(self._gmssl.sm2_sign(self._private, self._public, message, signer_id=_SIGNER))

    def verify(self, message: bytes, signature: bytes) -> bool:
        try:
            return bool(self._gmssl.sm2_verify(self._public, message, signature, signer_id=_SIGNER))
        except self._gmssl.GmsslInnerError:
            return False


def _gmssl() -> ModuleType:
    """The SM2 library, which has wheels for x86-64 alone; raises UnsupportedError where it is missing."""
    try:
        return importlib.import_module("gmssl_pyx")
    except ImportError:
        what = Text(
            "本机没有国密 SM2 组件（gmssl_pyx）。请安装后重试，或改用 intl 套件。",
            "SM2 (gmssl_pyx) is not installed here. Install it, or use the intl suite.",
        )
        raise UnsupportedError(what) from None


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """The bytes of a key file; a new one is 0600 from its first byte, synced, and never replaces another."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        fresh = make()
        temporary = path.with_suffix(f".{secrets.token_hex(4)}.part")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return path.read_bytes()
        finally:
            temporary.unlink()
        return fresh


def _changed() -> BadInputError:
    return BadInputError(Text("密文或其上下文已被改动。", "The sealed bytes or their context were changed."))
