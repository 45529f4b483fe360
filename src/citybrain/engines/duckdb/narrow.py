"""A few streams out of a few closed files: the row groups that hold them are read by themselves.

DuckDB looks through the whole footer of a file at each question, which takes longer than reading what is wanted. Here the footers of
the files that were asked last are kept, about a megabyte each.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from citybrain.engines.duckdb import segments
from citybrain.engines.duckdb.revision import column32
from citybrain.engines.duckdb.segments import Segment
from citybrain.engines.duckdb.tables import STORED
from citybrain.kernel.observations import SeriesQuery

_FILES: Final = 16
"""Files that are read so, and footers that are kept."""
_STREAMS: Final = 8
_GROUPS: Final = 64
"""Row groups that are read so."""
_Ends: TypeAlias = NDArray[np.int64]
"""The least and the greatest of a column in each row group, (n, 2)."""
_ANY: Final = (-(2**62), 2**62)


class _File(NamedTuple):
    """A closed file; the moment of its last change (ns) tells it from one that had its name before."""

    path: Path
    changed: int


class _Footer(NamedTuple):
    own: pq.FileMetaData
    streams: _Ends
    times: _Ends


def source(
    cursor: duckdb.DuckDBPyConnection, found: Sequence[Segment], folder: Path, query: SeriesQuery, columns: Sequence[str], name: str
) -> str:
    """SQL that reads ``columns`` of the rows of segments in which those of a query are; what is read here is registered by a name."""
    if not found or len(found) > _FILES or len(query.streams) > _STREAMS:
        return segments.source(found, folder)
    footers = {path: _footer(_File(path, path.stat().st_mtime_ns)) for path in (folder / segment.path for segment in found)}
    groups = {path: _holding(footer, query) for path, footer in footers.items()}
    if sum(map(len, groups.values())) > _GROUPS:
        return segments.source(found, folder)
    empty = STORED.empty_table().select(columns)
    parts = [_read(path, footers[path].own, group, query, empty.schema) for path, listed in groups.items() for group in listed]
    cursor.register(name, pa.concat_tables([empty, *parts]))
    return name


def _holding(footer: _Footer, query: SeriesQuery) -> list[int]:
    """The row groups that may hold rows of a query."""
    wanted = np.sort(np.array(query.streams, dtype=np.int64))
    first, past = np.searchsorted(wanted, footer.streams[:, 0]), np.searchsorted(wanted, footer.streams[:, 1], side="right")
    inside = (footer.times[:, 0] < query.until) & (footer.times[:, 1] >= query.since)
    return [int(group) for group in np.flatnonzero(inside & (first < past))]


def _read(path: Path, footer: pq.FileMetaData, group: int, query: SeriesQuery, wanted: pa.Schema) -> pa.Table:
    """The rows of a row group, which are sorted by stream, that are of the streams of a query."""
    with pq.ParquetFile(path, metadata=footer) as file:
        rows = file.read_row_group(group, columns=wanted.names, use_threads=False)
    streams = column32(rows, "stream_no")
    ends = [np.searchsorted(streams, (stream, stream + 1)) for stream in sorted(set(query.streams))]
    mine = [np.arange(first, past) for first, past in ends]
    return rows.take(np.concatenate(mine)).cast(wanted)


@lru_cache(_FILES)
def _footer(file: _File) -> _Footer:
    own = pq.read_metadata(file.path)
    return _Footer(own, _ends(own, "stream_no"), _ends(own, "time"))


def _ends(footer: pq.FileMetaData, name: str) -> _Ends:
    place = STORED.get_field_index(name)
    found = [footer.row_group(group).column(place).statistics for group in range(footer.num_row_groups)]
    return np.array([(one.min, one.max) if one else _ANY for one in found], dtype=np.int64).reshape(-1, 2)
