"""What a predicate says of streams and of time, and the marks of pages of observations. Pure, but for counting."""

from collections.abc import Mapping, Sequence
from typing import Final

from citybrain.doors.sensorthings.refusals import wrong
from citybrain.kernel.instant import DAY, Instant, parse, rfc3339
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.ports import Series
from citybrain.kernel.predicate import EVERYTHING, And, Compare, Predicate, fields
from citybrain.kernel.text import Json
from citybrain.kernel.things import Stream

MOST: Final = 200
"""Streams that are asked of the store at once."""
_LONGEST: Final = 500
_BEGIN: Final = Instant(0)
_END: Final = Instant(2**62)


def parts(where: Predicate) -> tuple[Predicate, ...]:
    """The conditions that all hold."""
    return tuple(part for inner in where.parts for part in parts(inner)) if isinstance(where, And) else (where,)


def named(where: Predicate, field: str) -> tuple[str, ...] | None:
    """The texts that a field must be one of; None where nothing is said of it."""
    found = [
        {str(one) for one in part.value} if isinstance(part.value, tuple) else {str(part.value)}
        for part in parts(where)
        if isinstance(part, Compare) and part.field == field and part.op in ("eq", "in")
    ]
    return tuple(sorted(set.intersection(*found))) if found else None


def without(where: Predicate, names: set[str]) -> Predicate:
    """The conditions that speak of other fields than these."""
    kept = tuple(part for part in parts(where) if not fields(part) & names)
    return And(kept) if kept else EVERYTHING


def count(series: Series, numbers: Sequence[int], where: Predicate) -> int | None:
    """How many observations of streams lie in the span of a predicate; None where it says more than streams and a span."""
    span = _span(where)
    if span is None:
        return None
    return int(series.scan(SeriesQuery(tuple(numbers), *span, DAY))["count"].to_numpy().sum())


def between(where: Predicate) -> tuple[Instant, Instant]:
    """The span that the bounds of time of a predicate leave, whatever else it says."""
    bounds = tuple(part for part in parts(where) if isinstance(part, Compare) and part.field == "time" and part.op in _EDGES)
    return _span(And(bounds)) or (_BEGIN, _END)


def _span(where: Predicate) -> tuple[Instant, Instant] | None:
    since, until = int(_BEGIN), int(_END)
    for part in parts(where):
        # The streams are known by now; what is asked of one and not of another is more than a span.
        if part == EVERYTHING or (isinstance(part, Compare) and part.field in ("stream", "entity")):
            continue
        if not isinstance(part, Compare) or part.field != "time" or not isinstance(part.value, str) or part.op not in _EDGES:
            return None
        at = parse(part.value)
        low, high = _EDGES[part.op]
        since = since if low is None else max(since, at + low)
        until = until if high is None else min(until, at + high)
    return Instant(since), Instant(until)


_EDGES: Final[Mapping[str, tuple[int | None, int | None]]] = {
    "eq": (0, 1),
    "ge": (0, None),
    "gt": (1, None),
    "lt": (None, 0),
    "le": (None, 1),
}
"""Comparison → what it adds to the instant for the first µs inside, and for the first past it."""


def row(stream: Stream, latest: Mapping[str, Json]) -> dict[str, Json]:
    """The row of a stream's newest observation, from the row of the stream."""
    return {
        "id": f"{stream.no}.{parse(str(latest['time']))}",
        "stream": stream.id,
        "time": latest["time"],
        "value": latest["value"],
        "word": latest.get("word"),
        "received": latest["received"],
        "door": latest["door"],
        "origin": stream.origin,
    }


def place(key: str) -> tuple[int, Instant] | None:
    """Stream number and time of an observation's id; None for what is no such id."""
    number, dot, time = key.partition(".")
    sound = dot and number.isascii() and number.isdigit() and time.isascii() and time.isdigit()
    return (int(number), Instant(int(time))) if sound and len(number) < 10 and len(time) < 18 else None


def written(time: Instant) -> str:
    """An instant as predicates hold it."""
    return rfc3339(time)


def marked(group: int, inner: str | None) -> str:
    """The mark of a page: which group of streams, and the store's own cursor in it."""
    return f"{group}.{inner or ''}"


def mark(cursor: str | None) -> tuple[int, str | None]:
    """The group and the inner cursor of a mark; raises BadInputError."""
    if cursor is None:
        return 0, None
    group, dot, inner = cursor.partition(".")
    if not dot or not group.isascii() or not group.isdigit() or len(cursor) > _LONGEST or len(group) > 6:
        raise wrong("$skiptoken 无法识别，请从第一页开始。", "$skiptoken cannot be read. Start from the first page.", "$skiptoken")
    return int(group), inner or None
