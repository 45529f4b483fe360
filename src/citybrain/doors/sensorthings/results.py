"""Results of Observations by their type (OGC 18-088 table 12): what a Datastream says of them, what is sent, and what is asked of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from citybrain.brain.observe import UNMEASURED, Registry, UnfitError, fitted
from citybrain.doors.sensorthings import push
from citybrain.doors.sensorthings.nodes import Value
from citybrain.doors.sensorthings.push import Column, Pushed
from citybrain.kernel.predicate import EVERYTHING, NOTHING, And, Compare, Not, Op, Or, Predicate, both
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Sort, Stream

_OM: Final = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_"
MEASUREMENT: Final = f"{_OM}Measurement"
COMPLEX: Final = f"{_OM}ComplexObservation"
SORTS: Final[Mapping[str, Sort]] = {
    MEASUREMENT: "number",
    f"{_OM}CountObservation": "count",
    f"{_OM}TruthObservation": "truth",
    f"{_OM}CategoryObservation": "category",
    f"{_OM}Observation": "any",
}
"""The sort of results by the type that a Datastream says."""
_TYPES: Final = {sort: name for name, sort in SORTS.items()}
_MOST: Final = 100
"""Streams whose codes of one word a question names."""


def type_of(stream: Stream) -> str:
    """The type that a Datastream says of its results."""
    return _TYPES[stream.sort]


def result(row: Mapping[str, Json], sort: str) -> Json:
    """The result of a reading, in its own type of JSON; of one that is no number the row holds it as ``word``."""
    value = row.get("value")
    if sort in UNMEASURED:
        return row.get("word")
    return int(value) if sort == "count" and isinstance(value, float) else value


def unfit(stream: Stream, value: Json) -> Text | None:
    """Why a value is no result of a stream; None where it is one."""
    try:
        fitted(stream.sort, value)
    except UnfitError as error:
        return error.why
    return None


def unlike(result: Json, streams: Sequence[Stream]) -> Text | None:
    """Which value of a result (n,) is none of its stream, and why; None where all are, or it is no array of their number."""
    if not isinstance(result, list) or len(result) != len(streams):
        return None
    found = ((stream.field, unfit(stream, value)) for stream, value in zip(streams, result, strict=True) if value is not None)
    return next((Text(f"{field}: {why.zh}", f"{field}: {why.en}") for field, why in found if why), None)


def coded(registry: Registry, streams: Iterable[str]) -> tuple[str, ...]:
    """Those of some streams whose results are no quantities, so that the store does not know their order."""
    known = registry.streams()
    able = {known[no - 1].id for no in registry.unlike if known[no - 1].sort in UNMEASURED}
    return tuple(name for name in streams if name in able) if able else ()


def column(registry: Registry, streams: Callable[[], Sequence[str]]) -> Column:
    """What is asked of the result of Observations of some streams; codes are never compared with numbers."""

    def asked(op: Op, value: Value) -> Predicate | Pushed | None:
        among = streams()
        unlike = coded(registry, among)
        return _asked(registry, among, unlike, op, value) if unlike else push.number("value")(op, value)

    return asked


def latest(registry: Registry) -> Column:
    """The same of the latest results of all streams; of those that say words nothing but whether they may be numbers."""
    loose = any(registry.streams()[no - 1].sort == "any" for no in registry.unlike)

    def asked(op: Op, value: Value) -> Pushed | None:
        found = push.number("value")(op, value)
        if not isinstance(found, Compare):
            return None
        numbers = both(found, Compare("result_type", "in", ("number", "count")))
        return Pushed(Or((numbers, Compare("result_type", "eq", "any"))) if loose else numbers, exact=not loose)

    return asked


def _asked(registry: Registry, streams: Sequence[str], unlike: tuple[str, ...], op: Op, value: Value) -> Predicate | Pushed | None:
    of = {sort: tuple(name for name in unlike if registry.stream(name).sort == sort) for sort in UNMEASURED}
    match value:
        case bool() if op == "eq":
            found = _said(registry, of["any"], value)
            return None if found is None else some([(of["truth"], Compare("value", "eq", float(value))), *found])
        case int() | float() if not isinstance(value, bool):
            found = _said(registry, of["any"], value) if op == "eq" else [(of["any"], EVERYTHING)]
            numbers = _measured(streams, unlike, Compare("value", op, value))
            return None if found is None else Pushed(some(found, numbers), exact=op == "eq" or not of["any"])
        case str() if op == "eq":
            found = _said(registry, (*of["category"], *of["any"]), value)
            return None if found is None else some(found)
    return None


def _measured(streams: Sequence[str], unlike: tuple[str, ...], asked: Predicate) -> Predicate:
    """What is asked of those streams that measure: they are named where they are few, else those that do not."""
    if len(streams) > _MOST:
        return And((Not(Compare("stream", "in", unlike)), asked))
    apart = frozenset(unlike)
    named = tuple(name for name in streams if name not in apart)
    return both(Compare("stream", "in", named), asked) if named else NOTHING


Part: TypeAlias = tuple[tuple[str, ...], Predicate]
"""Streams, and what of their readings is asked for."""


def _said(registry: Registry, streams: tuple[str, ...], value: Json) -> list[Part] | None:
    """The readings of streams that say a word; None where too many streams know it."""
    try:
        word = fitted("any", value)
    except UnfitError:
        return []
    if not streams or not isinstance(word, str):
        return []
    if len(streams) == 1:
        # Others may say the same word, thousands of them: this one is looked up by itself.
        code = registry.worded.code(registry.stream(streams[0]).no, word)
        return [] if code is None else [(streams, Compare("value", "eq", code))]
    codes = registry.worded.saying(word, _MOST)
    if codes is None:
        return None
    known = ((name, codes.get(registry.stream(name).no)) for name in streams)
    return [((name,), Compare("value", "eq", code)) for name, code in known if code is not None]


def some(listed: Sequence[Part], numbers: Predicate = NOTHING) -> Predicate:
    """What is asked of one or another of several sets of streams; they are named once for all, for by their names they are read."""
    few = [(names, asked) for names, asked in listed if names]
    parts = tuple(both(Compare("stream", "in", names), asked) for names, asked in few)
    if numbers != NOTHING:
        return Or((numbers, *parts)) if parts else numbers
    if len(parts) < 2:
        return parts[0] if parts else NOTHING
    return both(Compare("stream", "in", tuple(name for names, _ in few for name in names)), Or(parts))
