"""Splitting a question at one snapshot. What DuckDB answers alone is the split in which no file is anywhere else."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from citybrain.engines.duckdb import narrow, segments
from citybrain.engines.duckdb.revision import STANDS, bucket_sql, day_range, last_of_each, newest_rows, standing_rows
from citybrain.engines.duckdb.segments import Segment
from citybrain.engines.duckdb.split import TOTALS, Split, marking
from citybrain.engines.duckdb.state import number
from citybrain.engines.duckdb.tables import COLUMNS, STORED
from citybrain.kernel.instant import DAY, Duration, Instant
from citybrain.kernel.observations import SeriesQuery

_LAST = 2**62
"""Beyond every sequence number and every time."""
_OWN = ("clean", "mixed")
_SUMMED = ("seq", "stream_no", "time", "value", "door")
"""What buckets are made of."""


class _Piece(NamedTuple):
    """A span of time [low, high] in which there may be rows: of a segment, or of a day that is still hot."""

    low: int
    high: int
    segment: Segment | None


def rows(cursor: duckdb.DuckDBPyConnection, folder: Path, query: SeriesQuery, there: frozenset[str]) -> Split:
    """Split a question for rows; ``there`` are the names of the files that another engine can read."""
    found = segments.within(cursor, query.since, query.until)
    here = [segment for segment in found if segment.path not in there]
    return Split((), _names(found, there), _rows(cursor, folder, query, here), TOTALS.empty_table(), doors(cursor))


def buckets(cursor: duckdb.DuckDBPyConnection, folder: Path, query: SeriesQuery, size: Duration, there: frozenset[str]) -> Split:
    """Split a question for buckets. Only where files overlap one another or a hot day are revisions compared.

    What shares no time with a file that is there is summed up here; of what does, the rows go beside the file.
    """
    clean: list[Segment] = []
    mixed: list[Segment] = []
    own_clean: list[Segment] = []
    own_mixed: list[Segment] = []
    spans: list[tuple[int, int]] = []
    for cluster in _clusters(_pieces(cursor, query)):
        held = [piece.segment for piece in cluster if piece.segment is not None]
        away = [segment for segment in held if segment.path in there]
        if away:
            (clean if len(cluster) == 1 else mixed).extend(held)
        else:
            (own_clean if len(cluster) == 1 else own_mixed).extend(held)
        if 0 < len(away) < len(cluster):
            spans.append((cluster[0].low, max(piece.high for piece in cluster)))
    shared = " OR ".join(f"time BETWEEN {low} AND {high}" for low, high in spans) or "false"
    beside = [segment for segment in mixed if segment.path not in there]
    hot = _rows(cursor, folder, query, beside, f"({shared})") if spans else STORED.empty_table()
    totals = _totals(cursor, folder, query, size, (own_clean, own_mixed), f"NOT ({shared})")
    return Split(_names(clean, there), _names(mixed, there), hot, totals, doors(cursor))


def latest(cursor: duckdb.DuckDBPyConnection, folder: Path, at_most: int | None, there: frozenset[str]) -> Split:
    """Split the question for the newest row of every stream, among those up to a sequence number."""
    upto = _LAST if at_most is None else at_most
    found: Sequence[Segment] = ()
    closed = f"(SELECT {COLUMNS} FROM series.closed_latest)"
    if number(cursor, "SELECT max(last_seq) FROM series.segment") > upto:
        found = segments.every(cursor)
        closed = segments.source([segment for segment in found if segment.path not in there], folder)
    source = f"(SELECT {COLUMNS} FROM series.obs WHERE seq <= {upto} UNION ALL SELECT {COLUMNS} FROM {closed} WHERE seq <= {upto})"
    hot = newest_rows(cursor.execute(newest_sql(source)).to_arrow_table().cast(STORED))
    return Split((), _names(found, there), hot, TOTALS.empty_table(), doors(cursor))


def standing(cursor: duckdb.DuckDBPyConnection, folder: Path, streams: tuple[int, ...], at_most: int | None = None) -> pa.Table:
    """The newest rows (STORED) of some streams that were not struck out, among those up to a sequence number.

    They are looked for backwards in time, for most are near the end.
    """
    pieces = _pieces(cursor, SeriesQuery(streams, Instant(-_LAST), Instant(_LAST)))
    low, end, width = (pieces[0].low, max(piece.high for piece in pieces) + 1, DAY) if pieces else (0, 0, DAY)
    found, left = [STORED.empty_table()], set(streams)
    while left and end > low:
        query = SeriesQuery(tuple(left), Instant(max(low, end - width)), Instant(end))
        held = segments.within(cursor, query.since, query.until)
        rows = _rows(cursor, folder, query, held, upto=_LAST if at_most is None else at_most)
        found.append(last_of_each(standing_rows(rows)))
        left.difference_update(found[-1]["stream_no"].to_pylist())
        end, width = int(query.since), Duration(4 * width)
    return pa.concat_tables(found).sort_by("stream_no")


def newest_sql(source: str) -> str:
    """SQL: every revision of the newest time of each stream."""
    return (
        f"SELECT {COLUMNS} FROM {source} JOIN (SELECT stream_no, max(time) AS time FROM {source} GROUP BY stream_no) "
        "USING (stream_no, time)"
    )


def doors(cursor: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """The doors by their numbers."""
    return dict(cursor.execute("SELECT no, name FROM series.door").fetchall())


def where(query: SeriesQuery) -> str:
    """The streams as literals: only so are row groups skipped. Where none between is left out, their ends say it all."""
    streams = sorted(set(query.streams))
    span = f"time >= {int(query.since)} AND time < {int(query.until)} AND stream_no BETWEEN {streams[0]} AND {streams[-1]}"
    if streams[-1] - streams[0] + 1 == len(streams):
        return span
    return f"{span} AND stream_no IN ({', '.join(str(int(stream)) for stream in streams)})"


def totals_sql(clean: str, mixed: str, size: Duration, corrected: int | None = None) -> str:
    """SQL that DuckDB and Spark understand alike: TOTALS of rows that all count, and of rows whose newest revisions count.

    Given the number of the door of corrections its rows are counted, and those that were struck out: else nobody reads the doors.
    """
    marks = corrected is not None
    more, newest = (", door", ", max_by(door, seq) AS door") if marks else ("", "")
    revised = f"SELECT stream_no, time, max_by(value, seq) AS value{newest} FROM {mixed} GROUP BY stream_no, time"
    source = f"(SELECT stream_no, time, value{more} FROM {clean} UNION ALL {revised})"
    figures = "sum(value) AS total, min(value) AS low, max(value) AS high, count(*) AS count, 0 AS corrected, 0 AS struck"
    if marks:
        value, one = (f"CASE WHEN {STANDS} THEN {what} END" for what in ("value", "1"))
        figures = (
            f"coalesce(sum({value}), 0) AS total, min({value}) AS low, max({value}) AS high, count({one}) AS count, "
            f"count(CASE WHEN {STANDS} AND door = {corrected} THEN 1 END) AS corrected, count(*) - count({one}) AS struck"
        )
    wanted = "" if marks else f" WHERE {STANDS}"
    return f"SELECT stream_no, {bucket_sql(size)} AS bucket, {figures} FROM {source}{wanted} GROUP BY stream_no, bucket"


def _rows(
    cursor: duckdb.DuckDBPyConnection,
    folder: Path,
    query: SeriesQuery,
    found: Iterable[Segment],
    hot: str = "true",
    upto: int = _LAST,
) -> pa.Table:
    """The newest revisions (STORED) of hot rows and segments, of those up to a sequence number."""
    wanted = where(query) if upto == _LAST else f"{where(query)} AND seq <= {upto}"
    closed = narrow.source(cursor, tuple(found), folder, query, STORED.names, "closed_rows")
    sql = f"SELECT {COLUMNS} FROM series.obs WHERE {wanted} AND {hot} UNION ALL SELECT {COLUMNS} FROM {closed} WHERE {wanted}"
    return newest_rows(cursor.execute(sql).to_arrow_table().cast(STORED))


def _totals(
    cursor: duckdb.DuckDBPyConnection,
    folder: Path,
    query: SeriesQuery,
    size: Duration,
    own: tuple[Iterable[Segment], Iterable[Segment]],
    hot: str,
) -> pa.Table:
    """TOTALS of hot rows and segments: those that share no time with anything, and the others."""
    wanted = where(query)
    columns = ", ".join(_SUMMED)
    sources = (
        narrow.source(cursor, tuple(held), folder, query, _SUMMED, f"closed_{name}") for name, held in zip(_OWN, own, strict=True)
    )
    clean, mixed = (f"SELECT {columns} FROM {source} WHERE {wanted}" for source in sources)
    revised = f"(SELECT {columns} FROM series.obs WHERE {wanted} AND {hot} UNION ALL {mixed})"
    corrected = marking(doors(cursor)) if query.marks else None
    found = cursor.execute(totals_sql(f"({clean})", revised, size, corrected)).to_arrow_table()
    return found.rename_columns(TOTALS.names).cast(TOTALS)


def _pieces(cursor: duckdb.DuckDBPyConnection, query: SeriesQuery) -> list[_Piece]:
    """All that may hold rows of a query, in order of time."""
    held = [_Piece(segment.low, segment.high, segment) for segment in segments.within(cursor, query.since, query.until)]
    days = [day_range(int(day)) for (day,) in cursor.execute("SELECT day FROM series.hot_day").fetchall()]
    hot = [_Piece(low, high - 1, None) for low, high in days if low < query.until and high > query.since]
    return sorted(held + hot, key=lambda piece: piece.low)


def _clusters(pieces: Iterable[_Piece]) -> list[list[_Piece]]:
    """Pieces that share time with one another, transitively; those of different clusters share none."""
    clusters: list[list[_Piece]] = []
    reach = -(2**62)
    for piece in pieces:
        if piece.low <= reach:
            clusters[-1].append(piece)
        else:
            clusters.append([piece])
        reach = max(reach, piece.high)
    return clusters


def _names(found: Iterable[Segment], there: frozenset[str]) -> tuple[str, ...]:
    return tuple(segment.path for segment in found if segment.path in there)
