"""Results of streams as people type them: a number, true or false, a text, or any JSON; and the field that takes one."""

import msgspec

from citybrain.brain.observe import written
from citybrain.doors.pages import charts, typed
from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Stream
from citybrain.web.stream_views import CorrectionField

_FIELD = "value"
_TRUTHS = {"true": True, "false": False}
_KNOWN = 20
"""Different results that are offered, the newest first."""
_OF_JSON = Text("应为（JSON，文字加引号）", 'Should be (JSON, a text in "quotes")')


def field(parts: PageParts, caller: Caller, stream: Stream, plain: CorrectionField) -> CorrectionField:
    """The field for one result of a stream, made of that for a number. Blocks."""
    match stream.sort:
        case "truth":
            return msgspec.structs.replace(plain, options=tuple((said, written(truth)) for said, truth in _TRUTHS.items()))
        case "category":
            return msgspec.structs.replace(plain, takes="text", known=_known(parts, caller, stream))
        case "any":
            return msgspec.structs.replace(plain, takes="json", title=_OF_JSON)
    return plain


def typed_as(stream: Stream, said: str) -> Json:
    """The result that was typed. Raises BadInputError with the field."""
    if stream.sort == "number":
        return typed.number(said, _FIELD)
    if not said.strip():
        raise BadInputError(Text("请填写应有的结果。", "Say what the result should be."), field=_FIELD)
    return _result(stream, said.strip())


def _result(stream: Stream, said: str) -> Json:
    match stream.sort:
        case "truth" if said in _TRUTHS:
            return _TRUTHS[said]
        case "any":
            return _json(said)
        case "count":
            return typed.number(said, _FIELD)
    return said


def _json(said: str) -> Json:
    try:
        found: Json = msgspec.json.decode(said)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        what = Text(
            '这不是 JSON：文字须加英文引号，例如 "雨"；数、true、false 和 {…} 照写。',
            'This is no JSON: a text stands in quotes, such as "rain"; numbers, true, false and {…} as they are.',
        )
        raise BadInputError(what, field=_FIELD) from None
    return found


def _known(parts: PageParts, caller: Caller, stream: Stream) -> tuple[str, ...]:
    """The different results of two days, the newest first."""
    seen, _ = charts.recent(parts, caller, stream, parts.clock.city())
    values = list(dict.fromkeys(value for _, value in reversed(seen)))[:_KNOWN]
    return tuple(word for word in parts.registry.worded.results([(stream, value) for value in values]) if isinstance(word, str))
