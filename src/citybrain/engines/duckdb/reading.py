"""Reading observations: hot rows and closed segments as one, the newest revision of each stream and time."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.engines.duckdb import segments
from citybrain.engines.duckdb.revision import bucket_sql, column32, column64, day_range, newest_rows
from citybrain.engines.duckdb.segments import Segment
from citybrain.engines.duckdb.state import number
from citybrain.engines.duckdb.tables import COLUMNS, STORED
from citybrain.kernel.observations import ROWS, Floats, Ints, Numbers, SeriesQuery

_BUCKETS_TYPES: dict[str, pa.DataType] = {
    "stream_no": pa.int32(),
    "time": pa.int64(),
    "mean": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "count": pa.int64(),
}
BUCKETS = pa.schema(_BUCKETS_TYPES)


def rows(cursor: duckdb.DuckDBPyConnection, folder: Path, query: SeriesQuery) -> pa.Table:
    """ROWS of a query, newest revisions, ordered by stream and time."""
    where = _where(query)
    closed = segments.source(segments.within(cursor, query.since, query.until), folder)
    sql = f"SELECT {COLUMNS} FROM series.obs WHERE {where} UNION ALL SELECT {COLUMNS} FROM {closed} WHERE {where}"
    return named(cursor, newest_rows(cursor.execute(sql).to_arrow_table().cast(STORED)))


def buckets(cursor: duckdb.DuckDBPyConnection, folder: Path, query: SeriesQuery) -> pa.Table:
    """BUCKETS of a query. Only where files overlap one another or a hot day are revisions compared."""
    clean, mixed = _parted(segments.within(cursor, query.since, query.until), _hot_days(cursor))
    where = _where(query)
    revised = (
        f"SELECT stream_no, time, arg_max(value, seq) AS value FROM (SELECT {COLUMNS} FROM series.obs WHERE {where} "
        f"UNION ALL SELECT {COLUMNS} FROM {segments.source(mixed, folder)} WHERE {where}) GROUP BY stream_no, time"
    )
    either = f"SELECT stream_no, time, value FROM {segments.source(clean, folder)} WHERE {where} UNION ALL {revised}"
    sql = (
        f"SELECT stream_no, {bucket_sql(query.bucket or 1)} AS bucket, avg(value) AS mean, min(value) AS low, "
        f"max(value) AS high, count(*) AS count FROM ({either}) GROUP BY stream_no, bucket"
    )
    found = cursor.execute(sql).to_arrow_table().rename_columns(BUCKETS.names).cast(BUCKETS)
    # Sorted here: DuckDB would take as long for it as for all the rest.
    return found.take(np.lexsort((column64(found, "time"), column32(found, "stream_no"))))


def after(cursor: duckdb.DuckDBPyConnection, folder: Path, seq: int, limit: int) -> pa.Table:
    """STORED rows after a sequence number, in order, to the end of a batch where batches are still known."""
    later = [segment for segment in segments.every(cursor) if segment.last_seq > seq]
    source = f"(SELECT {COLUMNS} FROM series.obs UNION ALL SELECT {COLUMNS} FROM {segments.source(later, folder)})"
    wanted = f"SELECT seq FROM {source} WHERE seq > {seq} ORDER BY seq LIMIT {limit}"
    upto = number(cursor, f"SELECT max(seq) FROM ({wanted})")
    upto = max(upto, number(cursor, f"SELECT min(last_seq) FROM series.batch WHERE last_seq >= {upto}"))
    sql = f"SELECT {COLUMNS} FROM {source} WHERE seq > {seq} AND seq <= {upto} ORDER BY seq"
    return cursor.execute(sql).to_arrow_table().cast(STORED)


def known(cursor: duckdb.DuckDBPyConnection, folder: Path, stream_no: Numbers, time: Ints) -> Floats:
    """The newest value at each (stream, time), NaN where there is none; shapes (n,)."""
    result = np.full(len(time), np.nan)
    if len(time) == 0:
        return result
    low, high = int(time.min()), int(time.max())
    ordered = np.sort(time)
    holding = [part for part in segments.within(cursor, low, high + 1) if _between(ordered, part.low, part.high)]
    place = np.arange(len(time), dtype=np.int64)
    cursor.register("wanted", pa.table({"place": place, "stream_no": stream_no, "time": time}))
    where = f"time BETWEEN {low} AND {high} AND stream_no BETWEEN {stream_no.min()} AND {stream_no.max()}"
    source = f"SELECT {COLUMNS} FROM series.obs UNION ALL SELECT {COLUMNS} FROM {segments.source(holding, folder)}"
    sql = (
        "SELECT place, arg_max(value, seq) AS value FROM wanted JOIN "
        f"(SELECT * FROM ({source}) WHERE {where}) AS have USING (stream_no, time) GROUP BY place"
    )
    found = cursor.execute(sql).fetchnumpy()
    result[np.asarray(found["place"])] = np.asarray(found["value"])
    return result


def latest(cursor: duckdb.DuckDBPyConnection, folder: Path, at_most: int | None) -> pa.Table:
    """STORED rows: the newest observation of every stream, among those up to a sequence number."""
    upto = 2**62 if at_most is None else at_most
    closed = f"(SELECT {COLUMNS} FROM series.closed_latest)"
    if number(cursor, "SELECT max(last_seq) FROM series.segment") > upto:
        closed = segments.source(segments.every(cursor), folder)
    source = f"(SELECT {COLUMNS} FROM series.obs WHERE seq <= {upto} UNION ALL SELECT {COLUMNS} FROM {closed} WHERE seq <= {upto})"
    sql = (
        f"SELECT {COLUMNS} FROM {source} JOIN (SELECT stream_no, max(time) AS time FROM {source} GROUP BY stream_no) "
        "USING (stream_no, time)"
    )
    return newest_rows(cursor.execute(sql).to_arrow_table().cast(STORED))


def named(cursor: duckdb.DuckDBPyConnection, stored: pa.Table) -> pa.Table:
    """STORED rows as ROWS: the numbers of doors become their names."""
    doors = cursor.execute("SELECT no, name FROM series.door").fetchall()
    return with_names(stored, dict(doors))


def with_names(stored: pa.Table, names: dict[int, str]) -> pa.Table:
    """STORED rows as ROWS, with the doors' names given."""
    table = pa.array([names.get(no) for no in range(max(names, default=-1) + 1)], type=pa.string())
    doors = table.take(stored.column("door").combine_chunks()) if len(table) else pa.nulls(stored.num_rows, pa.string())
    return stored.set_column(ROWS.get_field_index("door"), "door", doors).cast(ROWS)


