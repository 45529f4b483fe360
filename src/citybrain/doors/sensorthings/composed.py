"""The Observations of a MultiDatastream, read through the guard's reader and put together by their instant."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from citybrain.brain.observe import About, Registry
from citybrain.doors.sensorthings import multi, spans
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.doors.sensorthings.shape import Item, Row, same
from citybrain.kernel.access import Order, Query
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.ports import Reader
from citybrain.kernel.predicate import Compare, Predicate, both

Beside: TypeAlias = Callable[[Sequence[Row]], Mapping[str, About]]
_PAGE: Final = 1000
_COUNTED: Final = 10_000
"""Observations that are counted by reading them."""


def observed(
    reader: Reader, registry: Registry, about: Beside, where: Predicate, limit: int, cursor: str | None, order: Order | None
) -> tuple[tuple[Item, ...], str | None]:
    """At most ``limit`` Observations of the MultiDatastream that a predicate names, newest first unless ``order`` says otherwise.

    The cursor of those after is the instant (µs) of the last one. Nothing for a thing that has no MultiDatastream. ``about`` gives
    what is beside readings.
    """
    joint = _joint(registry, where)
    if joint is None:
        return (), None
    descending = order is None or order.descending
    asked = both(
        spans.without(where, {multi.COLUMN, "entity", "feature"}),
        Compare("stream", "in", tuple(stream.id for stream in joint.streams)),
    )
    if cursor is not None:
        asked = both(asked, Compare("time", "lt" if descending else "gt", _after(cursor)))
    most = min(_PAGE, (limit + 1) * len(joint.streams))
    found = _instants(reader, Query("observation", asked, Order("time", descending), most), limit)
    listed = list(found)[:limit]
    beside = about([row for time in listed for row in found[time].values()])
    wanted = spans.named(where, "feature")
    made = (multi.put_together(joint, found[time], beside) for time in listed)
    items = tuple(item for item in made if wanted is None or item.links["FeatureOfInterest"] in [same("id", one) for one in wanted])
    return items, str(list(found)[limit - 1]) if len(found) > limit else None


def count(reader: Reader, registry: Registry, about: Beside, where: Predicate) -> int:
    """How many Observations of a MultiDatastream satisfy a predicate; raises NotHeldError for more than are read for that."""
    total, cursor = 0, None
    while total < _COUNTED:
        items, cursor = observed(reader, registry, about, where, _PAGE, cursor, None)
        total += len(items)
        if cursor is None:
            return total
    raise not_held(
        f"MultiDatastream 的观测值超过 {_COUNTED} 条，不能计数：请用 phenomenonTime 缩小范围。",
        f"More than {_COUNTED} Observations of a MultiDatastream cannot be counted. Narrow them by phenomenonTime.",
    )


def _instants(reader: Reader, query: Query, limit: int) -> dict[int, dict[str, Row]]:
    """The readings by instant and stream, in order, until more than ``limit`` instants are known: all but the last are whole."""
    found: dict[int, dict[str, Row]] = {}
    cursor: str | None = None
    while True:
        page = reader.read(Query(query.dataset, query.where, query.order, query.limit, cursor))
        for row in page.rows:
            found.setdefault(parse(str(row["time"])), {})[str(row["stream"])] = row
        cursor = page.next
        if cursor is None or len(found) > limit:
            return found


def _joint(registry: Registry, where: Predicate) -> multi.Joint | None:
    """The one MultiDatastream that is asked for; None where what else is asked rules it out."""
    names, things = spans.named(where, multi.COLUMN), spans.named(where, "entity")
    if not names or len(names) != 1 or spans.named(where, "stream") is not None:
        return None
    joint = multi.joint(registry, names[0])
    return joint if joint is not None and (things is None or joint.thing in things) else None


def _after(cursor: str) -> str:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 18):
        raise wrong("$skiptoken 无法识别，请从第一页开始。", "$skiptoken cannot be read. Start from the first page.", "$skiptoken")
    return spans.written(Instant(int(cursor)))
