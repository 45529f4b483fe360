"""The observations of another process where history has outgrown it: much of it is read through Spark, little is asked of their owner."""

from typing import Protocol

import pyarrow as pa
import structlog

from citybrain.engines.flight import Calls, RemoteSeries
from citybrain.kernel.errors import BusyError
from citybrain.kernel.instant import DAY
from citybrain.kernel.observations import SeriesQuery

log = structlog.get_logger()

MUCH = 100 * DAY
"""So many days of streams (streams × span) and more go to Spark: what is less its owner answers sooner than Spark begins."""
FEW = 4
"""So many streams their owner reads at any length: they lie together in each file."""


class Reads(Protocol):
    """What answers questions to the history."""

    def scan(self, query: SeriesQuery) -> pa.Table:
        """Observations or buckets of a SeriesQuery; raises BusyError."""
        ...


class HistorySeries(RemoteSeries):
    """RemoteSeries that has ``spark`` read much of many streams; while Spark is away their owner does, and others wait longer."""

    def __init__(self, calls: Calls, spark: Reads, much: int = MUCH) -> None:
        super().__init__(calls)
        self._spark = spark
        self._much = much

    def scan(self, query: SeriesQuery) -> pa.Table:
        """Observations or buckets of a SeriesQuery."""
        if len(query.streams) <= FEW or len(query.streams) * (query.until - query.since) < self._much:
            return super().scan(query)
        try:
            return self._spark.scan(query)
        except BusyError as error:
            log.warning("history_asked_of_its_owner", why=str(error))
            return super().scan(query)
