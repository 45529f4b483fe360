"""What else an Observation says (OGC 18-088 clause 8.2.7): an interval as its time, ``resultTime``, ``validTime``, ``resultQuality``, ``parameters``. Pure.

A reading in the store is a stream, a time and a number; what is said here is kept beside it (observe/featured.py). The time of an
interval is its begin: by it observations are ordered, as FROST-Server orders them.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from citybrain.brain.observe import AS_BEFORE
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.kernel.instant import Instant, parse, rfc3339
from citybrain.kernel.text import Json, Text

PHENOMENON: Final = "phenomenonTime"
RESULT: Final = "resultTime"
MEMBERS: Final = (RESULT, "validTime", "resultQuality", "parameters")
"""What may be said of an observation besides its time and its result."""
MOST: Final = 8192
"""Bytes that all of it takes, as JSON."""
CODE: Final = "bad_said"
WHY: Final = Text(
    f"resultTime、validTime 或 parameters 的写法不合标准，或与 resultQuality 合计超过 {MOST} 字节。",
    f"resultTime, validTime or parameters is not written as the standard has it, or with resultQuality they exceed {MOST} bytes.",
)
EMPTY: Final[tuple[Json, ...]] = (None, "", {}, [])
OURS: Final = frozenset({"received", "origin", "demo"})
"""Parameters that answers add; what is sent back of them is not kept."""


def said(fields: Mapping[str, Json]) -> str | None:
    """What an observation says beside its time and its result, as it is kept; None for nothing, AS_BEFORE where it speaks of none of it.

    Raises BadInputError for a time that cannot be read, parameters that are no object, and for more than is kept.
    """
    span = interval(fields.get(PHENOMENON))
    if span is None and not any(name in fields for name in MEMBERS):
        return AS_BEFORE
    at = fields.get(PHENOMENON) or fields.get(RESULT)
    words: dict[str, Json] = {} if span is None else {PHENOMENON: _written(span)}
    result = _instant(fields.get(RESULT))
    if result is not None and (span is not None or rfc3339(result) != _plain(at)):
        words[RESULT] = rfc3339(result)
    if fields.get("validTime") not in EMPTY:
        words["validTime"] = _written(_period(fields.get("validTime")))
    if fields.get("resultQuality") not in EMPTY:
        words["resultQuality"] = fields["resultQuality"]
    parameters = _parameters(fields.get("parameters"))
    if parameters:
        words["parameters"] = parameters
    text = msgspec.json.encode(words).decode()
    if len(text.encode()) > MOST:
        raise wrong(
            f"resultTime、validTime、resultQuality、parameters 合计不得超过 {MOST} 字节。",
            f"resultTime, validTime, resultQuality and parameters take {MOST} bytes at most.",
            "parameters",
        )
    return text if words else None


def begin(time: Json) -> Json:
    """A time as the store has it: the begin of an interval; anything else as it is, for the intake to judge."""
    span = _span(time)
    if span is not None:
        return rfc3339(span[0])
    # RFC 3339 lets T and Z be small letters, which the intake reads, and names of observations do not.
    return time.upper() if isinstance(time, str) else time


def moment(text: str) -> Instant:
    """An instant that can be written in UTC; raises ValueError."""
    found = parse(text.upper())
    try:
        rfc3339(found)
    except OverflowError as error:
        raise ValueError(text) from error
    return found


def interval(time: Json) -> tuple[Instant, Instant] | None:
    """Begin and end of an interval of time; None for an instant, and for what is none."""
    span = _span(time)
    return None if span is None or span[0] == span[1] else span


def shown(body: dict[str, Json], words: Mapping[str, Json]) -> dict[str, Json]:
    """The properties of an Observation with what is said of it; what is ours stays beside."""
    span = interval(words.get(PHENOMENON))
    # No result of an interval is there before its end.
    told: dict[str, Json] = {} if span is None else {RESULT: rfc3339(span[1])}
    told |= words
    if "resultQuality" in body and "resultQuality" in words:
        told["resultQuality"] = [*_listed(body["resultQuality"]), *_listed(words["resultQuality"])]
    ours, theirs = body.get("parameters"), words.get("parameters")
    if isinstance(ours, dict) and isinstance(theirs, dict):
        told["parameters"] = {**theirs, **ours}
    return {**body, **told}


def spans(time: Json) -> bool:
    """Whether a time is written as an interval."""
    return isinstance(time, str) and "/" in time


def _span(time: Json) -> tuple[Instant, Instant] | None:
    if not isinstance(time, str) or not spans(time):
        return None
    try:
        first, last = map(moment, time.split("/"))
    except ValueError:
        return None
    return (first, last) if first <= last else None


def _parameters(value: Json) -> dict[str, Json]:
    if value in EMPTY:
        return {}
    if not isinstance(value, dict):
        raise wrong("parameters 须为对象。", "parameters is an object.", "parameters")
    return {name: one for name, one in value.items() if name not in OURS}


def _instant(value: Json) -> Instant | None:
    if value in EMPTY:
        return None
    try:
        return moment(str(value))
    except ValueError as error:
        raise wrong(
            "resultTime 须为带时区的 RFC 3339 时刻，如 2026-11-22T07:00:00Z。",
            "resultTime is an RFC 3339 instant with an offset, such as 2026-11-22T07:00:00Z.",
            RESULT,
        ) from error


def _period(value: Json) -> tuple[Instant, Instant]:
    span = _span(value)
    if span is None:
        raise wrong(
            "validTime 须为带时区的时间段，如 2026-11-22T07:00:00Z/2026-11-22T08:00:00Z。",
            "validTime is an interval with offsets, such as 2026-11-22T07:00:00Z/2026-11-22T08:00:00Z.",
            "validTime",
        )
    return span


def _plain(time: Json) -> str | None:
    """An instant as it is written here; None for what is none."""
    try:
        return rfc3339(moment(str(time)))
    except ValueError:
        return None


def _written(span: tuple[Instant, Instant]) -> str:
    return f"{rfc3339(span[0])}/{rfc3339(span[1])}"


def _listed(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else [value]
