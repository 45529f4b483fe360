"""A question to the series in two parts: closed files that another engine may read, and what their owner answers itself. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from citybrain.engines.duckdb.revision import column32, column64, last_of_each, newest_rows, standing_rows
from citybrain.kernel.observations import ROWS, Floats, SeriesQuery

_TOTALS_TYPES: dict[str, pa.DataType] = {
    "stream_no": pa.int32(),
    "time": pa.int64(),
    "total": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "count": pa.int64(),
    "corrected": pa.int64(),
    "struck": pa.int64(),
}
TOTALS = pa.schema(_TOTALS_TYPES)
"""What some rows of a bucket come to; several of one (stream_no, time) are added up. Marks are 0 where nobody asked for them."""
_BUCKETS_TYPES: dict[str, pa.DataType] = {
    "stream_no": pa.int32(),
    "time": pa.int64(),
    "mean": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "count": pa.int64(),
}
BUCKETS = pa.schema(_BUCKETS_TYPES)
MARKED = pa.schema({**_BUCKETS_TYPES, "corrected": pa.int64(), "struck": pa.int64()})
"""Buckets of a query for marks: without figures where all of one was struck out."""
CORRECTION = "correction"
"""The door of values that a person set."""


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

    def latest(self, at_most: int | None = None, streams: tuple[int, ...] | None = None) -> pa.Table:
        """The newest observation (ROWS) of every stream, or of some."""
        ...


def rows(part: Split, closed: pa.Table, *, marks: bool = False) -> pa.Table:
    """ROWS, ordered by stream and time, from the rows (STORED) of the files and the rest of a split."""
    found = newest_rows(pa.concat_tables([closed, part.hot]))
    return with_names(found if marks else standing_rows(found), part.doors)


def buckets(part: Split, closed: pa.Table, *, marks: bool = False) -> pa.Table:
    """BUCKETS (MARKED with marks), ordered by stream and time, from what the files came to (TOTALS) and the rest of a split."""
    found = pa.concat_tables([closed, part.totals])
    if found.num_rows == 0:
        return MARKED.empty_table() if marks else BUCKETS.empty_table()
    found = found.take(np.lexsort((column64(found, "time"), column32(found, "stream_no"))))
    streams, times, count = column32(found, "stream_no"), column64(found, "time"), column64(found, "count")
    total, low, high = _floats(found, "total"), _floats(found, "low"), _floats(found, "high")
    corrected, struck = column64(found, "corrected"), column64(found, "struck")
    first = np.flatnonzero(np.append(True, (streams[1:] != streams[:-1]) | (times[1:] != times[:-1])))
    if len(first) < len(streams):
        streams, times, count, total = streams[first], times[first], np.add.reduceat(count, first), np.add.reduceat(total, first)
        # Where all of a part was struck out it has neither.
        low, high = np.fmin.reduceat(low, first), np.fmax.reduceat(high, first)
        corrected, struck = np.add.reduceat(corrected, first), np.add.reduceat(struck, first)
    if not marks:
        return pa.table([streams, times, total / count, low, high, count], schema=BUCKETS)
    none = count == 0
    figures = [pa.array(figure, pa.float64(), mask=none) for figure in (total / np.maximum(count, 1), low, high)]
    return pa.table([streams, times, *figures, count, corrected, struck], schema=MARKED)


def latest(part: Split, closed: pa.Table, back: Callable[[tuple[int, ...]], pa.Table]) -> pa.Table:
    """ROWS: the newest of every stream among candidates (STORED) from the files and those of a split.

    ``back`` gives what stands (ROWS) of streams whose newest reading was struck out.
    """
    newest = last_of_each(newest_rows(pa.concat_tables([closed, part.hot])))
    stands = with_names(standing_rows(newest), part.doors)
    if stands.num_rows == newest.num_rows:
        return stands
    struck = np.setdiff1d(column32(newest, "stream_no"), column32(stands, "stream_no"))
    return pa.concat_tables([stands, back(tuple(struck.tolist()))]).sort_by("stream_no")


def marking(doors: Mapping[int, str]) -> int:
    """The number of the door of corrections; -1, which none has, where nothing was ever corrected."""
    return next((no for no, name in doors.items() if name == CORRECTION), -1)


def with_names(stored: pa.Table, names: Mapping[int, str]) -> pa.Table:
    """STORED rows as ROWS, with the doors' names given."""
    table = pa.array([names.get(no) for no in range(max(names, default=-1) + 1)], type=pa.string())
    doors = table.take(stored.column("door").combine_chunks()) if len(table) else pa.nulls(stored.num_rows, pa.string())
    return stored.set_column(ROWS.get_field_index("door"), "door", doors).cast(ROWS)


def _floats(rows: pa.Table, name: str) -> Floats:
    return np.asarray(rows.column(name).to_numpy(), dtype=np.float64)