def _where(query: SeriesQuery) -> str:
    """The streams as literals: only so does DuckDB skip row groups. Where none between is left out, their ends say it all."""
    streams = sorted(set(query.streams))
    span = f"time >= {int(query.since)} AND time < {int(query.until)} AND stream_no BETWEEN {streams[0]} AND {streams[-1]}"
    if streams[-1] - streams[0] + 1 == len(streams):
        return span
    return f"{span} AND stream_no IN ({', '.join(str(int(stream)) for stream in streams)})"


def _hot_days(cursor: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    return [day_range(int(day)) for (day,) in cursor.execute("SELECT day FROM series.hot_day").fetchall()]


def _parted(found: Sequence[Segment], hot: Sequence[tuple[int, int]]) -> tuple[list[Segment], list[Segment]]:
    """Segments that share no time with anything, and the others."""
    clusters: list[list[Segment]] = []
    reach = -(2**62)
    for segment in found:
        if segment.low <= reach:
            clusters[-1].append(segment)
        else:
            clusters.append([segment])
        reach = max(reach, segment.high)
    clean: list[Segment] = []
    mixed: list[Segment] = []
    for cluster in clusters:
        warm = any(segment.low < until and segment.high >= since for segment in cluster for since, until in hot)
        (mixed if warm or len(cluster) > 1 else clean).extend(cluster)
    return clean, mixed


def _between(ordered: NDArray[np.int64], low: int, high: int) -> bool:
    return bool(np.searchsorted(ordered, low) < np.searchsorted(ordered, high, side="right"))
