"""Times of Observations that say more than one: what is asked of their intervals and of ``resultTime`` as bounds of the time they have in the store.

How far results of a stream are from their observations is known, the earliest and the latest; so is its longest interval. Where the
bounds are not exact, rows within them are looked at one by one.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache, partial
from typing import Final

from citybrain.brain.observe import Featured, Lags
from citybrain.doors.sensorthings.nodes import Value
from citybrain.doors.sensorthings.push import Column, Pushed
from citybrain.kernel.instant import Instant, at, rfc3339
from citybrain.kernel.predicate import Compare, Op, Predicate, both

_MOST: Final = 200
"""Streams whose lags are asked for."""
_FIRST: Final = Instant(0)
_LAST: Final = Instant(2**57)
"""No observation is later."""


def columns(featured: Featured, streams: Iterable[int]) -> dict[str, Column]:
    """The columns of times for streams of which something is said."""
    lags = cache(lambda: lags_of(featured, streams))
    return {"phenomenonTime": partial(_interval, lags), "resultTime": partial(_late, lags)}


def lags_of(featured: Featured, streams: Iterable[int]) -> Lags | None:
    """How far the results of streams are from their observations; None for more streams than are asked."""
    listed = tuple(streams)
    return featured.lags(listed) if len(listed) <= _MOST else None


def _interval(lags: Callable[[], Lags | None], op: Op, value: Value) -> Predicate | Pushed | None:
    """An interval is after what is before its begin, which is its time; it is before what is after its end, and so after its time."""
    if not isinstance(value, datetime):
        return None
    known = lags()
    whole = op in ("gt", "ge") or (known is not None and not known.longest)
    return Pushed(Compare("time", op, rfc3339(at(value))), exact=whole)


def _late(lags: Callable[[], Lags | None], op: Op, value: Value) -> Predicate | Pushed | None:
    known = lags() if isinstance(value, datetime) else None
    if known is None or not isinstance(value, datetime):
        return None
    since: Predicate = Compare("time", "ge", _bound(at(value) - known.high))
    until: Predicate = Compare("time", "le", _bound(at(value) - known.low))
    found = {"gt": since, "ge": since, "lt": until, "le": until, "eq": both(since, until)}.get(op)
    return None if found is None else Pushed(found, exact=False)


def _bound(time: int) -> str:
    return rfc3339(Instant(max(_FIRST, min(_LAST, time))))
