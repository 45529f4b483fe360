"""Observations as a Source: a span of some streams, read from the series store, by time."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa

from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.sifting import sifted
from citybrain.kernel import predicate
from citybrain.kernel.access import Page, Query
from citybrain.kernel.datasets import Dataset
from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.instant import DAY, Instant, rfc3339
from citybrain.kernel.listing import timed
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.ports import Series
from citybrain.kernel.predicate import And, Compare, Predicate
from citybrain.kernel.text import Json, Text

_MOST = 1000
_BEGIN, _END = Instant(0), Instant(2**62)
_MOST_STREAMS = 200


@dataclass(frozen=True, slots=True)
class Observed:
    """Rows stream, time, value, unit, received, door, seq, origin; a query must name its streams (``stream eq`` or ``in``).

    ``time`` bounds are pushed down, ``value`` is decided on whole columns, everything else is checked row by row. Order is by
    time, newest first unless asked otherwise.
    """

    registry: Registry
    series: Series
    dataset: Dataset

    def __call__(self, query: Query) -> Page:
        """Rows of a query; raises UnsupportedError without streams or with another order, NotFoundError for an unknown stream."""
        if query.order is not None and query.order.field != "time":
            what = Text("观测数据只按时间排列。", "Observations come by time and in no other order.")
            raise UnsupportedError(what, field=query.order.field)
        descending = query.order is None or query.order.descending
        types = {column.name: column.type for column in self.dataset.columns}
        predicate.sql(query.where, {name: name for name in types})
        where = timed(predicate.fitted(query.where, types), types)
        since, until = _bounds(where)
        mark = _decode(query.cursor)
        numbers = self._streams(where)
        limit = max(1, min(query.limit, _MOST))
        found: list[dict[str, Json]] = []
        windows = self._spans(numbers, since, until, mark, descending=descending)
        counted = query.count and mark is None
        # Where streams and bounds of time say all, no more rows are made than are shown, and they are counted where they lie.
        whole = _spanned(where)
        for begin, end in windows:
            places = _ordered(sifted(self.series.scan(SeriesQuery(numbers, begin, end)), where), mark, descending=descending)
            rows = self._rows(places.slice(0, limit + 1 - len(found)) if whole else places)
            found += rows if whole else [row for row in rows if predicate.holds(where, row)]
            if len(found) > limit and (whole or not counted):
                break
        total = None
        if counted:
            total = self._count(numbers, since, until) if whole else len(found)
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

    def _spans(
        self, numbers: tuple[int, ...], since: Instant, until: Instant, mark: tuple[int, str] | None, *, descending: bool
    ) -> Iterator[tuple[Instant, Instant]]:
        """The windows to look through, in the order asked for, between the first and the last day that hold anything."""
        days = self.series.scan(SeriesQuery(numbers, _BEGIN, _END, DAY))["time"].to_numpy()
        if not len(days):
            return iter(())
        begin, end = max(int(since), int(days.min())), min(int(until), int(days.max()) + DAY)
        if mark is not None and descending:
            end = min(end, mark[0] + 1)
        elif mark is not None:
            begin = max(begin, mark[0])
        return _windows(begin, end, descending=descending)

    def _count(self, numbers: tuple[int, ...], since: Instant, until: Instant) -> int:
        days = self.series.scan(SeriesQuery(numbers, since, until, DAY))
        return int(days["count"].to_numpy().sum())

    def _rows(self, table: pa.Table) -> list[dict[str, Json]]:
        streams = self.registry.streams()
        rows: list[dict[str, Json]] = []
        for raw in table.to_pylist():
            stream = streams[raw["stream_no"] - 1]
            rows.append(
                {
                    "id": f"{stream.no}.{raw['time']}",
                    "stream": stream.id,
                    "time": raw["time"],
                    "value": raw["value"],
                    "unit": stream.unit,
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


def _ordered(table: pa.Table, mark: tuple[int, str] | None, *, descending: bool) -> pa.Table:
    """The rows in the order asked for, by time and then stream, that come after the mark."""
    time, stream = table["time"].to_numpy(), table["stream_no"].to_numpy()
    order = np.lexsort((stream, time))[:: -1 if descending else 1]
    if mark is not None:
        at, no = mark[0], int(mark[1])
        later = (time > at) | ((time == at) & (stream > no))
        earlier = (time < at) | ((time == at) & (stream < no))
        order = order[(earlier if descending else later)[order]]
    return table.take(order)


def _spanned(where: Predicate) -> bool:
    """Whether a predicate says no more than which streams and from when to when, which the scan holds to already."""
    parts = where.parts if isinstance(where, And) else (where,)
    return all(_spanned(part) if isinstance(part, And) else _bound(part) for part in parts) and _named(where) == 1


def _bound(part: Predicate) -> bool:
    if not isinstance(part, Compare):
        return False
    if part.field == "stream":
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


def _decode(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    try:
        mark: tuple[int, str] = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=tuple[int, str])
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        what = Text("游标无法识别，请从第一页开始。", "The cursor cannot be read. Start from the first page.")
        raise BadInputError(what, cursor=cursor) from error
    return mark
