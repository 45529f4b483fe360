"""Observations as a Source: a span of some streams, read from the series store, by time; each row says what it is (see marked)."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa

from citybrain.brain.observe import marked
from citybrain.brain.observe.marked import ESTIMATED, STANDING, STRUCK_OUT
from citybrain.brain.observe.past import missing
from citybrain.brain.observe.registry import Registry
from citybrain.kernel import predicate
from citybrain.kernel.access import Page, Query
from citybrain.kernel.datasets import Dataset
from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.instant import DAY, Instant, rfc3339
from citybrain.kernel.listing import timed
from citybrain.kernel.observations import Ints, Numbers, SeriesQuery
from citybrain.kernel.ports import Series
from citybrain.kernel.predicate import And, Compare, Predicate
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import By

_MOST = 1000
_BEGIN, _END = Instant(0), Instant(2**62)
_MOST_STREAMS = 200
_LAST = "e"
"""What stands behind the stream's number in the id of an estimate."""
_Mark: TypeAlias = tuple[int, int]
"""The time of a row and its place among those of the same time."""


class _Asked(NamedTuple):
    """What a query asks the store for: streams by number, [since, until), and rows of which marks."""

    numbers: tuple[int, ...]
    since: Instant
    until: Instant
    marks: frozenset[str]

    @property
    def struck(self) -> bool:
        """Whether what was struck out is wanted."""
        return STRUCK_OUT in self.marks


@dataclass(frozen=True, slots=True)
class Observed:
    """Rows stream, time, value, unit, mark, received, door, seq, origin; a query must name its streams (``stream eq`` or ``in``).

    ``time`` bounds are pushed down, and ``mark``, by which what was struck out and estimates come too; everything else is checked row
    by row. Order is by time, newest first unless asked otherwise. Estimates are given of one stream and of 31 days at most.
    """

    registry: Registry
    series: Series
    dataset: Dataset

    def __call__(self, query: Query) -> Page:
        """Rows of a query; raises UnsupportedError without streams or with another order, NotFoundError for an unknown stream.

        Raises BadInputError for estimates of a span that is longer than 31 days.
        """
        if query.order is not None and query.order.field != "time":
            what = Text("观测数据只按时间排列。", "Observations come by time and in no other order.")
            raise UnsupportedError(what, field=query.order.field)
        descending = query.order is None or query.order.descending
        types = {column.name: column.type for column in self.dataset.columns}
        predicate.sql(query.where, {name: name for name in types})
        where = timed(predicate.fitted(query.where, types), types)
        asked = _Asked(self._streams(where), *_bounds(where), marked.wanted(where))
        estimates = self._estimates(asked)
        mark = _decode(query.cursor)
        limit = max(1, min(query.limit, _MOST))
        found: list[dict[str, Json]] = []
        counted = query.count and mark is None
        # Where streams, bounds of time and marks say all, no more rows are made than are shown, and they are counted where they lie.
        whole = _spanned(where)
        total = self._count(asked) + estimates.num_rows if counted and whole else None
        if whole and query.limit == 0:
            return Page((), None, total)
        windows = self._spans(asked, mark, descending=descending)
        for begin, end in windows:
            places = _ordered(self._within(asked, estimates, begin, end), mark, descending=descending)
            rows = self._rows(places.slice(0, limit + 1 - len(found)) if whole else places)
            found += rows if whole else [row for row in rows if predicate.holds(where, row)]
            if len(found) > limit and (whole or not counted):
                break
        if counted and not whole:
            total = len(found)
        following = _encode(found[limit - 1]) if len(found) > limit else None
        return Page(tuple(_plain(row) for row in found[:limit]), following, total)

    def _streams(self, where: Predicate) -> tuple[int, ...]:
        for part in where.parts if isinstance(where, And) else (where,):
            if isinstance(part, Compare) and part.field == "stream" and part.op in ("eq", "in"):
                named = part.value if isinstance(part.value, tuple) else (part.value,)
                if len(named) <= _MOST_STREAMS:
                    return tuple(self.registry.stream(str(name)).no for name in named)
            if isinstance(part, And) and predicate.fields(part) & {"stream"}:
                return self._streams(part)
        what = Text(
            f"请指明数据流（stream），至多 {_MOST_STREAMS} 条。", f"Name the streams you want (stream), at most {_MOST_STREAMS}."
        )
        raise UnsupportedError(what, field="stream")

    def _estimates(self, asked: "_Asked") -> pa.Table:
        """Estimates of what is missing (ROWS), where they are asked for; raises UnsupportedError for more than one stream."""
        if ESTIMATED not in asked.marks:
            return marked.estimates(0, ())
        if len(asked.numbers) != 1:
            what = Text("估计值一次只给一条数据流。", "Estimates are given of one stream at a time.")
            raise UnsupportedError(what, field="mark")
        (no,) = asked.numbers
        name = self.registry.streams()[no - 1].id
        return marked.estimates(no, missing(self.series, self.registry, name, asked.since, asked.until))

    def _spans(self, asked: "_Asked", mark: "_Mark | None", *, descending: bool) -> Iterator[tuple[Instant, Instant]]:
        """The windows to look through, in the order asked for, between the first and the last day that hold anything."""
        days = self.series.scan(SeriesQuery(asked.numbers, _BEGIN, _END, DAY, marks=asked.struck))["time"].to_numpy()
        if not len(days):
            return iter(())
        begin, end = max(int(asked.since), int(days.min())), min(int(asked.until), int(days.max()) + DAY)
        if mark is not None and descending:
            end = min(end, mark[0] + 1)
        elif mark is not None:
            begin = max(begin, mark[0])
        return _windows(begin, end, descending=descending)

    def _within(self, asked: "_Asked", estimates: pa.Table, begin: Instant, end: Instant) -> pa.Table:
        """The rows (ROWS) of a window that bear a mark which is asked for."""
        found = self.series.scan(SeriesQuery(asked.numbers, begin, end, marks=asked.struck))
        if estimates.num_rows:
            at = estimates["time"].to_numpy()
            found = pa.concat_tables([found, estimates.filter(pa.array((at >= begin) & (at < end)))])
        if asked.marks >= STANDING:
            return found
        marks = marked.of_rows(found, self._computed(asked.numbers))
        return found.filter(pa.array(np.isin(marks, list(asked.marks))))

    def _count(self, asked: "_Asked") -> int:
        days = self.series.scan(SeriesQuery(asked.numbers, asked.since, asked.until, DAY, marks=asked.marks != STANDING))
        if asked.marks == STANDING:
            return int(days["count"].to_numpy().sum())
        return sum(count for name, count in marked.counted(days, self._computed(asked.numbers)).items() if name in asked.marks)

    def _computed(self, numbers: tuple[int, ...]) -> Numbers:
        """The streams among some whose field is declared as derived."""
        derived = {(kind.name, field.name) for kind in self.registry.kinds() for field in kind.fields if field.by is By.DERIVED}
        streams = self.registry.streams()
        return np.array([no for no in numbers if (streams[no - 1].kind, streams[no - 1].field) in derived], np.int32)

    def _rows(self, table: pa.Table) -> list[dict[str, Json]]:
        streams = self.registry.streams()
        marks = marked.of_rows(table, self._computed(tuple(np.unique(table["stream_no"].to_numpy()).tolist()))).tolist()
        rows: list[dict[str, Json]] = []
        for raw, mark in zip(table.to_pylist(), marks, strict=True):
            stream = streams[raw["stream_no"] - 1]
            rows.append(
                {
                    "id": f"{stream.no}{_LAST if mark == ESTIMATED else ''}.{raw['time']}",
                    "stream": stream.id,
                    "time": raw["time"],
                    "value": None if mark == STRUCK_OUT else raw["value"],
                    "unit": stream.unit,
                    "mark": mark,
                    "received": raw["received"],
                    "door": raw["door"],
                    "seq": raw["seq"],
                    "origin": stream.origin,
                }
            )
        return rows


