"""Hourly history of a kind for forecasts, from the buckets of the series store."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.instant import HOUR, Instant
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.pack import History
from citybrain.kernel.ports import Series
from citybrain.kernel.things import Stream


def hourly(series: Series, streams: Sequence[Stream], fields: Sequence[str], since: Instant, until: Instant) -> History:
    """Means by hour over [since, until), both on the hour: each field (t, e), NaN where there is none; entities by id.

    Hours that hold a value outside the stream's range are gaps: an instrument's fault is no history to learn from.
    """
    wanted = [stream for stream in streams if stream.field in fields]
    entities = tuple(sorted({stream.entity for stream in wanted}))
    column = {entity: place for place, entity in enumerate(entities)}
    times = np.arange(since, until, HOUR, dtype=np.int64)
    filled = {field: np.full((len(times), len(entities)), np.nan) for field in fields}
    rows = series.scan(SeriesQuery(tuple(stream.no for stream in wanted), since, until, HOUR))
    no, time, mean = (rows[name].to_numpy() for name in ("stream_no", "time", "mean"))
    low, high = rows["low"].to_numpy(), rows["high"].to_numpy()
    for stream in wanted:
        mine = np.searchsorted(no, stream.no), np.searchsorted(no, stream.no, side="right")
        part = slice(int(mine[0]), int(mine[1]))
        good = _within(stream, low[part], high[part])
        place = (time[part][good] - since) // HOUR
        filled[stream.field][place, column[stream.entity]] = mean[part][good]
    return History(times, entities, filled)


def last(history: History, hours: int) -> History:
    """The last hours of a history."""
    cut: Mapping[str, NDArray[np.float64]] = {name: column[-hours:] for name, column in history.fields.items()}
    return History(history.times[-hours:], history.entities, cut)


def _within(stream: Stream, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
    contract = stream.contract
    floor = -np.inf if contract.low is None else contract.low
    ceiling = np.inf if contract.high is None else contract.high
    return (low >= floor) & (high <= ceiling)
