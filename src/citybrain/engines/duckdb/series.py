"""The Series port on DuckDB: append by way of a journal, follow, scan, close days, bring in history, delete with a record, ship."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from citybrain.engines.duckdb import reading, saving, segments, split, splitting
from citybrain.engines.duckdb.closing import Closing, History
from citybrain.engines.duckdb.commit import transaction
from citybrain.engines.duckdb.deleting import Deleting, Due
from citybrain.engines.duckdb.deletions import Deletion, recorded
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.duckdb.ledger import Door
from citybrain.engines.duckdb.ring import Ring
from citybrain.engines.duckdb.saving import Saving
from citybrain.engines.duckdb.shipping import Shipping
from citybrain.engines.duckdb.split import TOTALS, Split
from citybrain.engines.duckdb.tables import STORED
from citybrain.engines.duckdb.writer import Writer
from citybrain.engines.objects import ObjectStore
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import ROWS, Batch, DoorAccount, Floats, Ints, Numbers, Receipt, SeriesQuery

PENDING_ROWS = 1_000_000
"""Rows that may wait for their commit before senders are told to come back later."""
RING_ROWS = 1_000_000
"""Rows kept in memory for followers: 40 bytes each."""


class DuckSeries:
    """Observations in a DuckFile. Batches are kept by id for 24 h of their ``received`` time.

    With a ``store`` closed files are mirrored there, and questions can be split between their readers and this.
    """

    def __init__(
        self, file: DuckFile, pending_rows: int = PENDING_ROWS, ring_rows: int = RING_ROWS, store: ObjectStore | None = None
    ) -> None:
        self._file = file
        self._ring = Ring(ring_rows)
        saving.sweep(file.folder)
        with file.cursor() as cursor:
            segments.sweep(cursor, file.closed)
            segments.show(cursor, file.closed)
        self._writer = Writer(file, self._ring, pending_rows)
        alone = threading.Lock()
        self._closing = Closing(file, self._writer, alone)
        self._deleting = Deleting(file, self._writer, alone)
        self._shipping = None if store is None else Shipping(file, self._writer, store)

    async def append(self, batch: Batch) -> Receipt:
        """Make a batch durable together with its door account (grouped with others); raises BusyError, StorageFullError."""
        if not len(batch.stream_no) == len(batch.time) == len(batch.value):
            message = "The arrays of a batch have unlike lengths."
            raise ValueError(message)
        return await self._writer.put(batch)

    def scan(self, query: SeriesQuery) -> pa.Table:
        """Observations (ROWS) or buckets of a SeriesQuery; a day's bucket begins at the district's midnight."""
        part = self._split(query, shipped=False)
        if query.bucket is None:
            return split.rows(part, STORED.empty_table(), marks=query.marks)
        return split.buckets(part, TOTALS.empty_table(), marks=query.marks)

    def after(self, seq: int, limit: int) -> pa.Table:
        """Observations (ROWS) with a greater sequence number, in order, to the end of a commit; imports are not among them."""
        if seq >= self.last_seq():
            return ROWS.empty_table()
        recent = self._ring.after(seq, limit)
        if recent is not None:
            return split.with_names(recent, {door.no: name for name, door in self._doors().items()})
        with self._snapshot() as cursor:
            found = reading.after(cursor, self._file.closed, seq, limit)
            return split.with_names(found, splitting.doors(cursor))

    def known(self, stream_no: Numbers, time: Ints) -> Floats:
        """The newest stored value at each (stream, time), infinite where it was struck out, NaN where there is none; shapes (n,).

        Meant for late rows.
        """
        with self._snapshot() as cursor:
            return reading.known(cursor, self._file.closed, stream_no, time)

    def latest(self, at_most: int | None = None, streams: tuple[int, ...] | None = None) -> pa.Table:
        """The newest observation (ROWS) of every stream, or of some, of those with a sequence number of at most that."""
        with self._snapshot() as cursor:

            def back(wanted: tuple[int, ...]) -> pa.Table:
                return split.with_names(splitting.standing(cursor, self._file.closed, wanted, at_most), splitting.doors(cursor))

            if streams is not None:
                return back(streams)
            part = splitting.latest(cursor, self._file.closed, at_most, frozenset())
            return split.latest(part, STORED.empty_table(), back)

    def split(self, query: SeriesQuery) -> Split:
        """The parts of a scan at one snapshot: files that are whole in the store, and the rest. With no store all is in the rest."""
        return self._split(query, shipped=True)

    def split_latest(self, at_most: int | None = None) -> Split:
        """The parts of ``latest`` at one snapshot; files only where the newest rows of closed days are too new."""
        with self._snapshot() as cursor:
            return splitting.latest(cursor, self._file.closed, at_most, self._there(cursor))

    def ship(self) -> int:
        """Make the store equal to the closed files; returns how many were sent or removed, 0 with no store. Blocks: run in a thread.

        Meant for after ``close_days``, imports and deletions; what a kill leaves is done at the next call. Raises BusyError while the
        store does not answer, StorageFullError, and ConflictError for a store that is another's.
        """
        return 0 if self._shipping is None else self._shipping.ship()

    def claim(self) -> None:
        """Raise ConflictError for a store that is another's, BusyError while it does not answer."""
        if self._shipping is not None:
            self._shipping.claim()

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
        """The deletions that are not certified yet and whose replaced files are off the disk and out of every store."""
        return self._deleting.gone()

    def certify(self, deletion: str, erased: Instant) -> None:
        """Enter the wall time at which the replaced file of a deletion was found to be gone."""
        self._deleting.certify(deletion, erased)

    def hold(self) -> Saving:
        """What stands at this instant, with the facts beside it, to be copied while observations come in. One at a time."""
        return self._writer.hold()

    def close(self) -> None:
        """Write what waits and end the writer; the file is closed by its owner."""
        self._writer.close()

    def _split(self, query: SeriesQuery, *, shipped: bool) -> Split:
        with self._snapshot() as cursor:
            if not query.streams or query.since >= query.until:
                return Split((), (), STORED.empty_table(), TOTALS.empty_table(), {})
            there = self._there(cursor) if shipped else frozenset[str]()
            if query.bucket is None:
                return splitting.rows(cursor, self._file.closed, query, there)
            return splitting.buckets(cursor, self._file.closed, query, query.bucket, there)

    def _there(self, cursor: duckdb.DuckDBPyConnection) -> frozenset[str]:
        return frozenset() if self._shipping is None else self._shipping.there(cursor)

    def _doors(self) -> dict[str, Door]:
        return self._writer.state.doors

    @contextmanager
    def _snapshot(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction: the list of segments and the hot rows belong together."""
        with self._file.reading() as cursor, transaction(cursor):
            yield cursor
