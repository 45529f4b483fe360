"""Words that no reading says any more: found after the retention has deleted the readings that did, deleted with a record.

look (readings, newest first, until each word was met) → what is kept of corrections → Worded.delete, less what is being said meanwhile.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Row, insert, select, update

from citybrain.brain.observe import corrected
from citybrain.brain.observe.horizon import Span
from citybrain.brain.observe.pieces import Span as Piece
from citybrain.brain.observe.pieces import days, pieces
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.store import UNSAID
from citybrain.brain.observe.worded import WORDED
from citybrain.kernel.clock import Clock
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.observations import Floats, Ints, SeriesQuery
from citybrain.kernel.ports import Series, Transactions

_BEGIN, _END = Instant(0), Instant(2**62)
_MANY: Final = 500
"""Streams whose days are looked at in one question."""
_FIRST: Final = 4000
"""Readings that are read at first: most words are met in the newest. Then it is twice as many each time."""
_GREATEST: Final = 64
"""So many times as many are read at once in the end."""
_APART: Final = np.int64(2**32)
"""More than any code."""
_AT_ONCE: Final = 1000
"""Words that are deleted in one commit."""
Codes = dict[int, set[int]]
"""Codes of words, by the number of their stream."""


class Unsaid(msgspec.Struct, frozen=True):
    """Words of a kind that were deleted in one commit, after the observations before an instant were, by a setting of so many days.

    ``digest`` is the SHA-256 (hex) over a line for each in order of stream and code: stream, code and the word as JSON, with a tab
    between and a line feed after, in UTF-8. ``proven`` is when its certificate was found written (wall; None: not yet).
    """

    id: str
    kind: str
    days: int
    before: Instant
    wall: Instant
    streams: int
    words: int
    digest: str
    proven: Instant | None = None


class _Held(NamedTuple):
    """The days of a stream in which it has readings: when each begins (µs), its least code and its greatest; shapes (n,)."""

    begin: Ints
    low: Floats
    high: Floats

    def between(self, codes: Iterable[int], since: Instant, until: Instant) -> bool:
        """Whether one of some codes may be said in a span: it lies between the least and the greatest of a day in it."""
        wanted, within = np.array(sorted(codes)), (self.begin < until) & (self.begin + DAY > since)
        return bool((np.searchsorted(wanted, self.high[within]) > np.searchsorted(wanted, self.low[within])).any())


class Silence:
    """Finds and deletes such words; everything blocks: run it in a thread."""

    def __init__(self, registry: Registry, series: Series, transactions: Transactions[Connection], clock: Clock) -> None:
        self._registry = registry
        self._series = series
        self._transactions = transactions
        self._clock = clock

    def look(self, span: Span) -> Codes:
        """The words of a kind that no reading says; from now on it is kept in mind which are said, until ``delete``."""
        worded = self._registry.worded
        worded.listen()
        streams = self._registry.streams()
        left = worded.coded([no for no in span.streams.tolist() if streams[no - 1].sort in WORDED])
        numbers = sorted(left)
        for begin in range(0, len(numbers), _MANY):
            self._meet(left, numbers[begin : begin + _MANY])
        return {no: codes for no, codes in left.items() if codes}

    def delete(self, span: Span, found: Codes) -> int:
        """Delete what ``look`` has found, less what was said since and what corrections keep; returns how many words.

        No correction may be on its way meanwhile. A kill leaves whole commits, each with its record.
        """
        try:
            with self._transactions.read() as connection:
                kept = corrected.values(connection, tuple(found))
            places = [(no, code) for no, codes in found.items() for code in sorted(codes - kept.get(no, set()))]
            parts = [places[begin : begin + _AT_ONCE] for begin in range(0, len(places), _AT_ONCE)]
            return sum(self._registry.worded.delete(part, lambda *gone: self._record(span, *gone)) for part in parts)
        finally:
            self._registry.worded.deafen()

    def records(self) -> tuple[Unsaid, ...]:
        """Every deletion, the oldest first."""
        with self._transactions.read() as connection:
            return tuple(_unsaid(row) for row in connection.execute(select(UNSAID).order_by(UNSAID.c.id)))

    def unproven(self) -> tuple[Unsaid, ...]:
        """The deletions whose certificate is not known to be written."""
        with self._transactions.read() as connection:
            wanted = select(UNSAID).where(UNSAID.c.proven.is_(None)).order_by(UNSAID.c.id)
            return tuple(_unsaid(row) for row in connection.execute(wanted))

    def prove(self, record: str, at: Instant) -> None:
        """Enter that the certificate of a deletion is written."""
        with self._transactions.begin() as tx:
            tx.connection.execute(update(UNSAID).where(UNSAID.c.id == record).values(proven=at))

    def _meet(self, left: Codes, numbers: Sequence[int]) -> None:
        """Take away what readings of some streams say: the least and the greatest of each day first, then row by row."""
        table = self._series.scan(SeriesQuery(tuple(numbers), _BEGIN, _END, DAY))
        each = table["stream_no"].to_numpy()
        held = {no: _held(table.filter(pa.array(each == no))) for no in numbers}
        for no, days_of in held.items():
            left[no] -= _whole((*days_of.low.tolist(), *days_of.high.tolist()))
        open_ones = [no for no in numbers if left[no]]
        mine = table.filter(pa.array(np.isin(each, open_ones)))
        for since, until in _growing(span for span, _ in pieces(days(mine), _BEGIN, _END, descending=True, most=_FIRST)):
            asked = tuple(no for no in open_ones if held[no].between(left[no], since, until))
            if asked:
                rows = self._series.scan(SeriesQuery(asked, since, until))
                said = np.unique(rows["stream_no"].to_numpy() * _APART + rows["value"].to_numpy().astype(np.int64))
                for no, code in zip((said // _APART).tolist(), (said % _APART).tolist(), strict=True):
                    left[no].discard(code)

    def _record(self, span: Span, connection: Connection, gone: "Sequence[Row[tuple[object, ...]]]") -> None:
        lines = "".join(f"{row.stream}\t{row.code}\t{row.word}\n" for row in gone)
        streams = len({row.stream for row in gone})
        digest = hashlib.sha256(lines.encode()).hexdigest()
        record = Unsaid(new_id(), span.kind, span.days, span.before, self._clock.wall(), streams, len(gone), digest)
        connection.execute(insert(UNSAID).values(msgspec.structs.asdict(record)))


def _held(table: pa.Table) -> _Held:
    return _Held(*(table[name].to_numpy() for name in ("time", "low", "high")))


def _growing(spans: Iterator[Piece]) -> Iterator[Piece]:
    """Spans, the newest first, put together: the first alone, then two, then four."""
    size = 1
    while group := list(islice(spans, size)):
        yield group[-1][0], group[0][1]
        size = min(2 * size, _GREATEST)


def _whole(values: Iterable[float]) -> set[int]:
    return set(map(int, values))


def _unsaid(row: "Row[tuple[object, ...]]") -> Unsaid:
    return msgspec.convert({name: getattr(row, name) for name in Unsaid.__struct_fields__}, Unsaid)
