"""The Series port on DuckDB: append by way of a journal, follow, scan, close days, bring in history, delete with a record."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from citybrain.engines.duckdb import reading, segments
from citybrain.engines.duckdb.closing import Closing, History
from citybrain.engines.duckdb.commit import transaction
from citybrain.engines.duckdb.deleting import Deleting, Due
from citybrain.engines.duckdb.deletions import Deletion, recorded
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.duckdb.ledger import Door
from citybrain.engines.duckdb.ring import Ring
from citybrain.engines.duckdb.writer import Writer
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import ROWS, Batch, DoorAccount, Floats, Ints, Numbers, Receipt, SeriesQuery

PENDING_ROWS = 1_000_000
"""Rows that may wait for their commit before senders are told to come back later."""
RING_ROWS = 1_000_000
"""Rows kept in memory for followers: 40 bytes each."""


class DuckSeries:
    """Observations in a DuckFile. Batches are kept by id for 24 h of their ``received`` time."""

    def __init__(self, file: DuckFile, pending_rows: int = PENDING_ROWS, ring_rows: int = RING_ROWS) -> None:
        self._file = file
        self._ring = Ring(ring_rows)
        with file.cursor() as cursor:
            segments.sweep(cursor, file.closed)
            segments.show(cursor, file.closed)
        self._writer = Writer(file, self._ring, pending_rows)
        alone = threading.Lock()
        self._closing = Closing(file, self._writer, alone)
        self._deleting = Deleting(file, self._writer, alone)

    async def append(self, batch: Batch) -> Receipt:
        """Make a batch durable together with its door account (grouped with others); raises BusyError, StorageFullError."""
        if not len(batch.stream_no) == len(batch.time) == len(batch.value):
            message = "The arrays of a batch have unlike lengths."
            raise ValueError(message)
        return await self._writer.put(batch)

    def scan(self, query: SeriesQuery) -> pa.Table:
        """Observations (ROWS) or buckets of a SeriesQuery; a day's bucket begins at the district's midnight."""
        if not query.streams or query.since >= query.until:
            return (ROWS if query.bucket is None else reading.BUCKETS).empty_table()
        with self._snapshot() as cursor:
            read = reading.rows if query.bucket is None else reading.buckets
            return read(cursor, self._file.closed, query)

    def after(self, seq: int, limit: int) -> pa.Table:
        """Observations (ROWS) with a greater sequence number, in order, to the end of a commit; imports are not among them."""
        if seq >= self.last_seq():
            return ROWS.empty_table()
        recent = self._ring.after(seq, limit)
        if recent is not None:
            return reading.with_names(recent, {door.no: name for name, door in self._doors().items()})
        with self._snapshot() as cursor:
            return reading.named(cursor, reading.after(cursor, self._file.closed, seq, limit))

    def known(self, stream_no: Numbers, time: Ints) -> Floats:
        """The newest stored value at each (stream, time), NaN where there is none; shapes (n,). Meant for late rows."""
        with self._snapshot() as cursor:
            return reading.known(cursor, self._file.closed, stream_no, time)

    def latest(self, at_most: int | None = None) -> pa.Table:
        """The newest observation of every stream (ROWS), of those with a sequence number of at most that; read at start."""
        with self._snapshot() as cursor:
            return reading.named(cursor, reading.latest(cursor, self._file.closed, at_most))

    def doors(self) -> Sequence[DoorAccount]:
        """The ledger of every door since the beginning, in the order of first use."""
        return tuple(door.account for door in self._doors().values())

    def last_seq(self) -> int:
        """The greatest durable sequence number; 0 at first."""
        return self._writer.state.last_seq

    def close_days(self, before: Instant) -> int:
        """Move every day of the district that ended by an instant to Parquet; returns the rows written. Blocks: run in a thread."""
        return self._closing.close_days(before)

    def import_segment(self, name: str, table: pa.Table, door: str, received: Instant) -> int:
        """Bring in history (columns stream_no, time in µs, value) as one sorted file; returns the rows stored.

        A name that is there already is left as it is (0). Imported rows have a negative sequence number: what was observed
        wins over them, a later import over an earlier one, and followers of the sequence do not meet them.
        """
        return self._closing.bring_in(History(name, door, received), table)

    def delete(self, dues: Sequence[Due]) -> Sequence[Deletion]:
        """Delete from closed days what is due; a record for each file that held some. Blocks: run in a thread.

        The files that are replaced go at the next ``close_days``, when those who read them are done.
        """
        return self._deleting.delete(dues)

    def deletions(self) -> Sequence[Deletion]:
        """The record of every deletion, the oldest first."""
        with self._snapshot() as cursor:
            return recorded(cursor)

    def gone(self) -> Sequence[Deletion]:
        """The deletions that are not certified yet and whose replaced files are off the disk."""
        return self._deleting.gone()

    def certify(self, deletion: str, erased: Instant) -> None:
        """Enter the wall time at which the replaced file of a deletion was found to be gone."""
        self._deleting.certify(deletion, erased)

    def close(self) -> None:
        """Write what waits and end the writer; the file is closed by its owner."""
        self._writer.close()

    def _doors(self) -> dict[str, Door]:
        return self._writer.state.doors

    @contextmanager
    def _snapshot(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction: the list of segments and the hot rows belong together."""
        with self._file.reading() as cursor, transaction(cursor):
            yield cursor
