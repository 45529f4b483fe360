"""Observations of many Datastreams, group after group: those that have none in the span are passed over, however many come first."""

from collections.abc import Sequence
from typing import Final

from citybrain.doors.sensorthings import spans
from citybrain.doors.sensorthings.shape import Row
from citybrain.kernel.access import Order, Query
from citybrain.kernel.instant import DAY, Duration
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.ports import Reader, Series
from citybrain.kernel.predicate import Compare, Predicate, both

GROUPS: Final = 10
"""Groups that are read for one portion."""
_SILENT: Final = 20_000
"""Datastreams of which it is asked at once whether any has an observation."""
_YEARS: Final = Duration(3660 * DAY)
"""So long that one row says it of all that a Datastream has, or a few."""


def listed(
    reader: Reader,
    series: Series,
    streams: Sequence[str],
    numbers: Sequence[int],
    rest: Predicate,
    order: Order | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[Row], str | None]:
    """At most ``limit`` rows of streams (n,), whose numbers (n,) are given too, and the mark of those after.

    Fewer, or none, where a group was looked through as far as is bounded, or many groups were.
    """
    group, inner = spans.mark(cursor)
    found: list[Row] = []
    for _ in range(GROUPS):
        part = tuple(streams[group * spans.MOST : (group + 1) * spans.MOST])
        if not part:
            return found, None
        page = reader.read(Query("observation", both(Compare("stream", "in", part), rest), order, limit - len(found), inner))
        found += page.rows
        group, inner = (group + 1, None) if page.next is None else (group, page.next)
        if inner is not None or len(found) >= limit:
            break
        if not page.rows:
            group = _next(series, numbers, group, rest)
    return found, spans.marked(group, inner) if group * spans.MOST < len(streams) else None


def _next(series: Series, numbers: Sequence[int], group: int, rest: Predicate) -> int:
    """The first group, from one on, of which any has an observation in the span; the more are silent the more are asked of at once."""
    begin, size = group * spans.MOST, spans.MOST
    while begin < len(numbers):
        size = min(4 * size, _SILENT)
        asked = numbers[begin : begin + size]
        heard = set(series.scan(SeriesQuery(tuple(asked), *spans.between(rest), _YEARS))["stream_no"].to_pylist())
        first = next((place for place, no in enumerate(asked, begin) if no in heard), None)
        if first is not None:
            return first // spans.MOST
        begin += size
    return -(-len(numbers) // spans.MOST)
