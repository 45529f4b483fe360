"""Corrections of readings: looked at before they are made, made over what was seen, listed with what was measured, taken back."""

import re
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from anyio import to_thread
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from citybrain.brain.observe import UNMEASURED, Change, Correction, Kept, Preview, Restated, set_result, setting, spelt, strike
from citybrain.doors.api import asking
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.observe import readable
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.plain import mapping
from citybrain.doors.api.versions import Tag
from citybrain.kernel.access import Ask
from citybrain.kernel.errors import BadInputError, NeedsVersionError, NotFoundError
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Stream

_TAG: Final = re.compile(r'(?:W/)?"([0-9a-f]{16})"')
_SHOWN: Final = 1000
"""Readings of a correction that are listed."""
Words = Annotated[str, msgspec.Meta(max_length=2000)]


class Correcting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either ``at`` and ``value``, or ``since``, ``until`` and ``factor`` or ``offset`` (new = factor × old + offset); and why.

    With ``strike`` instead of values the reading, or those of the span, are struck out.
    Values are in the stream's unit. ``why`` may be left out of a preview. Of a stream whose results are no numbers ``word`` says the
    result instead of ``value``.
    """

    at: str | None = None
    value: float | None = None
    word: object = None
    since: str | None = None
    until: str | None = None
    factor: float = 1.0
    offset: float = 0.0
    strike: bool = False
    why: Words = ""


class Ending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a correction is taken back."""

    why: Words


