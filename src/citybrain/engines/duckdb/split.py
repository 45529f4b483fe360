"""A question to the series in two parts: closed files that another engine may read, and what their owner answers itself. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from citybrain.engines.duckdb.revision import column32, column64, last_of_each, newest_rows
from citybrain.kernel.observations import ROWS, Floats, SeriesQuery

_TOTALS_TYPES: dict[str, pa.DataType] = {
    "stream_no": pa.int32(),
    "time": pa.int64(),
    "total": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "count": pa.int64(),
}
TOTALS = pa.schema(_TOTALS_TYPES)
"""What some rows of a bucket come to; several of one (stream_no, time) are added up."""
_BUCKETS_TYPES: dict[str, pa.DataType] = {
    "stream_no": pa.int32(),
    "time": pa.int64(),
    "mean": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "count": pa.int64(),
}
BUCKETS = pa.schema(_BUCKETS_TYPES)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One snapshot of a question: files of the object store by name, and all that is not in them.

    Of ``clean`` files every row counts. Rows of ``mixed`` files and of ``hot`` (STORED, newest revisions) are of one stream and time
    now and then: the greatest sequence number counts. ``totals`` (TOTALS) are buckets of further rows. ``doors`` names doors by number.
    """

    clean: tuple[str, ...]
    mixed: tuple[str, ...]
    hot: pa.Table
    totals: pa.Table
    doors: Mapping[int, str]

    @property
    def files(self) -> tuple[str, ...]:
        """All files that are to be read."""
        return self.clean + self.mixed


class Owner(Protocol):
    """Who splits questions: the owner of the series, here or in another process."""

    def split(self, query: SeriesQuery) -> Split:
        """The parts of a scan; without a bucket all files are ``mixed`` and ``totals`` is empty."""
        ...

    def split_latest(self, at_most: int | None = None) -> Split:
        """The parts of ``latest``; ``hot`` holds the newest row of every stream among those that are in no file."""
        ...


def rows(part: Split, closed: pa.Table) -> pa.Table:
    """ROWS, ordered by stream and time, from the rows (STORED) of the files and the rest of a split."""
    return with_names(newest_rows(pa.concat_tables([closed, part.hot])), part.doors)


def buckets(part: Split, closed: pa.Table) -> pa.Table:
    """BUCKETS, ordered by stream and time, from what the files came to (TOTALS) and the rest of a split."""
    found = pa.concat_tables([closed, part.totals])
    if found.num_rows == 0:
        return BUCKETS.empty_table()
    found = found.take(np.lexsort((column64(found, "time"), column32(found, "stream_no"))))
    streams, times, count = column32(found, "stream_no"), column64(found, "time"), column64(found, "count")
    total, low, high = _floats(found, "total"), _floats(found, "low"), _floats(found, "high")
    first = np.flatnonzero(np.append(True, (streams[1:] != streams[:-1]) | (times[1:] != times[:-1])))
    if len(first) < len(streams):
        streams, times, count, total = streams[first], times[first], np.add.reduceat(count, first), np.add.reduceat(total, first)
        low, high = np.minimum.reduceat(low, first), np.maximum.reduceat(high, first)
    return pa.table([streams, times, total / count, low, high, count], schema=BUCKETS)


def latest(part: Split, closed: pa.Table) -> pa.Table:
    """ROWS: the newest of every stream among candidates (STORED) from the files and those of a split."""
    candidates = newest_rows(pa.concat_tables([closed, part.hot]))
    return with_names(last_of_each(candidates), part.doors)


def with_names(stored: pa.Table, names: Mapping[int, str]) -> pa.Table:
    """STORED rows as ROWS, with the doors' names given."""
    table = pa.array([names.get(no) for no in range(max(names, default=-1) + 1)], type=pa.string())
    doors = table.take(stored.column("door").combine_chunks()) if len(table) else pa.nulls(stored.num_rows, pa.string())
    return stored.set_column(ROWS.get_field_index("door"), "door", doors).cast(ROWS)


def _floats(rows: pa.Table, name: str) -> Floats:
    return np.asarray(rows.column(name).to_numpy(), dtype=np.float64)
