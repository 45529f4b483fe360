"""Sensors and ObservedProperties: sets made of declarations and of what was made here, few enough to be looked through whole."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from citybrain.doors.sensorthings import spans
from citybrain.doors.sensorthings.shape import Item, Shaper, same
from citybrain.kernel import predicate
from citybrain.kernel.access import Order, Query
from citybrain.kernel.datasets import ColumnType
from citybrain.kernel.ports import Reader
from citybrain.kernel.predicate import Compare, Predicate

_PAGE: Final = 1000
_ID: Final[Mapping[str, ColumnType]] = {"id": "text", "kind": "text", "field": "text"}


def listed(
    reader: Reader,
    shaper: Shaper,
    whole: Callable[[str], bool],
    name: str,
    where: Predicate,
    limit: int,
    cursor: str | None,
    order: Order | None,
) -> tuple[tuple[Item, ...], str | None, int]:
    """At most ``limit`` of a set that satisfy a predicate, the cursor of those after, and how many there are.

    ``whole`` says whether a dataset is the caller's without narrowing.
    """
    fit = predicate.fitted(where, _ID)
    made = _sensors(reader, shaper, whole) if name == "Sensors" else _properties(reader, shaper)
    found = [item for item in made if predicate.holds(fit, item.row)]
    # Those of a MultiDatastream stand in its order, which is that of its results.
    ranks = {} if order is not None else {key: rank for rank, key in enumerate(_in_order(where))}
    found.sort(key=lambda item: (ranks.get(item.id, 0), item.id))
    begin = next((place for place, item in enumerate(found, 1) if item.id == cursor), 0)
    later = found[begin:]
    return tuple(later[:limit]), later[limit - 1].id if len(later) > limit else None, len(found)


def _sensors(reader: Reader, shaper: Shaper, whole: Callable[[str], bool]) -> Iterable[Item]:
    return [shaper.sensor(source) for source in sorted(_sources(reader, shaper, whole))]


def _sources(reader: Reader, shaper: Shaper, whole: Callable[[str], bool]) -> set[str]:
    registry = shaper.registry
    if whole("stream"):
        known = {one.id for one in registry.made.sensors.values() if one.ended is None}
        return known | {stream.source for stream in registry.present()}
    found: set[str] = set()
    cursor: str | None = None
    while True:
        page = reader.read(Query("stream", limit=_PAGE, cursor=cursor))
        found |= {str(row["source"]) for row in page.rows}
        cursor = page.next
        if cursor is None:
            return found


def _properties(reader: Reader, shaper: Shaper) -> Iterable[Item]:
    # Nobody sees the properties of streams who may see no stream; asked of none, so that nothing is looked through.
    reader.read(Query("stream", same("id", ""), limit=1))
    for kind in shaper.registry.kinds():
        for column in kind.fields:
            if column.measured:
                yield shaper.observed_property(kind.name, column.name)
    for one in shaper.registry.made.properties.values():
        if one.ended is None:
            yield shaper.made_property(one)


def _in_order(where: Predicate) -> tuple[str, ...]:
    """The ids that a predicate names one after another; none where it names none."""
    listed = [part.value for part in spans.parts(where) if isinstance(part, Compare) and part.field == "id" and part.op == "in"]
    return tuple(str(one) for one in listed[0]) if len(listed) == 1 and isinstance(listed[0], tuple) else ()