class Sheet(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was corrected in a stream, newest first, in its unit; ``words`` as ``observe.spelt`` has them."""

    stream: str
    unit: str
    items: tuple[Correction, ...]
    words: Mapping[str, Json] = {}
    restated: tuple[Restated, ...] = ()
    """What people said anew of single observations beside their readings: times, validity, quality, parameters, features."""


class Readings(msgspec.Struct, frozen=True, omit_defaults=True):
    """A correction, and of its readings the first thousand: what was measured, what stood, what was set.

    ``words`` says, for a stream whose results are no numbers, what each of these numbers stands for.
    """

    stream: str
    unit: str
    correction: Correction
    readings: tuple[Kept, ...]
    words: Mapping[str, Json] = {}


@get("/streams/{name:str}/corrections", opt=asks("observation.read"), sync_to_thread=True)
def corrections(request: Call, parts: Parts, name: FromPath[str]) -> Response[dict[str, object]]:
    """What people corrected in the readings of a stream: who, why, how many, and whether it was taken back; and what they said anew of it."""
    stream = readable(request, parts, name)
    listed = parts.corrections.of(stream)
    words = spelt(parts.registry.worded, stream, [one.change.offset for one in listed if one.change.sets])
    return Response({**mapping(Sheet(stream.id, stream.unit, listed, words, parts.corrections.restated(stream)))})


@get("/streams/{name:str}/corrections/{no:str}", opt=asks("observation.read"), sync_to_thread=True)
def correction(request: Call, parts: Parts, name: FromPath[str], no: FromPath[str]) -> Response[dict[str, object]]:
    """One correction with its readings: what was measured, and by which door it had come when."""
    stream = readable(request, parts, name)
    found = _found(parts, stream, no)
    kept = parts.corrections.kept(found.no, _SHOWN)
    words = spelt(parts.registry.worded, stream, [value for one in kept for value in (one.measured, one.before, one.after)])
    return Response({**mapping(Readings(stream.id, stream.unit, found, kept, words))})


@post("/streams/{name:str}/corrections", opt=asks("observation.correct", "preview"))
async def correct(
    request: Call,
    parts: Parts,
    name: FromPath[str],
    data: JSONBody[Correcting],
    *,
    preview: FromQuery[bool] = False,
    version: Tag = None,
) -> Response[dict[str, object]]:
    """Correct readings over what was seen: ``preview=true`` shows what would become of them, its ETag is what If-Match then names."""
    stream = await to_thread.run_sync(readable, request, parts, name)
    if preview:
        await to_thread.run_sync(_allowed, request, parts, stream)
        change = _change(stream, data)
        shown = await to_thread.run_sync(parts.corrections.preview, stream, change)
        words = await to_thread.run_sync(spelt, parts.registry.worded, stream, _said(shown), shown.change)
        told: dict[str, object] = {**mapping(shown), **({"words": words} if words else {})}
        return Response(told, headers={"ETag": f'"{shown.seen}"'}, status_code=200)
    change = _change(stream, data)
    seen = _seen(version)
    facts: dict[str, Json] = {"change": msgspec.to_builtins(change), "seen": seen, "why": data.why}
    await to_thread.run_sync(_require, request, parts, stream, facts)
    done = await parts.corrections.correct(stream, change, seen, request.user.account, data.why)
    return Response({**mapping(done)})


@post("/streams/{name:str}/corrections/{no:str}/end", opt=asks("observation.correct"))
async def end_correction(
    request: Call, parts: Parts, name: FromPath[str], no: FromPath[str], data: JSONBody[Ending]
) -> Response[dict[str, object]]:
    """Take a correction back: what had stood before stands again, where nothing newer has come."""
    stream = await to_thread.run_sync(readable, request, parts, name)
    facts: dict[str, Json] = {"end": no, "why": data.why}
    await to_thread.run_sync(_require, request, parts, stream, facts)
    found = await to_thread.run_sync(_found, parts, stream, no)
    return Response({**mapping(await parts.corrections.end(stream, found.no, request.user.account, data.why))})


def _found(parts: ApiParts, stream: Stream, no: str) -> Correction:
    """A correction of a stream by its number; raises NotFoundError."""
    for one in parts.corrections.of(stream):
        if str(one.no) == no:
            return one
    raise NotFoundError(Text("没有这一更正。", "There is no such correction."), id=no)


def _said(shown: Preview) -> list[float]:
    return [value for one in (shown.first, shown.last) for value in (one.before, one.after)]


def _change(stream: Stream, data: Correcting) -> Change:
    """Raises BadInputError with the field for a body that is neither of the two, or both, and for a word that is none of the stream."""
    worded = data.word is not None
    one_reading = data.at is not None, data.value is not None or worded
    span = data.since is not None, data.until is not None
    if worded and (data.value is not None or stream.sort not in UNMEASURED):
        what = Text(
            "word 只用于结果不是数值的监测项，且不与 value 同用。",
            "word is for streams whose results are no numbers, and instead of value.",
        )
        raise BadInputError(what, field="word")
    if data.strike and one_reading == (True, False) and not any(span):
        return strike(asking.instant(str(data.at), "at"))
    if all(one_reading) and not any(span) and not data.strike:
        at = asking.instant(str(data.at), "at")
        return set_result(stream, at, msgspec.to_builtins(data.word)) if worded else setting(at, float(data.value or 0.0))
    if all(span) and not any(one_reading):
        since, until = asking.instant(str(data.since), "since"), asking.instant(str(data.until), "until")
        return Change(since, until, data.factor, data.offset, data.strike)
    what = Text(
        "请给出 at 和 value（一个读数），或 since、until 和 factor、offset（一段时间）；作废时以 strike 代替数值。",
        "Give at and value (one reading), or since, until and factor or offset (a span); to strike out, strike instead of values.",
    )
    raise BadInputError(what, field="at")


def _seen(tag: str | None) -> str:
    """What If-Match names; raises NeedsVersionError without one. What is no tag of ours fits nothing."""
    if tag is None:
        what = Text(
            "请先预览（preview=true），再以 If-Match 说明所见（预览的 ETag）。",
            "Look at the preview first (preview=true), then name what you saw with If-Match (its ETag).",
        )
        raise NeedsVersionError(what)
    read = _TAG.fullmatch(tag.strip())
    return "" if read is None else read[1]


def _allowed(request: Call, parts: ApiParts, stream: Stream) -> None:
    """Raise ForbiddenError where the caller may not correct; looking at a preview leaves no row in the trail."""
    if not parts.policy.decide(_ask(request, parts, stream, {})).allowed:
        _require(request, parts, stream, {})


def _require(request: Call, parts: ApiParts, stream: Stream, facts: dict[str, Json]) -> None:
    parts.guard.require(_ask(request, parts, stream, facts))


def _ask(request: Call, parts: ApiParts, stream: Stream, facts: dict[str, Json]) -> Ask:
    access = parts.registry.kind(stream.kind).access
    return Ask(request.user, "observation.correct", f"stream:{stream.id}", purpose(request), {"access": access, **facts})


HANDLERS = (corrections, correction, correct, end_correction)
