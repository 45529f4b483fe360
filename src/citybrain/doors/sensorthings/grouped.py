"""MultiDatastreams as a caller may see them: the things of the guard's reader, each with those of its streams that stand side by side.

A predicate may name them (by id or Sensor), which the register answers, and speak of their things, which the store does.
"""

from collections.abc import Mapping
from typing import Final

from citybrain.brain.observe import MADE, Registry
from citybrain.doors.sensorthings import multi, spans
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.doors.sensorthings.shape import WATCHED, Item, Shaper, same
from citybrain.kernel import predicate
from citybrain.kernel.access import Order, Query
from citybrain.kernel.datasets import ColumnType
from citybrain.kernel.ports import Reader
from citybrain.kernel.predicate import NOTHING, Compare, Or, Predicate, both

_PAGE: Final = 1000
_NAMED: Final = 10_000
"""Things that a predicate names one by one."""
_OWN: Final = {multi.COLUMN, "source", WATCHED}
"""What the rows of things do not hold."""
_TYPES: Final[Mapping[str, ColumnType]] = dict.fromkeys((multi.COLUMN, "source", "id", "kind", "area", "origin"), "text")


def listed(reader: Reader, shaper: Shaper, where: Predicate, limit: int, cursor: str | None) -> tuple[tuple[Item, ...], str | None]:
    """At most ``limit`` MultiDatastreams that satisfy a predicate, by thing, and the cursor of those after.

    A cursor is how many of a page of things were given already, and the page's own cursor.
    """
    # Nobody sees what is made of streams who may see no stream; asked of none, so that nothing is looked through.
    reader.read(Query("stream", same("id", ""), limit=1))
    asked = both(spans.without(where, _OWN), _things(shaper.registry, where))
    (done, inner), size = _mark(cursor), min(limit, _PAGE)
    found: list[Item] = []
    while True:
        page = reader.read(Query("entity", asked, Order("id"), size, inner))
        joints = [(row, one) for row in page.rows for one in multi.of_thing(shaper.registry, str(row["id"]))]
        for place, (row, joint) in enumerate(joints[done:], done):
            item = multi.multi_datastream(shaper, row, joint)
            if not _fits(where, joint, item):
                continue
            if len(found) == limit:
                return tuple(found), f"{place}|{inner or ''}"
            found.append(item)
        # Where few fit they are looked for in great pages.
        done, inner, size = 0, page.next, _PAGE
        if inner is None:
            return tuple(found), None
        if len(found) == limit:
            return tuple(found), f"0|{inner}"


def count(reader: Reader, shaper: Shaper, where: Predicate) -> int:
    """How many satisfy a predicate; those of one that says more than of their things are read for that, within bounds."""
    if predicate.fields(where) & _OWN:
        return _counted(reader, shaper, where)
    total = 0
    for kind in shaper.registry.kinds():
        each = len(multi.groups(kind))
        if each:
            page = reader.read(Query("entity", both(where, same("kind", kind.name)), Order("id"), 1, None, count=True))
            total += each * (page.total or 0)
    made = both(where, same("kind", MADE))
    return total + (_counted(reader, shaper, made) if shaper.registry.made.groups else 0)


def _counted(reader: Reader, shaper: Shaper, where: Predicate) -> int:
    total, cursor = 0, None
    while total < _NAMED:
        found, cursor = listed(reader, shaper, where, _PAGE, cursor)
        total += len(found)
        if cursor is None:
            return total
    raise not_held(
        f"MultiDatastream 超过 {_NAMED} 个，不能这样计数：请用 Thing/id 缩小范围。",
        f"More than {_NAMED} MultiDatastreams cannot be counted so. Narrow them by Thing/id.",
    )


def _things(registry: Registry, where: Predicate) -> Predicate:
    """Which things may have what a predicate speaks of; raises NotHeldError for too many to name."""
    keys, sources = spans.named(where, multi.COLUMN), spans.named(where, "source")
    if keys is None and sources is None:
        watched = spans.named(where, WATCHED)
        kinds = [kind.name for kind in registry.kinds() if multi.groups(kind)]
        among = None if watched is None else {one.rpartition(".")[0] for one in watched}
        declared = Compare("kind", "in", tuple(kind for kind in kinds if among is None or kind in among))
        return declared if among is not None and MADE not in among else Or((declared, _made(registry)))
    joints = multi.every_one(registry) if keys is None else filter(None, (multi.joint(registry, key) for key in keys))
    things = {joint.thing: None for joint in joints if sources is None or joint.source in sources}
    if len(things) > _NAMED:
        raise not_held(
            f"经此传感器到达的 MultiDatastream 超过 {_NAMED} 个：请查询 MultiDatastreams，以 Thing/id 缩小范围。",
            f"More than {_NAMED} MultiDatastreams are of this Sensor. Ask for MultiDatastreams and narrow them by Thing/id.",
        )
    return Compare("id", "in", tuple(things)) if things else NOTHING


def _made(registry: Registry) -> Predicate:
    """The things that were made here and may have one, by name as far as they are few."""
    things = tuple(registry.made.groups)
    return Compare("id", "in", things) if len(things) <= _NAMED else same("kind", MADE)


def _fits(where: Predicate, joint: multi.Joint, item: Item) -> bool:
    """Whether what a predicate says beyond the row of the thing holds."""
    watched = spans.named(where, WATCHED)
    if watched is not None and set(watched).isdisjoint(joint.watched):
        return False
    own = [part for part in spans.parts(where) if predicate.fields(part) & _OWN and WATCHED not in predicate.fields(part)]
    return all(predicate.holds(predicate.fitted(part, _TYPES), item.row) for part in own)


def _mark(cursor: str | None) -> tuple[int, str | None]:
    """How many of a page were given, and its cursor; raises BadInputError."""
    if cursor is None:
        return 0, None
    done, bar, inner = cursor.partition("|")
    if not (bar and done.isascii() and done.isdigit()) or len(done) > 6:
        raise wrong("$skiptoken 无法识别，请从第一页开始。", "$skiptoken cannot be read. Start from the first page.", "$skiptoken")
    return int(done), inner or None
