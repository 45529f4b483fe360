"""Finding the entities of a set that an address asks for: pushed to the store, the rest read row by row, within bounds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from citybrain.brain.observe import Lags
from citybrain.doors.sensorthings.evaluate import Resolve, holds, values
from citybrain.doors.sensorthings.extents import SIDES, SPANNED
from citybrain.doors.sensorthings.functions import interval, moment, rank
from citybrain.doors.sensorthings.lagging import lags_of
from citybrain.doors.sensorthings.model import IDS, SETS
from citybrain.doors.sensorthings.multi import COLUMN, MULTI
from citybrain.doors.sensorthings.nodes import Function, Literal, Node, Path, Value, below, conjuncts, paths
from citybrain.doors.sensorthings.options import USUAL, Options, Sort
from citybrain.doors.sensorthings.push import push
from citybrain.doors.sensorthings.ranking import saying
from citybrain.doors.sensorthings.refusals import not_held
from citybrain.doors.sensorthings.shape import AT, Item
from citybrain.doors.sensorthings.shelves import Shelves
from citybrain.doors.sensorthings.spans import named
from citybrain.kernel.access import Order
from citybrain.kernel.errors import NotHeldError
from citybrain.kernel.instant import at
from citybrain.kernel.predicate import EVERYTHING, NOTHING, Compare, Predicate, both
from citybrain.kernel.text import Json

_PAGE: Final = 1000
_LOOKS: Final = 10
"""Pages that are looked through for one answer; what is not found by then is behind the link to the next page."""
_SORTED: Final = 10_000
"""Entities that are sorted or counted in memory."""
_BATCHED: Final = frozenset({"Things", "Locations", "HistoricalLocations", "Datastreams", "MultiDatastreams", "FeaturesOfInterest"})
_TURNED: Final = frozenset({"Observations", "ObservedProperties"})
"""Sets whose own order is another one than that of their ids."""
_COUNTED: Final = frozenset({"Observations", "HistoricalLocations"})
"""Sets of which a row of ours is not one entity: they are counted, and ordered by id, in their own way."""
_UNLIKE: Final = _COUNTED | {MULTI}
"""Sets whose order is not that of ids: those, and one in which a thing may be several times."""
_NONE: Final = Lags(0, 0, 0)
"""The results of observations are of their own time."""
_FEW: Final = 100
"""Observations that are looked at first where few are asked for."""
_TIMES: Final = frozenset({"phenomenonTime", "resultTime"})
_SPANS: Final = _TIMES | {"validTime"}


@dataclass(frozen=True, slots=True)
class Found:
    """Entities of a page; ``skip`` and ``cursor`` of the page after (0 and None: there is none), and the count asked for."""

    items: tuple[Item, ...]
    skip: int = 0
    cursor: str | None = None
    total: int | None = None

    @property
    def more(self) -> bool:
        """Whether there may be a page after."""
        return self.skip > 0 or self.cursor is not None


class Search:
    """Searches in the shelves of one caller, at one moment; what links lead to is remembered."""

    def __init__(self, shelves: Shelves, now: datetime) -> None:
        self._shelves = shelves
        self._now = now
        self._beyond: dict[tuple[str, Predicate], tuple[Item, ...]] = {}
        self._measured: dict[tuple[str, str], Item] = {}

    def find(self, name: str, scope: Predicate, options: Options) -> Found:
        """The page of a set that the options ask for; raises 501 for what would need reading more than is bounded."""
        known = self._beyond.get((name, scope), ())
        if known and len(known) <= USUAL and options.plain:
            return Found(known)
        scope, asked = self._led(scope, options.where) if name == "Observations" else (scope, options.where)
        pushed = push(asked, self._shelves.columns(name, scope), self._shelves.places(name))
        if name == "Observations" and not pushed.exact and asked is not None:
            scope, asked = self._said(scope, asked)
            pushed = push(asked, self._shelves.columns(name, scope), self._shelves.places(name))
        where = both(scope, pushed.where)
        rest = None if pushed.exact else asked
        order = _native(name, options.order)
        if order is not None and order.field == "value":
            order = self._shelves.by_result(where, order)
        if order is not None and order.field == "time" and options.order[0].text == "resultTime":
            lags = self._lags(where)
            if lags != _NONE:
                return self._in_order(name, where, rest, options) if lags is None else self._by_result(where, rest, options, lags)
        if options.order and order is None:
            return self._in_order(name, where, rest, options)
        return self._in_turn(name, where, rest, options, order if name in _TURNED else None)

    def beyond(self, item: Item, nav: str) -> tuple[Item, ...]:
        """What a link of an entity leads to, all of it; raises 501 where that is too many."""
        to, where = SETS[item.set].navs[nav].to, item.links[nav]
        known = self._beyond.get((to, where))
        if known is None:
            page = self._shelves.page(to, where, _PAGE)
            if page.next is not None:
                raise not_held(
                    f"经“{nav}”到达的对象过多，请直接查询 {to}。", f"'{nav}' leads to too many entities. Ask for {to} themselves."
                )
            known = self._beyond[to, where] = page.items
        return known

    def prefetch(self, items: Sequence[Item], nav: str) -> None:
        """Read what a link leads to from many entities at once, so that each need not ask by itself."""
        to = SETS[items[0].set].navs[nav].to if items else ""
        wanted = {where: named(where, where.field) or () for item in items if isinstance(where := item.links.get(nav), Compare)}
        columns = {where.field for where in wanted}
        if to not in _BATCHED or len(columns) != 1 or len(wanted) == 1 or AT in columns:
            return
        column = columns.pop()
        page = self._shelves.page(
            to, Compare(column, "in", tuple(sorted({key for keys in wanted.values() for key in keys}))), _PAGE
        )
        if page.next is None:
            groups: dict[str, list[Item]] = {}
            for item in page.items:
                groups.setdefault(str(item.row[column]), []).append(item)
            found = {where: [item for key in keys for item in groups.get(key, ())] for where, keys in wanted.items()}
            self._beyond |= {(to, where): tuple(items_) for where, items_ in found.items()}

    def measured(self, items: Sequence[Item]) -> list[Item]:
        """Datastreams and MultiDatastreams with the times and the area of their Observations; all others as they are."""
        fresh = [item for item in items if item.set in SIDES and (item.set, item.id) not in self._measured]
        self._measured |= {(item.set, item.id): item for item in (self._shelves.extents.measured(fresh) if fresh else ())}
        return [self._measured.get((item.set, item.id), item) for item in items]

    def _asked(self, name: str, items: Sequence[Item], nodes: Iterable[Node | None]) -> Sequence[Item]:
        """Entities of a set with all that conditions and orders speak of."""
        spoken = {parts[0] for node in nodes if node is not None for parts in paths(node)} if name in SIDES else set()
        return self.measured(items) if spoken & SPANNED else items

    def _led(self, scope: Predicate, node: Node | None) -> tuple[Predicate, Node | None]:
        """Conditions on what observations lead to, made conditions on themselves, and what is left to ask of each of them."""
        left: list[Node] = []
        for part in () if node is None else conjuncts(node):
            found = None if named(scope, COLUMN) is not None else self._streams(part) or self._feature(part, scope)
            scope = scope if found is None else both(scope, found)
            left += [part] if found is None else []
        return scope, Function("and", tuple(left)) if len(left) > 1 else left[0] if left else None

    def _streams(self, node: Node) -> Predicate | None:
        """The observations of the Datastreams that satisfy a condition that speaks of nothing else; None where it does, or for too many."""
        inner = below(node, "Datastream")
        if inner is None:
            return None
        pushed = push(inner, self._shelves.columns("Datastreams", EVERYTHING))
        found: list[str] = []
        cursor: str | None = None
        for _ in range(_SORTED // _PAGE):
            page = self._shelves.page("Datastreams", pushed.where, _PAGE, cursor)
            found += [item.id for item in page.items if pushed.exact or holds(inner, self._resolve(item), self._now)]
            cursor = page.next
            if cursor is None:
                return Compare("stream", "in", tuple(found)) if found else NOTHING
        return None

    def _feature(self, node: Node, scope: Predicate) -> Predicate | None:
        """The observations about a feature, where a condition says no more than its id, and the scope says nothing of features."""
        if named(scope, "entity") is not None or named(scope, "feature") is not None:
            return None
        match below(node, "FeatureOfInterest"):
            case Function("eq", (Path((name,)), Literal(str(key)))) if name in IDS:
                item = self._shelves.one("FeaturesOfInterest", EVERYTHING, key)
                return NOTHING if item is None else item.links["Observations"]
        return None

    def _said(self, scope: Predicate, node: Node) -> tuple[Predicate, Node | None]:
        """Conditions on words that observations say, made conditions on the codes of those that satisfy them, and what is left to ask."""
        parts, columns = list(conjuncts(node)), self._shelves.columns("Observations", scope)
        asked = [part for part in parts if _of_result(part) and not push(part, columns).exact]
        listed = self._shelves.words(both(scope, push(node, columns).where)) if asked else None
        if listed is None:
            return scope, node

        def fits(value: Json) -> bool:
            return all(holds(part, lambda path: (inside({"result": value}, path),), self._now) for part in asked)

        found = saying(listed, fits)
        if found is None:
            return scope, node
        left = [part for part in parts if part not in asked]
        rest = Function("and", tuple(left)) if len(left) > 1 else left[0] if left else None
        return both(scope, found), rest

    def _in_turn(self, name: str, where: Predicate, rest: Node | None, options: Options, order: Order | None) -> Found:
        top, skip, cursor = USUAL if options.top is None else options.top, options.skip, options.cursor
        whole = options.count and rest is None and name not in _COUNTED
        total = self._total(name, where, rest) if options.count and not whole else None
        found: list[Item] = []
        for _ in range(_LOOKS):
            need = top - len(found) + skip
            portion = self._shelves.page(name, where, max(1, min(need, _PAGE)), cursor, order, count=whole and total is None)
            total = portion.total if whole and total is None else total
            if top == 0:
                return Found((), total=total)
            items = self._asked(name, portion.items, (rest,))
            fitting = [item for item in items if rest is None or holds(rest, self._resolve(item), self._now)]
            found += fitting[skip:]
            skip, cursor = max(0, skip - len(fitting)), portion.next
            if cursor is None or (len(found) == top and not skip):
                break
        return Found(tuple(found), skip if cursor is not None else 0, cursor, total)

    def _in_order(self, name: str, where: Predicate, rest: Node | None, options: Options) -> Found:
        top = USUAL if options.top is None else options.top
        whole = self._asked(name, list(self._all(name, where)), (rest, *(sort.by for sort in options.order)))
        items = self._sorted([item for item in whole if rest is None or holds(rest, self._resolve(item), self._now)], options)
        end = options.skip + top
        return Found(tuple(items[options.skip : end]), end if end < len(items) else 0, None, len(items) if options.count else None)

    def _sorted(self, items: Sequence[Item], options: Options) -> list[Item]:
        found = sorted(items, key=lambda item: item.id)
        for sort in reversed(options.order):
            found.sort(key=partial(self._rank, sort.by), reverse=sort.descending)
        return found

    def _lags(self, where: Predicate) -> Lags | None:
        """How far results are from the observations that are asked for; None where they are of too many streams."""
        said = self._shelves.said(where)
        return lags_of(self._shelves.featured, said) if said else _NONE

    def _by_result(self, where: Predicate, rest: Node | None, options: Options, lags: Lags) -> Found:
        """The first by ``resultTime``: looked through by time until no later one can have its result before theirs."""
        end, descending = options.skip + (USUAL if options.top is None else options.top), options.order[0].descending
        found: list[Item] = []
        cursor, size, name = None, min(_PAGE, max(_FEW, end + 1)), "Observations"
        for _ in range(_SORTED // _PAGE):
            portion = self._shelves.page(name, where, size, cursor, Order("time", descending))
            fitting = [item for item in portion.items if rest is None or holds(rest, self._resolve(item), self._now)]
            found = self._sorted([*found, *fitting], options)
            cursor, size = portion.next, _PAGE
            if cursor is None or (
                len(found) > end and portion.items and _settled(found[end], portion.items[-1], lags, descending=descending)
            ):
                break
        else:
            raise _too_many()
        more = cursor is not None or len(found) > end
        return Found(
            tuple(found[options.skip : end]), end if more else 0, None, self._total(name, where, rest) if options.count else None
        )

    def _rank(self, by: Node, item: Item) -> tuple[int, float, str]:
        return rank(next(iter(values(by, self._resolve(item), self._now)), None))

    def _total(self, name: str, where: Predicate, rest: Node | None) -> int:
        if name == "Observations" and rest is None:
            return self._shelves.observed(where)
        whole = self._asked(name, list(self._all(name, where)), (rest,))
        return sum(1 for item in whole if rest is None or holds(rest, self._resolve(item), self._now))

    def _all(self, name: str, where: Predicate) -> Iterator[Item]:
        cursor: str | None = None
        for _ in range(_SORTED // _PAGE):
            portion = self._shelves.page(name, where, _PAGE, cursor)
            yield from portion.items
            cursor = portion.next
            if cursor is None:
                return
        raise _too_many()

    def _resolve(self, item: Item) -> Resolve:
        return lambda parts: self._values(item, parts)

    def _values(self, item: Item, parts: tuple[str, ...]) -> tuple[Value, ...]:
        here: tuple[Item, ...] = (item,)
        while parts[0] in here[0].links and parts[0] not in IDS:
            if parts[0] == "Observations":
                raise not_held("条件和排序不能经过 Observations。", "Conditions and orders cannot go through Observations.")
            # One that several lead to is one.
            beyond = {other.id: other for one in here for other in self.beyond(one, parts[0])}
            here, parts = tuple(beyond.values()), parts[1:]
            if not here:
                return ()
        if parts[0] in IDS:
            return tuple(one.id for one in here)
        if parts[0] in SPANNED and here[0].set in SIDES:
            here = tuple(self.measured(here))
        return tuple(_timed(parts[0], inside(one.body, parts)) for one in here)


def _too_many() -> NotHeldError:
    return not_held(
        f"超过 {_SORTED} 个对象，不能这样排序或计数：请用 $filter 缩小范围。",
        f"More than {_SORTED} entities cannot be sorted or counted so. Narrow them with $filter.",
    )


def _at(item: Item, name: str) -> int:
    """A time of an observation, of an interval its begin, in µs."""
    found = moment(_timed(name, item.body[name]))
    return 0 if found is None else at(found)


def _settled(one: Item, last: Item, lags: Lags, *, descending: bool) -> bool:
    """Whether no observation after the last one that was looked at, by time, can have its result as early (or as late) as this."""
    time, result = _at(last, "phenomenonTime"), _at(one, "resultTime")
    return result > time + lags.high if descending else result < time + lags.low


def inside(value: Json, parts: tuple[str, ...]) -> Json:
    """What stands at a path in a JSON value; null where there is nothing."""
    for part in parts:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _timed(name: str, value: Json) -> Value:
    known = moment(value) if name in _SPANS or name == "time" else None
    span = interval(value) if known is None and name in _SPANS else None
    return known or span or value


def _of_result(node: Node) -> bool:
    """Whether a condition speaks of the result, and of nothing else."""
    spoken = list(paths(node))
    return bool(spoken) and all(parts[0] == "result" for parts in spoken)


def _native(name: str, order: tuple[Sort, ...]) -> Order | None:
    """The order in which the shelf of a set can give its entities itself."""
    if not order or not isinstance(order[0].by, Path):
        return None
    first, descending = order[0].by.parts[0], order[0].descending
    if name == "Observations" and first in _TIMES and (len(order) == 1 or order[1].text in (_TIMES | IDS)):
        return Order("time", descending)
    if name == "Observations" and order[0].text == "result" and len(order) == 1:
        return Order("value", descending)
    return Order("id") if name not in _UNLIKE and first in IDS and not descending else None
