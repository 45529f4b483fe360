"""Deleting what was kept long enough: a closed file is written anew without the rows, swapped in together with the record of it.

The file that is replaced is removed by the next sweep (before days are closed, and at start), as when a day is closed again: those
who read it may finish. A record is certified only when that file is off the disk, and out of every object store it was sent to.
"""

import threading
from collections.abc import Sequence
from typing import NamedTuple

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import structlog

from citybrain.engines.duckdb import segments
from citybrain.engines.duckdb.commit import transaction
from citybrain.engines.duckdb.deletions import Deletion, Tally, enter, recorded
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.duckdb.segments import Segment
from citybrain.engines.duckdb.shipping import held
from citybrain.engines.duckdb.writer import Writer
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Numbers

_log = structlog.get_logger(__name__)


class Due(NamedTuple):
    """What is to go: the rows of a kind's streams (n,) before an instant, by a setting of so many days, at a wall time."""

    kind: str
    days: int
    before: Instant
    streams: Numbers
    wall: Instant


class Deleting:
    """Deletes from closed days, one file a commit; ``alone`` is held meanwhile, so that no day is closed beside it."""

    def __init__(self, file: DuckFile, writer: Writer, alone: threading.Lock) -> None:
        self._file = file
        self._writer = writer
        self._alone = alone

    def delete(self, dues: Sequence[Due]) -> list[Deletion]:
        """Take the due rows out of every closed file that holds some; a record each. Rows of days still open wait for the next time.

        Raises StorageFullError. A kill leaves each file either as it was, or without the rows and with its record.
        """
        with self._alone:
            self._writer.settle()
            return [self._delete(segment, due) for due in dues if len(due.streams) for segment in self._holding(due)]

    def certify(self, identifier: str, erased: Instant) -> None:
        """Enter when the replaced file of a deletion was found to be gone."""

        def note(cursor: duckdb.DuckDBPyConnection) -> None:
            cursor.execute("UPDATE series.deletion SET erased = ? WHERE id = ?", [erased, identifier])

        self._writer.run(note)

    def gone(self) -> list[Deletion]:
        """The deletions that are not certified yet, and of which the replaced file is off the disk and out of every store."""
        with self._file.cursor() as cursor, transaction(cursor):
            away = held(cursor)
            waiting = [one for one in recorded(cursor) if one.erased is None and one.file not in away]
        return [one for one in waiting if not (self._file.closed / one.file).exists()]

    def _holding(self, due: Due) -> list[Segment]:
        """The closed files in which there are due rows."""
        with self._file.cursor() as cursor, transaction(cursor):
            older = [segment for segment in segments.every(cursor) if segment.low < due.before]
            cursor.register("due_stream", pa.table({"stream_no": due.streams}))
            sql = f"SELECT DISTINCT filename FROM {segments.source(older, self._file.closed, 'filename')} WHERE {_where(due)}"
            found = {str(path) for (path,) in cursor.execute(sql).fetchall()} if older else set()
        return [segment for segment in older if str(self._file.closed / segment.path) in found]

    def _delete(self, old: Segment, due: Due) -> Deletion:
        # Below the low-water mark too: this is what makes room.
        folder, identifier = self._file.closed, new_id()
        tally = Tally(due.streams, due.before)
        parts = tally.rest(segments.parts(folder / old.path))
        written = segments.write(folder, f"kept-{identifier}.parquet", old.name, old.day, parts)
        # The numbers of the deleted rows stay taken; an emptied segment keeps its name, so that history is not brought in again.
        kept = written._replace(first_seq=old.first_seq, last_seq=old.last_seq)
        record = tally.record(identifier, due.kind, due.days, due.wall, old.path)

        def swap(cursor: duckdb.DuckDBPyConnection) -> None:
            segments.register(cursor, folder, kept)
            enter(cursor, record)
            cursor.register("due_stream", pa.table({"stream_no": due.streams}))
            within = f"time BETWEEN {record.first} AND {record.last}"
            cursor.execute(f"DELETE FROM series.closed_latest WHERE {_where(due)} AND {within}")

        self._writer.run(swap, lambda: self._writer.state.delete(tally.doors))
        _log.info("rows_deleted", kind=due.kind, file=old.path, rows=record.rows, deletion=identifier)
        return self._named(record)

    def _named(self, record: Deletion) -> Deletion:
        names = {str(door.no): name for name, door in self._writer.state.doors.items()}
        return msgspec.structs.replace(record, doors={names[no]: rows for no, rows in record.doors.items()})


def _where(due: Due) -> str:
    span = f"stream_no BETWEEN {int(np.min(due.streams))} AND {int(np.max(due.streams))}"
    return f"time < {int(due.before)} AND {span} AND stream_no IN (SELECT stream_no FROM due_stream)"
