"""HistoricalLocations: each place that a thing had, with since when; the entities as the caller may see them, their places beside.

The present place of a thing is its Location, with the thing's own id, or those that it names; an earlier one is the Location that it
named, where that is there still, else one of no thing any more, with the id of the HistoricalLocation that leads to it.
"""

from collections.abc import Iterator
from typing import Final

from citybrain.brain.observe import LOCATION, Registry, Stood, stays
from citybrain.doors.sensorthings import spans
from citybrain.doors.sensorthings.multi import place
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.doors.sensorthings.shape import AT, STOOD, Item, Row, Shaper
from citybrain.kernel.access import Order, Query
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.places import Place
from citybrain.kernel.ports import Reader
from citybrain.kernel.predicate import Compare, Predicate, both

_PAGE: Final = 1000
_MOST: Final = 100_000
"""Places of things that are looked at for one Location."""
_LONGEST: Final = 1000


def listed(reader: Reader, shaper: Shaper, where: Predicate, limit: int, cursor: str | None) -> tuple[tuple[Item, ...], str | None]:
    """At most ``limit`` HistoricalLocations of things that satisfy a predicate, by thing and time, and the cursor of those after."""
    at = spans.named(where, AT)
    if at is not None:
        keys = tuple(key for location in at for key in _at(shaper.registry, location))
        where = both(spans.without(where, {AT}), Compare(STOOD, "in", keys))
    named = spans.named(where, STOOD)
    if named is not None:
        whole = tuple(shaper.historical(row, stood) for row, stood in _named(reader, shaper.registry, where, named))
        begin = _begun(cursor)
        return whole[begin : begin + limit], str(begin + limit) if len(whole) > begin + limit else None
    since, entity, inner = _mark(cursor)
    found: list[tuple[Item, str]] = []
    while True:
        page = reader.read(Query("entity", where, Order("id"), min(limit, _PAGE), inner))
        for row in page.rows:
            if entity is not None and row["id"] != entity:
                continue
            stood = _places(shaper.registry, row, since, limit + 1 - len(found))
            found += [(shaper.historical(row, one), f"{one.since}|{one.entity}|{inner or ''}") for one in stood]
            since, entity = 0, None
            if len(found) > limit:
                return tuple(item for item, _ in found[:limit]), found[limit][1]
        inner = page.next
        if inner is None and entity is not None:
            # The thing of the mark has ended meanwhile: rather some again than some not at all.
            (_, _, inner), since, entity = _mark(cursor), 0, None
        elif inner is None:
            return tuple(item for item, _ in found), None


def locations(reader: Reader, shaper: Shaper, where: Predicate, keys: tuple[str, ...]) -> tuple[Item, ...]:
    """The Locations of things' earlier places, by the ids of these."""
    return tuple(shaper.earlier(row, stood) for row, stood in _named(reader, shaper.registry, where, keys))


def _named(reader: Reader, registry: Registry, where: Predicate, keys: tuple[str, ...]) -> Iterator[tuple[Row, Stood]]:
    wanted: dict[str, list[Instant]] = {}
    for entity, key in filter(None, map(place, map(registry.made.keeping, keys))):
        wanted.setdefault(entity, []).append(key)
    if not wanted:
        return
    things = sorted(wanted)
    for begin in range(0, len(things), _PAGE):
        part = tuple(things[begin : begin + _PAGE])
        rows = both(spans.without(where, {STOOD}), Compare("id", "in", part))
        for row in reader.read(Query("entity", rows, Order("id"), len(part))).rows:
            for key in wanted[str(row["id"])]:
                stood = _place(registry, row, key)
                if stood is not None:
                    yield row, stood


def _at(registry: Registry, location: str) -> set[str]:
    """The ids of the HistoricalLocations that lead to a Location: of those who stand there, and of those who once stood where it is."""
    found = {registry.made.called(stood.id) for stood in registry.at_location(location, _MOST) if stays(registry, stood)}
    own = () if registry.entity(location).kind == LOCATION else (location,)
    for thing in (*own, *registry.made.guests.get(location, ())):
        entity, stands = registry.entity(thing), registry.moved(thing)
        if stands is None or not stands.struck:
            found.add(f"{thing}@{entity.valid_from}" if stands is None else registry.made.called(stands.id))
    return found


def _begun(cursor: str | None) -> int:
    """How many of those that are named were given before; raises BadInputError."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit()) or len(cursor) > 9:
        raise wrong("$skiptoken 无法识别，请从第一页开始。", "$skiptoken cannot be read. Start from the first page.", "$skiptoken")
    return int(cursor)


def _places(registry: Registry, row: Row, since: int, most: int) -> tuple[Stood, ...]:
    """The places of the thing of a row from an instant on."""
    key = str(row["id"])
    if registry.moved(key) is not None:
        return _listed(registry, key, since, most)
    lon, lat, begun = row["lon"], row["lat"], parse(str(row["valid_from"]))
    if not isinstance(lon, int | float) or not isinstance(lat, int | float) or begun < since:
        return ()
    return (Stood(key, begun, Place(lon, lat)),)


def _listed(registry: Registry, entity: str, since: int, most: int) -> tuple[Stood, ...]:
    """The places of a thing that moved, without those that were struck out."""
    found: list[Stood] = []
    while len(found) < most:
        page = registry.places(entity, since, most)
        found += (one for one in page if not one.struck)
        if len(page) < most:
            break
        since = page[-1].since + 1
    return tuple(found[:most])


def _place(registry: Registry, row: Row, key: int) -> Stood | None:
    """The place of the thing of a row whose id says an instant."""
    entity = str(row["id"])
    if registry.moved(entity) is not None:
        stood = registry.place(entity, key)
        return None if stood is None or stood.struck else stood
    return next((stood for stood in _places(registry, row, key, 1) if stood.key == key), None)


def _mark(cursor: str | None) -> tuple[int, str | None, str | None]:
    """Instant, thing and inner cursor of the first that is still to come; raises BadInputError."""
    if cursor is None:
        return 0, None, None
    since, bar, rest = cursor.partition("|")
    entity, second, inner = rest.partition("|")
    if not (bar and second and since.isascii() and since.isdigit()) or len(since) > 18 or len(cursor) > _LONGEST:
        raise wrong("$skiptoken 无法识别，请从第一页开始。", "$skiptoken cannot be read. Start from the first page.", "$skiptoken")
    return int(since), entity, inner or None
