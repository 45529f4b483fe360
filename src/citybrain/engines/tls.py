"""Encrypted links between processes: what this one shows, and whose word it takes for the others. Read once, at the start."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Papers:
    """Certificates in PEM: of who signs for the others, and this process's own with its key, both empty where it needs none.

    With ``mutual`` whoever calls must show a certificate too. ``context`` is the same for Python's own TLS, as the caller's side.
    """

    ca: str
    certificate: str
    key: str = field(repr=False)
    mutual: bool
    context: ssl.SSLContext


def read_papers(ca: str, certificate: str, key: str, *, mutual: bool = False) -> Papers:
    """Papers from files; raises BadInputError naming the setting whose file cannot be read, is no PEM, or does not fit its fellow."""
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise _unfit("links_ca", ca, error) from error
    if not certificate:
        return Papers(_text(ca), "", "", mutual, context)
    try:
        # Without an answer of ours OpenSSL would ask for the password of a locked key at the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except OSError as error:
        raise _unfit("links_cert, links_key", f"{certificate}, {key}", error) from error
    return Papers(_text(ca), _text(certificate), _text(key), mutual, context)


def _text(file: str) -> str:
    """PEM is ASCII; what somebody wrote between its blocks need not be."""
    return Path(file).read_text(encoding="utf-8", errors="replace")


def _unfit(setting: str, file: str, error: OSError) -> BadInputError:
    why = error.strerror or str(error)
    what = Text(
        f"设置 {setting} 的文件 {file} 不可用：{why}。须是 PEM 格式、未加口令，且证书与密钥成对。",
        f"The file of {setting}, {file}, cannot be used: {why}. It takes PEM without a password, and a certificate with its own key.",
    )
    return BadInputError(what, setting=setting)
