"""The revision rule: of the rows of one stream and time the one with the greatest sequence number counts. Pure.

A revision of infinite value, which no measurement has, strikes out what was there: it counts, and is left out of what is read.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.kernel.instant import DAY, HOUR
from citybrain.kernel.observations import Ints, Numbers

_EAST = 8 * HOUR
"""The district's day begins at 16:00 UTC (Asia/Shanghai)."""
GREATEST = "1.7976931348623157e308"
"""The greatest number that can be measured, for SQL."""
STANDS = f"value <= {GREATEST}"
"""SQL of DuckDB and Spark: a row was not struck out."""


def newest(stream_no: Numbers, time: Ints, seq: Ints) -> NDArray[np.int64]:
    """Indices (m,) of the rows that count, ordered by stream and time; inputs are (n,). The last of equal rows wins."""
    order = np.lexsort((seq, time, stream_no))
    streams, times = stream_no[order], time[order]
    last = np.empty(len(order), dtype=np.bool_)
    last[-1:] = True
    np.not_equal(streams[1:], streams[:-1], out=last[:-1])
    last[:-1] |= times[1:] != times[:-1]
    return order[last]


def newest_rows(rows: pa.Table) -> pa.Table:
    """A STORED or ROWS table reduced to the rows that count, ordered by stream and time."""
    kept = newest(column32(rows, "stream_no"), column64(rows, "time"), column64(rows, "seq"))
    return rows if len(kept) == rows.num_rows and bool((np.diff(kept) == 1).all()) else rows.take(kept)


def standing_rows(rows: pa.Table) -> pa.Table:
    """Rows that count, less those that were struck out."""
    stands = np.isfinite(rows.column("value").to_numpy())
    return rows if bool(stands.all()) else rows.filter(pa.array(stands))


def last_of_each(sorted_rows: pa.Table) -> pa.Table:
    """The last row of every stream of sorted rows."""
    streams = column32(sorted_rows, "stream_no")
    last = np.append(streams[1:] != streams[:-1], np.ones(min(1, len(streams)), dtype=np.bool_))
    return sorted_rows.take(np.flatnonzero(last))


def column64(rows: pa.Table, name: str) -> Ints:
    """A column of whole numbers (n,)."""
    return np.asarray(rows.column(name).to_numpy(), dtype=np.int64)


def column32(rows: pa.Table, name: str) -> Numbers:
    """A column of small whole numbers (n,)."""
    return np.asarray(rows.column(name).to_numpy(), dtype=np.int32)


def day_of(time: int) -> int:
    """The number of the district's calendar day since 1970-01-01."""
    return (time + _EAST) // DAY


def days_of(time: Ints) -> frozenset[int]:
    """The days of many times (n,)."""
    if len(time) == 0:
        return frozenset()
    first, last = day_of(int(time.min())), day_of(int(time.max()))
    return frozenset((first,)) if first == last else frozenset(np.unique((time + _EAST) // DAY).tolist())


def day_range(day: int) -> tuple[int, int]:
    """The instants at which a day begins and ends."""
    return day * DAY - _EAST, (day + 1) * DAY - _EAST


def bucket_sql(bucket: int) -> str:
    """The start of a row's bucket; buckets of a day begin at the district's midnight, shorter ones fit into it."""
    shifted = f"(time + {_EAST})"
    return f"(time - (({shifted} % {bucket}) + {bucket}) % {bucket})"
