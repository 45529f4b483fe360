"""The version that whoever changes something has seen: If-Match in, ETag out (RFC 9110)."""

import re
from typing import Annotated, Final, TypeAlias

from litestar.params import HeaderParameter

from citybrain.kernel.errors import NeedsVersionError, StaleError
from citybrain.kernel.text import Text

_TAG: Final = re.compile(r'(?:W/)?"(\d{1,9})"')
_IT: Final = Text("当前内容", "It")
Tag: TypeAlias = Annotated[str | None, HeaderParameter(name="If-Match")]


def seen(tag: str | None, version: int, what: Text = _IT) -> int:
    """The version that If-Match names; raises NeedsVersionError without one, StaleError for what is none, saying ``what`` it is of."""
    if tag is None:
        told = Text(
            f'请以 If-Match 说明您看到的版本，例如 If-Match: "{version}"（见 ETag）。',
            f'Say which version you saw with If-Match, such as If-Match: "{version}" (see ETag).',
        )
        raise NeedsVersionError(told, version=version)
    read = _TAG.fullmatch(tag.strip())
    if read is None:
        told = Text(
            f"{what.zh}现为第 {version} 版，与 If-Match 不符。请刷新后再试。",
            f"{what.en} is at version {version}, not at what If-Match names. Reload and try again.",
        )
        raise StaleError(told, version=version)
    return int(read[1])


def tagged(version: int) -> dict[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}
