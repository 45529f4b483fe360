"""The series as its readers see it, whichever engine answers."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from citybrain.engines.duckdb import DuckSeries
from citybrain.engines.spark import SparkSeries
from citybrain.kernel.instant import Duration, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.engines.duckdb.world import Row


class Reading(NamedTuple):
    """The owner, and who answers; what was closed is shipped before it is asked for."""

    owner: DuckSeries
    reader: DuckSeries | SparkSeries

    def rows(self, streams: Sequence[int], since: int, until: int) -> list[Row]:
        """Stream, time and value of every row."""
        return plain(self.scan(streams, since, until))

    def buckets(self, streams: Sequence[int], since: int, until: int, size: int) -> list[tuple[float, ...]]:
        """Stream, start, mean, low, high and count of every bucket."""
        return list(zip(*self.scan(streams, since, until, Duration(size)).to_pydict().values(), strict=True))

    def latest(self, at_most: int | None = None) -> list[Row]:
        """Stream, time and value of the newest row of every stream."""
        self.owner.ship()
        return plain(self.reader.latest(at_most))

    def scan(self, streams: Sequence[int], since: int, until: int, size: Duration | None = None) -> pa.Table:
        """What a scan gives."""
        self.owner.ship()
        return self.reader.scan(SeriesQuery(tuple(streams), Instant(since), Instant(until), size))


def plain(table: pa.Table) -> list[Row]:
    """Stream, time and value of rows."""
    return list(zip(*(table[name].to_pylist() for name in ("stream_no", "time", "value")), strict=True))
