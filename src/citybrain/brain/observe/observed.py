"""Observations as a Source: a span of some streams, read from the series store, by time or by value; each row says what it is (see marked)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.brain.observe import marked
from citybrain.brain.observe.asked import BEGIN, ESTIMATE, LAST, PLACE, Asked, bounds, decode, encode, ordered, place, spanned
from citybrain.brain.observe.latest import Latest
from citybrain.brain.observe.marked import ESTIMATED, STANDING, STRUCK_OUT
from citybrain.brain.observe.past import missing
from citybrain.brain.observe.pieces import PIECE, Days, Span, days, pieces
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.sifting import Column, Words, sift, words
from citybrain.brain.observe.worded import UNMEASURED
from citybrain.kernel import predicate
from citybrain.kernel.access import Order, Page, Query
from citybrain.kernel.datasets import Dataset
from citybrain.kernel.errors import UnsupportedError
from citybrain.kernel.instant import DAY, Instant, rfc3339
from citybrain.kernel.listing import timed
from citybrain.kernel.observations import Numbers, SeriesQuery
from citybrain.kernel.ports import Series
from citybrain.kernel.predicate import And, Compare, Predicate
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import By

_MOST = 1000
_MOST_STREAMS = 200
LOOKED = 20_000_000
"""Rows that are looked through for one page, and to sort or count by what they say."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Rows stream, time, value, word, unit, mark, received, door, seq, origin; a query must name its streams (``stream eq`` or ``in``).

    ``time`` bounds are pushed down, and ``mark``, by which what was struck out and estimates come too; all else is held against the
    columns. Order is by time, newest first, or by value, of those that have one. Rows are read in pieces that fit into memory: a page
    for which ``looked`` rows were looked through may hold fewer, or none, and have one after it. Estimates are given of one stream and
    of 31 days at most.
    """

    registry: Registry
    series: Series
    latest: Latest
    dataset: Dataset
    looked: int = LOOKED

    def __call__(self, query: Query) -> Page:
        """Rows of a query; raises UnsupportedError without streams, with another order, or where too many rows would have to be looked at.

        Raises NotFoundError for an unknown stream, BadInputError for estimates of a span that is longer than 31 days.
        """
        asked = self._asked(query)
        counted = cache(partial(self._days, asked))
        if "value" in asked.keys:
            rows, following = self._by_value(asked, counted)
        else:
            rows, following = self._by_time(asked, counted) if asked.limit else ([], None)
        total = self._total(asked, counted) if query.count and asked.mark is None else None
        return Page(tuple(_plain(row) for row in rows), following, total)

    def _asked(self, query: Query) -> Asked:
        order = query.order or Order("time", descending=True)
        if order.field not in ("time", "value"):
            what = Text("观测数据只按时间或数值排列。", "Observations come by time or by value and in no other order.")
            raise UnsupportedError(what, field=order.field)
        types = {column.name: column.type for column in self.dataset.columns}
        predicate.sql(query.where, {name: name for name in types})
        where = timed(predicate.fitted(query.where, types), types)
        keys = ("time", PLACE) if order.field == "time" else ("value", "time", PLACE)
        marks = marked.wanted(where) - ({STRUCK_OUT} if order.field == "value" else set())
        mark, limit = decode(query.cursor, len(keys)), max(0, min(query.limit, _MOST))
        # Where streams and bounds of time say all, rows need not be looked at to be counted.
        return Asked(self._streams(where), *bounds(where), marks, where, spanned(where), keys, order.descending, mark, limit)

    def _by_time(self, asked: Asked, counted: Callable[[], Days]) -> tuple[list[dict[str, Json]], str | None]:
        found: list[dict[str, Json]] = []
        looked = 0
        for (begin, end), held in self._spans(asked, counted):
            if looked and looked + held > self.looked:
                return found, encode((int(end), 0) if asked.descending else (int(begin) - 1, LAST))
            looked += held
            table = self._fitting(asked, (begin, end))
            found += self._rows(table.slice(0, asked.limit + 1 - len(found)))
            if len(found) > asked.limit:
                return found[: asked.limit], encode(place(found[asked.limit - 1], asked.keys))
        return found, None

    def _by_value(self, asked: Asked, counted: Callable[[], Days]) -> tuple[list[dict[str, Json]], str | None]:
        """The first rows by their value: of each piece the best are kept."""
        self._bounded(counted())
        best = self._fitting(asked, (BEGIN, BEGIN))
        for span, _ in self._pieces(asked, counted()):
            more = pa.concat_tables([best, self._fitting(asked, span).slice(0, asked.limit + 1)])
            best = ordered(more, asked).slice(0, asked.limit + 1)
        rows = self._rows(best)
        following = encode(place(rows[asked.limit - 1], asked.keys)) if 0 < asked.limit < len(rows) else None
        return rows[: asked.limit], following

    def _total(self, asked: Asked, counted: Callable[[], Days]) -> int:
        if asked.exact and asked.marks == STANDING:
            return counted().total
        if asked.exact:
            table = self.series.scan(SeriesQuery(asked.numbers, asked.since, asked.until, DAY, marks=True))
            stored = marked.counted(table, self._computed(asked.numbers))
            return sum(count for name, count in stored.items() if name in asked.marks) + self._estimates(asked).num_rows
        self._bounded(counted())
        return sum(int(self._sifted(asked, self._scan(asked, span)).sum()) for span, _ in self._pieces(asked, counted()))

    def _bounded(self, counted: Days) -> None:
        if counted.total > self.looked:
            what = Text(
                f"须逐条查看 {counted.total} 条观测，超过 {self.looked} 条，不能这样排序或计数。请用时间缩小范围。",
                f"{counted.total} observations would have to be looked at one by one, more than {self.looked}: they cannot be sorted or "
                "counted so. Narrow them by time.",
            )
            raise UnsupportedError(what, field="time")

    def _days(self, asked: Asked) -> Days:
        table = self.series.scan(SeriesQuery(asked.numbers, asked.since, asked.until, DAY, marks=asked.struck))
        return days(table, struck=asked.struck)

    def _spans(self, asked: Asked, counted: Callable[[], Days]) -> Iterator[tuple[Span, int]]:
        """The spans to look through, in the order asked for, with the rows in them.

        The first is that where the rows are likely to begin, of which nothing is counted; the others go by the counts of days.
        """
        since, until = asked.since, asked.until
        if not asked.numbers:
            return
        if ESTIMATED in asked.marks:
            yield from self._pieces(asked, counted())
            return
        if asked.mark is not None:
            at = Instant(int(asked.mark[0]))
            since, until = (since, min(until, Instant(at + 1))) if asked.descending else (max(since, at), until)
        width = int(DAY) // len(asked.numbers)
        if asked.descending:
            newest = int(self.latest.times(np.array(asked.numbers, np.int32)).max())
            middle = Instant(max(since, min(newest + 1, until) - width))
            if newest >= since and middle < until:
                yield (middle, until), 0
                until = middle
        elif since > BEGIN:
            middle = Instant(min(until, since + width))
            yield (since, middle), 0
            since = middle
        if since < until:
            yield from self._pieces(asked._replace(since=since, until=until), counted())

    def _pieces(self, asked: Asked, counted: Days) -> Iterator[tuple[Span, int]]:
        if ESTIMATED in asked.marks:
            # They may be of days of which nothing is stored.
            return iter((((asked.since, asked.until), 0),))
        return pieces(counted, asked.since, asked.until, descending=asked.descending, most=min(PIECE, self.looked))

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

    def _estimates(self, asked: Asked) -> pa.Table:
        """Estimates of what is missing (ROWS), where they are asked for; raises UnsupportedError for more than one stream."""
        if ESTIMATED not in asked.marks:
            return marked.estimates(0, ())
        if len(asked.numbers) != 1:
            what = Text("估计值一次只给一条数据流。", "Estimates are given of one stream at a time.")
            raise UnsupportedError(what, field="mark")
        (no,) = asked.numbers
        name = self.registry.streams()[no - 1].id
        # What is missing to this day has no estimate yet, so it does not matter what day it is.
        found = marked.estimates(no, missing(self.series, self.registry, name, asked.since, asked.until, asked.until))
        at = found["time"].to_numpy()
        return found.filter(pa.array((at >= asked.since) & (at < asked.until)))

    def _scan(self, asked: Asked, span: Span) -> pa.Table:
        """The rows (ROWS) of a span that bear a mark which is asked for."""
        found = self.series.scan(SeriesQuery(asked.numbers, *span, marks=asked.struck))
        estimates = self._estimates(asked) if span[0] < span[1] else marked.estimates(0, ())
        if estimates.num_rows:
            at = estimates["time"].to_numpy()
            found = pa.concat_tables([found, estimates.filter(pa.array((at >= span[0]) & (at < span[1])))])
        if asked.marks >= STANDING:
            return found
        return found.filter(pa.array(np.isin(self._marks(found), list(asked.marks))))

    def _marks(self, table: pa.Table) -> NDArray[np.str_]:
        return marked.of_rows(table, self._computed(tuple(np.unique(table["stream_no"].to_numpy()).tolist())))

    def _computed(self, numbers: tuple[int, ...]) -> Numbers:
        """The streams among some whose field is declared as derived."""
        derived = {(kind.name, field.name) for kind in self.registry.kinds() for field in kind.fields if field.by is By.DERIVED}
        streams = self.registry.streams()
        return np.array([no for no in numbers if (streams[no - 1].kind, streams[no - 1].field) in derived], np.int32)

    def _fitting(self, asked: Asked, span: Span) -> pa.Table:
        """The rows of a span that satisfy the question, in its order, after its mark."""
        table = self._scan(asked, span)
        return ordered(table if asked.exact else table.filter(pa.array(self._sifted(asked, table))), asked)

    def _sifted(self, asked: Asked, table: pa.Table) -> NDArray[np.bool_]:
        return sift(asked.where, partial(self._column, table), table.num_rows)

    def _column(self, table: pa.Table, name: str) -> Column:
        if name == "value":
            value = table["value"].to_numpy()
            return np.where(np.isfinite(value), value, np.nan)
        if name in ("time", "received", "seq"):
            cells: NDArray[np.int64] = table[name].to_numpy()
            return cells
        if name in ("stream", "unit", "origin"):
            kinds, places = np.unique(table["stream_no"].to_numpy(), return_inverse=True)
            streams = self.registry.streams()
            said = "id" if name == "stream" else name
            return Words(places, tuple(getattr(streams[no - 1], said) for no in kinds.tolist()))
        if name == "word":
            spoken = self._words(table)
            return words([_text(spoken.get(place)) for place in range(table.num_rows)])
        if name == "mark":
            return words(self._marks(table).tolist())
        return words(table["door"].to_pylist() if name == "door" else _ids(table))

    def _rows(self, table: pa.Table) -> list[dict[str, Json]]:
        streams = self.registry.streams()
        rows: list[dict[str, Json]] = []
        words = self._words(table)
        for raw, mark, own in zip(table.to_pylist(), self._marks(table).tolist(), _ids(table), strict=True):
            stream = streams[raw["stream_no"] - 1]
            rows.append(
                {
                    "id": own,
                    "stream": stream.id,
                    "time": raw["time"],
                    "value": None if mark == STRUCK_OUT else raw["value"],
                    "word": words.get(len(rows)),
                    "unit": stream.unit,
                    "mark": mark,
                    "received": raw["received"],
                    "door": raw["door"],
                    "seq": raw["seq"],
                    "origin": stream.origin,
                }
            )
        return rows

    def _words(self, table: pa.Table) -> dict[int, Json]:
        """What the rows of streams that say words say, by their places."""
        registry = self.registry
        if not registry.unlike:
            return {}
        numbers, values = table["stream_no"].to_numpy().tolist(), table["value"].to_numpy().tolist()
        spoken = [place for place, no in enumerate(numbers) if registry.streams()[no - 1].sort in UNMEASURED]
        said = registry.worded.results([(registry.streams()[numbers[place] - 1], values[place]) for place in spoken])
        return dict(zip(spoken, said, strict=True))


def _text(word: Json) -> str | None:
    """A word as it is compared with: a text as it is, other JSON as it is written."""
    return word if word is None or isinstance(word, str) else msgspec.json.encode(word, order="sorted").decode()


def _ids(table: pa.Table) -> list[str]:
    """The ids of rows: stream number and time (µs), with a letter between where it is an estimate."""
    kept = np.asarray(table["seq"].is_valid()).tolist()
    rows = zip(table["stream_no"].to_pylist(), kept, table["time"].to_pylist(), strict=True)
    return [f"{no}{'' if stored else ESTIMATE}.{time}" for no, stored, time in rows]


def _plain(row: dict[str, Json]) -> dict[str, Json]:
    return {
        name: rfc3339(Instant(value)) if name in ("time", "received") and isinstance(value, int) else value
        for name, value in row.items()
    }
