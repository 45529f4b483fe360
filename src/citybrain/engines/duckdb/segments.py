"""Closed segments: sorted Parquet files, each in the segment table or an orphan to be removed."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from citybrain.engines.duckdb.file import quoted
from citybrain.engines.duckdb.revision import GREATEST, column64
from citybrain.engines.duckdb.tables import COLUMNS, STORED
from citybrain.engines.space import room
from citybrain.engines.syncing import sync

SLICE = 1_000_000
"""Rows sorted or written in memory at a time."""
_GROUP = 65_536
"""Rows of a row group: small enough that one stream's day touches one or two."""
_TIGHT = "DELTA_BINARY_PACKED"


class Segment(NamedTuple):
    """A Parquet file: its rows lie in [low, high] (µs) with sequence numbers in [first_seq, last_seq]; day None is an import.

    One without rows is a name alone: all that was in its file has been deleted.
    """

    name: str
    path: str
    day: int | None
    low: int
    high: int
    rows: int
    first_seq: int
    last_seq: int


def within(cursor: duckdb.DuckDBPyConnection, since: int, until: int) -> list[Segment]:
    """The segments that may hold rows in [since, until), in order of time."""
    sql = "SELECT * FROM series.segment WHERE rows > 0 AND high >= ? AND low < ? ORDER BY low, path"
    return [Segment(*row) for row in cursor.execute(sql, [since, until]).fetchall()]


def every(cursor: duckdb.DuckDBPyConnection) -> list[Segment]:
    """All segments that hold rows, in order of time."""
    return [Segment(*row) for row in cursor.execute("SELECT * FROM series.segment WHERE rows > 0 ORDER BY low, path").fetchall()]


def source(segments: Iterable[Segment], folder: Path, *more: str) -> str:
    """SQL that reads the rows of some segments (STORED); ``more`` are columns beside, such as ``filename``."""
    files = ", ".join(quoted(str(folder / segment.path)) for segment in segments)
    columns = ", ".join((COLUMNS, *more))
    return f"(SELECT {columns} FROM read_parquet([{files}]))" if files else f"(SELECT {COLUMNS} FROM series.obs WHERE false)"


def parts(path: Path) -> Iterator[pa.Table]:
    """The rows of a file (STORED) in their order, so many at a time."""
    with pq.ParquetFile(path) as file:
        for piece in file.iter_batches(batch_size=SLICE):
            yield pa.Table.from_batches([piece]).cast(STORED)


def write(folder: Path, path: str, name: str, day: int | None, slices: Iterable[pa.Table]) -> Segment:
    """Write sorted slices (STORED) as one file that is durable under its final name, not yet in the segment table.

    Raises StorageFullError; what was begun is removed.
    """
    temporary = folder / (path + ".part")
    try:
        with room():
            low, high, rows, first, last = _written(temporary, slices)
            sync(temporary)
            temporary.rename(folder / path)
            sync(folder)
    finally:
        temporary.unlink(missing_ok=True)
    return Segment(name, path, day, low, high, rows, first, last)


def _written(path: Path, slices: Iterable[pa.Table]) -> tuple[int, int, int, int, int]:
    """Write a file; least and greatest time, rows, least and greatest sequence number."""
    low, high, rows, first, last = 2**62, -(2**62), 0, 2**62, -(2**62)
    with pq.ParquetWriter(
        path,
        STORED,
        compression="zstd",
        use_dictionary=["stream_no", "door", "value"],  # type: ignore[arg-type]  # the stubs forget lists
        column_encoding={"seq": _TIGHT, "time": _TIGHT, "received": _TIGHT},
    ) as writer:
        for part in slices:
            if part.num_rows == 0:
                continue
            writer.write_table(part, row_group_size=_GROUP)
            time, seq = column64(part, "time"), column64(part, "seq")
            low, high = min(low, int(time.min())), max(high, int(time.max()))
            first, last = min(first, int(seq.min())), max(last, int(seq.max()))
            rows += part.num_rows
    return low, high, rows, first, last


def register(cursor: duckdb.DuckDBPyConnection, folder: Path, segment: Segment) -> None:
    """Enter a segment, within an open transaction; one of the same name is replaced."""
    cursor.execute("DELETE FROM series.segment WHERE name = ?", [segment.name])
    cursor.execute("INSERT INTO series.segment VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list(segment))
    show(cursor, folder)


def show(cursor: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the view ``observation`` (seq, stream_no, time, value), newest revisions that stand, for SQL and Ibis."""
    closed = source(every(cursor), folder)
    cursor.execute(
        "CREATE OR REPLACE VIEW observation AS SELECT max(seq) AS seq, stream_no, time, arg_max(value, seq) AS value "
        f"FROM (SELECT {COLUMNS} FROM series.obs UNION ALL SELECT {COLUMNS} FROM {closed}) AS revision "
        f"GROUP BY stream_no, time HAVING arg_max(value, seq) <= {GREATEST}"
    )


def sweep(cursor: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """Remove files that no segment names: half-written, replaced, or never entered. Returns how many."""
    named = {segment.path for segment in every(cursor)}
    orphans = [file for file in folder.iterdir() if file.name not in named]
    for file in orphans:
        file.unlink()
    return len(orphans)
