"""Closing days: old rows move from the hot table to sorted Parquet, newest revisions only, and nothing is lost between."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import structlog

from citybrain.engines.duckdb import segments
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.duckdb.ledger import key
from citybrain.engines.duckdb.revision import column32, column64, day_range, last_of_each, newest_rows
from citybrain.engines.duckdb.segments import SLICE, Segment
from citybrain.engines.duckdb.state import number
from citybrain.engines.duckdb.tables import COLUMNS, STORED
from citybrain.engines.duckdb.writer import Writer
from citybrain.kernel.instant import Instant

_log = structlog.get_logger(__name__)


class History(NamedTuple):
    """What an import is called, through which door it counts, and when it was received."""

    name: str
    door: str
    received: Instant


class Closing:
    """Closes days and brings in history; one at a time (``alone`` is held), beside the writer that goes on."""

    def __init__(self, file: DuckFile, writer: Writer, alone: threading.Lock) -> None:
        self._file = file
        self._writer = writer
        self._alone = alone

    def close_days(self, before: int) -> int:
        """Move every day that ended by an instant; late rows of closed days are merged in. Returns the rows written."""
        with self._alone:
            self._writer.settle()
            with self._file.cursor() as cursor:
                segments.sweep(cursor, self._file.closed)
            days = sorted(day for day in self._writer.state.hot_days if day_range(day)[1] <= before)
            return sum(self._close(day) for day in days)

    def bring_in(self, history: History, table: pa.Table) -> int:
        """Write history (columns stream_no, time, value) as one segment; 0 when its name is there already."""
        with self._alone:
            self._file.space.check()
            with self._file.cursor() as cursor:
                if number(cursor, "SELECT count(*) FROM series.segment WHERE name = ?", [history.name]) or not table.num_rows:
                    return 0
                seq = 1 + number(cursor, "SELECT coalesce(max(last_seq), -2147483648) FROM series.segment WHERE first_seq < 0")
            rows = _as_stored(table, seq, self._writer.state.open(history.door).no, history.received)
            return self._enter(history, rows if _is_sorted(rows) else newest_rows(rows), table.num_rows)

    def _enter(self, history: History, rows: pa.Table, sent: int) -> int:
        folder = self._file.closed
        path = f"import{column64(rows, 'seq')[0] + 2**31:06d}.parquet"
        slices = (rows.slice(start, SLICE) for start in range(0, rows.num_rows, SLICE))
        segment = segments.write(folder, path, history.name, None, slices)
        batch = f"import:{history.name}"
        door = self._writer.state.open(history.door)

        def enter(cursor: duckdb.DuckDBPyConnection) -> None:
            segments.register(cursor, folder, segment)
            _renew_latest(cursor, last_of_each(rows))
            line = (batch, key(batch), history.received, door.no, segment.rows, sent - segment.rows, None, 0)
            cursor.execute("INSERT INTO series.batch VALUES (?, ?, ?, ?, ?, ?, ?, ?)", line)

        def count() -> None:
            self._writer.state.count(history.door, segment.rows, sent - segment.rows, history.received)

        self._writer.run(enter, count)
        return segment.rows

    def _close(self, day: int) -> int:
        self._file.space.check()
        upto = self._writer.settle()
        since, until = day_range(day)
        folder = self._file.closed
        newest: list[pa.Table] = []
        emptied: list[int] = []
        with self._file.cursor() as cursor:
            old = [segment for segment in segments.within(cursor, since, until) if segment.day == day]
            parts = _slices(cursor, _source(old, folder, since, until, upto), newest)
            segment = segments.write(folder, f"day{day:06d}-{upto:012d}.parquet", f"day {day}", day, parts)
        latest = pa.concat_tables(newest) if newest else STORED.empty_table()

        def enter(cursor: duckdb.DuckDBPyConnection) -> None:
            hot = f"time >= {since} AND time < {until}"
            if segment.rows:
                segments.register(cursor, folder, segment)
            cursor.execute(f"DELETE FROM series.obs WHERE {hot} AND seq <= {upto}")
            _renew_latest(cursor, latest)
            if not number(cursor, f"SELECT count(*) FROM (FROM series.obs WHERE {hot} LIMIT 1)"):
                cursor.execute(f"DELETE FROM series.hot_day WHERE day = {day}")
                emptied.append(day)

        def forget() -> None:
            self._writer.state.hot_days = self._writer.state.hot_days.difference(emptied)

        self._writer.run(enter, forget)
        _log.info("day_closed", day=day, rows=segment.rows, merged=len(old))
        return segment.rows


def _source(old: list[Segment], folder: Path, since: int, until: int, upto: int) -> str:
    hot = f"SELECT {COLUMNS} FROM series.obs WHERE time >= {since} AND time < {until} AND seq <= {upto}"
    return f"({hot} UNION ALL SELECT {COLUMNS} FROM {segments.source(old, folder)})"


def _slices(cursor: duckdb.DuckDBPyConnection, source: str, newest: list[pa.Table]) -> Iterator[pa.Table]:
    """Rows of a source by ranges of streams, each sorted and reduced; the newest row of every stream goes to ``newest``."""
    counts = cursor.execute(f"SELECT stream_no, count(*) AS n FROM {source} GROUP BY stream_no ORDER BY stream_no").fetchnumpy()
    streams, rows = np.asarray(counts["stream_no"]), np.asarray(counts["n"])
    start = 0
    while start < len(streams):
        end = start + max(1, int(np.searchsorted(np.cumsum(rows[start:]), SLICE, side="right")))
        wanted = f"stream_no BETWEEN {streams[start]} AND {streams[end - 1]}"
        part = newest_rows(cursor.execute(f"SELECT {COLUMNS} FROM {source} WHERE {wanted}").to_arrow_table().cast(STORED))
        newest.append(last_of_each(part))
        yield part
        start = end


def _renew_latest(cursor: duckdb.DuckDBPyConnection, newest: pa.Table) -> None:
    """Bring the newest closed row of every stream up to date, within an open transaction."""
    have = cursor.execute(f"SELECT {COLUMNS} FROM series.closed_latest").to_arrow_table().cast(STORED)
    merged = last_of_each(newest_rows(pa.concat_tables([have, newest])))
    cursor.register("newest_rows", merged)
    cursor.execute("DELETE FROM series.closed_latest")
    cursor.execute(f"INSERT INTO series.closed_latest SELECT {COLUMNS} FROM newest_rows")


def _is_sorted(rows: pa.Table) -> bool:
    """Whether rows are strictly in order of stream and time, so without repeats."""
    streams, times = column32(rows, "stream_no"), column64(rows, "time")
    later = (streams[1:] == streams[:-1]) & (times[1:] > times[:-1])
    return bool(((streams[1:] > streams[:-1]) | later).all())


def _as_stored(table: pa.Table, seq: int, door: int, received: Instant) -> pa.Table:
    n = table.num_rows
    columns = [
        np.full(n, seq, dtype=np.int64),
        table.column("stream_no").cast(pa.int32()),
        table.column("time").cast(pa.int64()),
        table.column("value").cast(pa.float64()),
        np.full(n, received, dtype=np.int64),
        np.full(n, door, dtype=np.int32),
    ]
    return pa.table(columns, schema=STORED)
