"""Words that no reading says any more: found after the retention has deleted the readings that did, deleted with a record.

look (readings, newest first, until each word was met) → what is kept of corrections → Worded.delete, less what is being said meanwhile.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Row, insert, select, update

from citybrain.brain.observe import corrected
from citybrain.brain.observe.horizon import Span
from citybrain.brain.observe.pieces import PIECE, days, pieces
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.store import UNSAID
from citybrain.brain.observe.worded import WORDED
from citybrain.kernel.clock import Clock
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.ports import Series, Transactions

_BEGIN, _END = Instant(0), Instant(2**62)
_MANY: Final = 500
"""Streams whose days are looked at in one question."""
_READ: Final = PIECE
"""Readings that are read at once."""
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
        for no in numbers:
            mine = table.filter(pa.array(each == no))
            low, high = mine["low"].to_numpy(), mine["high"].to_numpy()
            left[no] -= _whole((*low.tolist(), *high.tolist()))
            if left[no]:
                self._read(left[no], no, mine)

    def _read(self, left: set[int], no: int, table: pa.Table) -> None:
        begins, low, high = (table[name].to_numpy() for name in ("time", "low", "high"))
        for (since, until), _ in pieces(days(table), _BEGIN, _END, descending=True, most=_READ):
            codes = np.array(sorted(left))
            within = (begins < until) & (begins + DAY > since)
            if (np.searchsorted(codes, high[within]) > np.searchsorted(codes, low[within])).any():
                rows = self._series.scan(SeriesQuery((no,), since, until))
                left -= _whole(np.unique(rows["value"].to_numpy()).tolist())
            if not left:
                return

    def _record(self, span: Span, connection: Connection, gone: "Sequence[Row[tuple[object, ...]]]") -> None:
        lines = "".join(f"{row.stream}\t{row.code}\t{row.word}\n" for row in gone)
        streams = len({row.stream for row in gone})
        digest = hashlib.sha256(lines.encode()).hexdigest()
        record = Unsaid(new_id(), span.kind, span.days, span.before, self._clock.wall(), streams, len(gone), digest)
        connection.execute(insert(UNSAID).values(msgspec.structs.asdict(record)))


def _whole(values: Iterable[float]) -> set[int]:
    return set(map(int, values))


def _unsaid(row: "Row[tuple[object, ...]]") -> Unsaid:
    return msgspec.convert({name: getattr(row, name) for name in Unsaid.__struct_fields__}, Unsaid)
