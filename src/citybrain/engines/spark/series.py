"""The history on Spark: closed files from the object store, the rest from the owner of the series, one answer."""

from collections.abc import Callable, Sequence
from functools import partial

import pyarrow as pa

from citybrain.engines.duckdb import split, splitting
from citybrain.engines.duckdb.split import TOTALS, Owner, Split
from citybrain.engines.duckdb.tables import COLUMNS, STORED
from citybrain.engines.objects import ObjectStore
from citybrain.engines.spark.connect import Connect, DataFrame, LostError, SparkSession
from citybrain.kernel.errors import BusyError
from citybrain.kernel.instant import Duration
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.text import Text

PATIENCE = 60.0
"""Seconds that a question may take."""
_SCHEMA = "seq BIGINT, stream_no INT, time BIGINT, value DOUBLE, received BIGINT, door INT"
"""STORED in Spark's words: said, so that Spark need not open a file to find out."""
_COMPARED = ("seq", "stream_no", "time", "value")
_AGAIN = 5


class SparkSeries:
    """The reading half of the Series port for history; answers are those of the owner's DuckSeries, column for column.

    ``folder`` is the store as Spark finds it, where that is another address than ours. A question whose session is lost, or whose
    files were replaced while they were read, is asked once more; then BusyError.
    """

    def __init__(self, url: str, store: ObjectStore, owner: Owner, folder: str | None = None, patience: float = PATIENCE) -> None:
        self._connect = Connect(url, patience)
        self._store = store
        self._owner = owner
        self._folder = (folder or store.folder).rstrip("/")

    def scan(self, query: SeriesQuery) -> pa.Table:
        """Observations (ROWS) or buckets of a SeriesQuery; rows are revised here, buckets are summed up by Spark."""
        if query.bucket is None:
            part, closed = self._answered(partial(self._owner.split, query), partial(self._rows, query), STORED)
            return split.rows(part, closed, marks=query.marks)
        totals = partial(self._totals, query, query.bucket)
        return split.buckets(*self._answered(partial(self._owner.split, query), totals, TOTALS), marks=query.marks)

    def latest(self, at_most: int | None = None) -> pa.Table:
        """The newest observation of every stream (ROWS), of those with a sequence number of at most that."""
        ask = partial(self._owner.split_latest, at_most)
        found = self._answered(ask, partial(self._latest, at_most), STORED)
        return split.latest(*found, lambda streams: self._owner.latest(at_most, streams))

    def close(self) -> None:
        """End the session with Spark."""
        self._connect.close()

    def _answered(
        self, ask: Callable[[], Split], read: Callable[[Split, SparkSession], pa.Table], schema: pa.Schema
    ) -> tuple[Split, pa.Table]:
        """A split, and what its files come to."""
        lost: LostError | None = None
        for _ in range(2):
            part = ask()
            if not part.files:
                return part, schema.empty_table()
            try:
                closed = self._connect.ask(partial(read, part))
            except LostError as error:
                lost = error
                continue
            # An engine may pass over a file that is gone: what is there afterwards was there all the time.
            if self._store.names().keys() >= set(part.files):
                return part, closed.rename_columns(schema.names).cast(schema)
        raise _failed() from lost

    def _rows(self, query: SeriesQuery, part: Split, session: SparkSession) -> pa.Table:
        closed = self._files(session, part.files, STORED.names)
        return _asked(session, f"SELECT {COLUMNS} FROM {{closed}} WHERE {splitting.where(query)}", closed=closed)

    def _totals(self, query: SeriesQuery, size: Duration, part: Split, session: SparkSession) -> pa.Table:
        wanted = splitting.where(query)
        given = (("clean", part.clean), ("mixed", part.mixed))
        compared, corrected = ((*_COMPARED, "door"), split.marking(part.doors)) if query.marks else (_COMPARED, None)
        frames = {name: self._files(session, files, compared) for name, files in given if files}
        if part.hot.num_rows:
            frames["mixed"] = frames["mixed"].unionByName(session.createDataFrame(part.hot.select(compared)))
        # A source without files is nothing of the other one: Sail does not join an empty frame to files.
        clean = f"(SELECT * FROM {{clean}} WHERE {wanted})" if part.clean else "(SELECT * FROM {mixed} WHERE false)"
        mixed = f"(SELECT * FROM {{mixed}} WHERE {wanted})" if part.mixed else "(SELECT * FROM {clean} WHERE false)"
        return _asked(session, splitting.totals_sql(clean, mixed, size, corrected), **frames)

    def _latest(self, at_most: int | None, part: Split, session: SparkSession) -> pa.Table:
        upto = "" if at_most is None else f" WHERE seq <= {at_most}"
        closed = self._files(session, part.files, STORED.names)
        return _asked(session, splitting.newest_sql(f"(SELECT {COLUMNS} FROM {{closed}}{upto})"), closed=closed)

    def _files(self, session: SparkSession, names: Sequence[str], columns: Sequence[str]) -> DataFrame:
        return session.read.schema(_SCHEMA).parquet(*(f"{self._folder}/{name}" for name in names)).select(*columns)


def _asked(session: SparkSession, sql: str, **frames: DataFrame) -> pa.Table:
    """The answer to a question over frames, which stand in it as ``{name}``."""
    found: pa.Table = session.sql(sql, **frames).toArrow()
    return found


def _failed() -> BusyError:
    what = Text(
        "历史数据查询引擎（Spark）或对象存储暂时不可用，请稍后重试。",
        "The engine that reads the history (Spark), or its object store, is not available. Try again shortly.",
    )
    return BusyError(what, retry_after=_AGAIN)
