"""Bodies: read within the limit, JSON in UTF-8 and nothing else, never a 500 for what a sender wrote."""

from typing import Final

import msgspec
from litestar import Request
from litestar.datastructures.state import State
from litestar.exceptions import HTTPException

from citybrain.kernel.access import Caller
from citybrain.kernel.errors import UnreadableError
from citybrain.kernel.text import Json, Text

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
_UTF8: Final = frozenset({"utf-8", "utf8", ""})


class JsonRequest(Request[Caller, str | None, State]):
    """A request whose JSON is refused with a reason when it is broken, not UTF-8, nested too deeply, or holds NUL."""

    async def json(self) -> Json:
        """The body as plain values; raises UnreadableError, or 415 for another type of content."""
        json_only(self)
        return decoded(await self.body())


def json_only(request: Request[Caller, str | None, State], *more: str) -> None:
    """Raise 415 unless the content is JSON in UTF-8 (or one of the other types named), not compressed."""
    kind, options = request.content_type
    charset = options.get("charset", "").strip('"').lower()
    packed = request.headers.get("content-encoding", "identity").lower()
    if kind not in (JSON, *more) or charset not in _UTF8 or packed != "identity":
        taken = {"Accept": ", ".join((JSON, *(each for each in more if each != JSON))), "Accept-Encoding": "identity"}
        raise HTTPException(status_code=415, headers=taken)


def decoded(body: bytes) -> Json:
    """JSON bytes as plain values; raises UnreadableError."""
    try:
        value: Json = msgspec.json.decode(body or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        what = Text(
            f"内容不是 UTF-8 编码的 JSON：{error}。请检查引号、逗号和编码（不接受 GBK）。",
            f"The body is not JSON in UTF-8: {error}. Check quotes, commas and the encoding (GBK is not taken).",
        )
        raise UnreadableError(what) from error
    if b"\\u0000" in body:
        no_nul(value)
    return value


def no_nul(value: Json) -> None:
    """Raise UnreadableError for NUL in any text: no store takes it (PostgreSQL)."""
    if _nul(value):
        raise UnreadableError(Text("文本中含有 NUL 字符，请去掉。", "A text holds a NUL character. Leave it out."))


def _nul(value: Json) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, list):
        return any(_nul(part) for part in value)
    return isinstance(value, dict) and any("\x00" in key or _nul(part) for key, part in value.items())