def _bounds(where: Predicate) -> tuple[Instant, Instant]:
    """The span [since, until) that the top of a predicate asks for."""
    since, until = int(_BEGIN), int(_END)
    for part in where.parts if isinstance(where, And) else (where,):
        if isinstance(part, And):
            low, high = _bounds(part)
            since, until = max(since, low), min(until, high)
        if isinstance(part, Compare) and part.field == "time" and isinstance(part.value, int):
            since = max(since, part.value + (part.op == "gt")) if part.op in ("gt", "ge", "eq") else since
            until = min(until, part.value + (part.op != "lt")) if part.op in ("lt", "le", "eq") else until
    return Instant(since), Instant(until)


def _windows(begin: int, end: int, *, descending: bool) -> Iterator[tuple[Instant, Instant]]:
    """Spans that together hold [begin, end), each greater than the one before; newest first where descending."""
    width = int(DAY)
    while begin < end:
        if descending:
            low = max(begin, end - width)
            yield Instant(low), Instant(end)
            end = low
        else:
            high = min(end, begin + width)
            yield Instant(begin), Instant(high)
            begin = high
        width *= 4


def _ordered(table: pa.Table, mark: _Mark | None, *, descending: bool) -> pa.Table:
    """The rows in the order asked for, by time, stream, and estimates last, that come after the mark."""
    time, place = table["time"].to_numpy(), _places(table)
    order = np.lexsort((place, time))[:: -1 if descending else 1]
    if mark is not None:
        at, own = mark
        later = (time > at) | ((time == at) & (place > own))
        earlier = (time < at) | ((time == at) & (place < own))
        order = order[(earlier if descending else later)[order]]
    return table.take(order)


def _places(table: pa.Table) -> Ints:
    """Where rows stand among those of their time: an estimate may be of the very time of a reading that was struck out."""
    places: Ints = table["stream_no"].to_numpy().astype(np.int64) * 2 + np.asarray(table["seq"].is_null())
    return places


def _spanned(where: Predicate) -> bool:
    """Whether a predicate says no more than which streams, from when to when and which marks, which the scan holds to already."""
    parts = where.parts if isinstance(where, And) else (where,)
    return all(_spanned(part) if isinstance(part, And) else _bound(part) for part in parts) and _named(where) == 1


def _bound(part: Predicate) -> bool:
    if not isinstance(part, Compare):
        return False
    if part.field in ("stream", "mark"):
        return part.op in ("eq", "in")
    return part.field == "time" and part.op in ("lt", "le", "gt", "ge", "eq") and isinstance(part.value, int)


def _named(where: Predicate) -> int:
    """How often a predicate names streams: the scan knows the first list alone."""
    parts = where.parts if isinstance(where, And) else (where,)
    return sum(_named(part) if isinstance(part, And) else isinstance(part, Compare) and part.field == "stream" for part in parts)


def _plain(row: dict[str, Json]) -> dict[str, Json]:
    return {
        name: rfc3339(Instant(value)) if name in ("time", "received") and isinstance(value, int) else value
        for name, value in row.items()
    }


def _encode(row: dict[str, Json]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((row["time"], str(row["id"]).split(".")[0]))).decode()


def _decode(cursor: str | None) -> _Mark | None:
    if cursor is None:
        return None
    try:
        time, word = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=tuple[int, str])
        return time, int(word.removesuffix(_LAST)) * 2 + word.endswith(_LAST)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        what = Text("游标无法识别，请从第一页开始。", "The cursor cannot be read. Start from the first page.")
        raise BadInputError(what, cursor=cursor) from error
