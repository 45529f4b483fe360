"""The rows of all streams as a Source: a page in the order of ids costs what the page holds, however many streams there are.

What a predicate says of kind, field, area, life and their like is asked of whole columns; only what remains is asked row by row.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.brain.observe import shelves
from citybrain.brain.observe.latest import Latest
from citybrain.brain.observe.life import NEVER, ORDER
from citybrain.brain.observe.memory import MOST, Cells, Memory, decode, encode, plain
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.worded import UNMEASURED
from citybrain.kernel import predicate
from citybrain.kernel.access import Order, Page, Query
from citybrain.kernel.instant import Instant
from citybrain.kernel.listing import timed
from citybrain.kernel.observations import Numbers
from citybrain.kernel.predicate import And, Compare, Not, Or, Predicate
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Contract, Entity, Life, Stream

_TYPES = {column.name: column.type for column in shelves.STREAM.columns}
_KNOWN = {name: name for name in _TYPES}
_INSTANTS = frozenset(name for name, kind in _TYPES.items() if kind == "instant")
_CHUNK = 2_000
"""Rows that are made at a time where each must be asked."""
_ORDERED = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal}
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Fixed:
    """What does not change of n streams in the order of their ids: numbers, ids, and columns as codes of words (-1 for none)."""

    numbers: Numbers
    ids: Sequence[str]
    columns: Mapping[str, tuple[Mapping[str, int], NDArray[np.int32]]]


class Streams:
    """A Source of the dataset ``stream``."""

    def __init__(self, registry: Registry, latest: Latest) -> None:
        self._registry = registry
        self._latest = latest
        self._version = 0
        self._fixed = _Fixed(np.zeros(0, np.int32), (), {})
        self._whole = Memory(shelves.STREAM, lambda: self._rows(self._now().numbers), self._some)

    def __call__(self, query: Query) -> Page:
        """Rows of a query; raises UnsupportedError for an unknown field, BadInputError for a foreign cursor."""
        order = query.order or Order("id")
        if order.field != "id" or order.descending:
            return self._whole(query)
        predicate.sql(query.where, _KNOWN)
        where = timed(predicate.fitted(query.where, _TYPES), _TYPES)
        fixed = self._now()
        mask, exact = self._mask(where, fixed)
        places = np.flatnonzero(mask)
        mark = decode(order, query.cursor)
        begin = 0 if mark is None else int(np.searchsorted(places, bisect_right(fixed.ids, mark[1])))
        limit = max(1, min(query.limit, MOST))
        if exact:
            found = self._rows(fixed.numbers[places[begin : begin + limit + 1]])
            total = len(places)
        else:
            found, total = self._asked(where, fixed.numbers[places], begin, None if query.count else limit + 1)
            found = found[: limit + 1]
        after = encode(order, str(found[limit - 1]["id"]), str(found[limit - 1]["id"])) if len(found) > limit else None
        told = tuple({name: plain(value, instant=name in _INSTANTS) for name, value in row.items()} for row in found[:limit])
        return Page(told, after, total if query.count else None)

    def _asked(self, where: Predicate, numbers: Numbers, begin: int, enough: int | None) -> tuple[list[Cells], int]:
        """The rows from ``begin`` on that a predicate holds for, as many as are enough, and how many hold in all that was looked at."""
        found: list[Cells] = []
        total = 0
        for start in range(0 if enough is None else begin, len(numbers), _CHUNK):
            rows = self._rows(numbers[start : start + _CHUNK])
            held = [predicate.holds(where, row) for row in rows]
            total += sum(held)
            found += [row for at, (row, good) in enumerate(zip(rows, held, strict=True)) if good and start + at >= begin]
            if enough is not None and len(found) >= enough:
                break
        return found, total

    def _some(self, where: Predicate) -> Iterable[Cells] | None:
        fixed = self._now()
        mask, _ = self._mask(where, fixed)
        return self._rows(fixed.numbers[mask])

    def _rows(self, numbers: Numbers) -> list[Cells]:
        return _rows_of(self._registry, self._latest, numbers)

    def _now(self) -> _Fixed:
        if self._version != self._registry.version:
            self._version, self._fixed = self._registry.version, _fixed(self._registry)
        return self._fixed

    def _mask(self, where: Predicate, fixed: _Fixed) -> tuple[Mask, bool]:
        """The streams among which those of a predicate are, and whether it is these and no others."""
        every = np.ones(len(fixed.ids), np.bool_)
        match where:
            case And(parts=parts):
                found = [self._mask(part, fixed) for part in parts]
                return np.logical_and.reduce([every, *(mask for mask, _ in found)]), all(exact for _, exact in found)
            case Or(parts=parts):
                found = [self._mask(part, fixed) for part in parts]
                return np.logical_or.reduce([~every, *(mask for mask, _ in found)]), all(exact for _, exact in found)
            case Not(part=part):
                mask, exact = self._mask(part, fixed)
                return (~mask, True) if exact else (every, False)
            case Compare(field="life", op="eq" | "ne" | "in"):
                codes = self._latest.codes(fixed.numbers).astype(np.int32)
                return _matches(where, {life.value: code for code, life in enumerate(ORDER)}, codes), True
            case Compare(field=field, op="eq" | "ne" | "in") if field in fixed.columns:
                return _matches(where, *fixed.columns[field]), True
            case Compare(field="value" | "time") if where.op in _ORDERED and isinstance(where.value, int | float):
                time, value = self._latest.newest(fixed.numbers)
                known = _ORDERED[where.op](time if where.field == "time" else value, where.value)
                return known & (time > NEVER), True
            case _:
                return every, False


def _matches(where: Compare, words: Mapping[str, int], codes: NDArray[np.int32]) -> Mask:
    wanted = where.value if isinstance(where.value, tuple) else (where.value,)
    found: Mask = np.isin(codes, [words[str(word)] for word in wanted if str(word) in words])
    return ~found & (codes >= 0) if where.op == "ne" else found


def _fixed(registry: Registry) -> _Fixed:
    streams = sorted(registry.present(), key=lambda stream: stream.id)
    told: Mapping[str, Callable[[Stream], str | None]] = {
        "id": lambda stream: stream.id,
        "entity": lambda stream: stream.entity,
        "kind": lambda stream: stream.kind,
        "field": lambda stream: stream.field,
        "unit": lambda stream: stream.unit,
        "area": lambda stream: registry.entity(stream.entity).area,
        "contract": lambda stream: _stated(registry, stream),
        "result_type": lambda stream: stream.sort,
        "source": lambda stream: stream.source,
        "origin": lambda stream: stream.origin,
    }
    columns = {name: _coded([word(stream) for stream in streams]) for name, word in told.items()}
    return _Fixed(np.array([stream.no for stream in streams], np.int32), [stream.id for stream in streams], columns)


def _coded(words: Sequence[str | None]) -> tuple[Mapping[str, int], NDArray[np.int32]]:
    known: dict[str, int] = {}
    codes = [-1 if word is None else known.setdefault(word, len(known)) for word in words]
    return known, np.array(codes, np.int32)


def _stated(registry: Registry, stream: Stream) -> str:
    """Whether nobody promised anything, a person agreed on it here, or a pack or a maker states it."""
    if stream.contract == Contract():
        return "none"
    return "agreed" if registry.agreed(stream) else "stated"


def _rows_of(registry: Registry, latest: Latest, numbers: Numbers) -> list[Cells]:
    streams = registry.streams()
    readings = latest.table(numbers).to_pylist()
    wanted = [streams[number - 1] for number in numbers.tolist()]
    said: Sequence[Json] = [None] * len(wanted)
    if registry.unlike:
        said = registry.worded.results([(stream, row["value"]) for stream, row in zip(wanted, readings, strict=True)])
    return [
        _stream_row(
            stream,
            registry.entity(stream.entity),
            row,
            latest.why(stream, Life(row["life"]), row["time"], row["value"]),
            _stated(registry, stream),
            word if stream.sort in UNMEASURED else None,
        )
        for stream, row, word in zip(wanted, readings, said, strict=True)
    ]


def _stream_row(
    stream: Stream, entity: Entity, row: Mapping[str, Json], why: tuple[Instant | None, Text], stated: str, word: Json
) -> Cells:
    contract = stream.contract
    since, words = why
    return {
        "id": stream.id,
        "entity": stream.entity,
        "kind": stream.kind,
        "field": stream.field,
        "unit": stream.unit,
        "area": entity.area,
        "time": row["time"],
        "value": row["value"],
        "word": word,
        "received": row["received"],
        "door": row["door"],
        "life": row["life"],
        "since": since,
        "why": msgspec.to_builtins(words),
        "every": _seconds(contract.every),
        "silent_after": _seconds(contract.silent_after),
        "low": contract.low,
        "high": contract.high,
        "contract": stated,
        "result_type": stream.sort,
        "source": stream.source,
        "origin": stream.origin,
    }


def _seconds(span: int | None) -> float | None:
    return None if span is None else span / 1_000_000
