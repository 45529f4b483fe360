"""Following observations and looking at places, over hot rows and closed segments as one."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.engines.duckdb import segments
from citybrain.engines.duckdb.state import number
from citybrain.engines.duckdb.tables import COLUMNS, STORED
from citybrain.kernel.observations import Floats, Ints, Numbers


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


def _between(ordered: NDArray[np.int64], low: int, high: int) -> bool:
    return bool(np.searchsorted(ordered, low) < np.searchsorted(ordered, high, side="right"))
