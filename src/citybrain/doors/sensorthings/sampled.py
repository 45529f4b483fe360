"""The Observations about a feature that was made by hand: listed beside the store, read from it through the guard's reader."""

from typing import Final

from citybrain.brain.observe import LOCATION, About, Featured, Registry
from citybrain.doors.sensorthings import spans
from citybrain.doors.sensorthings.shape import Item, Shaper
from citybrain.kernel.access import Order, Query
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.ports import Reader
from citybrain.kernel.predicate import Compare, Predicate, both

_PAGE: Final = 1000


def there(registry: Registry, feature: str) -> bool:
    """Whether there is a feature of this id: one that was made here, or the place where a thing stands."""
    try:
        found = registry.entity(feature)
    except NotFoundError:
        return False
    return found.valid_to is None and found.kind != LOCATION and found.place is not None


def lists(where: Predicate) -> bool:
    """Whether a predicate asks for the observations about such a feature, and names no streams of them."""
    return spans.named(where, "feature") is not None and spans.named(where, "stream") is None


def observed(
    reader: Reader,
    registry: Registry,
    featured: Featured,
    shaper: Shaper,
    where: Predicate,
    limit: int,
    cursor: str | None,
    order: Order | None,
) -> tuple[tuple[Item, ...], str | None]:
    """At most ``limit`` of them that satisfy a predicate, newest first unless ``order`` says otherwise, and the cursor of those after."""
    (feature,) = spans.named(where, "feature") or ("",)
    descending = order is None or order.descending
    place = None if cursor is None else spans.place(cursor)
    after = None if place is None else About(*place, feature)
    listed = featured.listed(feature, after, min(limit, _PAGE) + 1, descending=descending)
    page = _few(listed[: min(limit, _PAGE)])
    known = {one.stream: registry.streams()[one.stream - 1] for one in page}
    present = sorted(stream.id for stream in known.values() if stream.ended is None)
    onward = f"{page[-1].stream}.{page[-1].time}" if len(listed) > len(page) else None
    if not present:
        return (), onward
    times = [one.time for one in page]
    own = both(Compare("time", "ge", spans.written(min(times))), Compare("time", "le", spans.written(max(times))))
    asked = both(both(Compare("stream", "in", tuple(present)), own), spans.without(where, {"feature", "entity", "id"}))
    ids = tuple(one.id for one in page)
    rows = reader.read(Query("observation", both(asked, Compare("id", "in", ids)), Order("time", descending), len(ids))).rows
    by_id = {str(row["id"]): row for row in rows}
    return tuple(shaper.observation(by_id[one.id], feature, one) for one in page if one.id in by_id), onward


def _few(page: tuple[About, ...]) -> tuple[About, ...]:
    """The first of a page, of no more streams than the store is asked for at once."""
    streams: set[int] = set()
    for place, one in enumerate(page):
        streams.add(one.stream)
        if len(streams) > spans.MOST:
            return page[:place]
    return page
