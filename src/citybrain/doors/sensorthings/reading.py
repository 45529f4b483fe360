"""Answers to reading: a set, an entity, a property, with what hangs on them as ``$select`` and ``$expand`` say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from citybrain.brain.observe import About
from citybrain.doors.sensorthings import links
from citybrain.doors.sensorthings.arrays import arrays
from citybrain.doors.sensorthings.extents import SPANNED
from citybrain.doors.sensorthings.model import IDS, SETS, Nav
from citybrain.doors.sensorthings.nodes import Path
from citybrain.doors.sensorthings.options import Options, options
from citybrain.doors.sensorthings.paths import ROOT, Segment
from citybrain.doors.sensorthings.refusals import missing, not_held, uncounted, wrong
from citybrain.doors.sensorthings.search import Found, Search, inside
from citybrain.doors.sensorthings.shape import Item, Row
from citybrain.doors.sensorthings.shelves import Shelves
from citybrain.kernel.predicate import EVERYTHING, Predicate
from citybrain.kernel.text import Json

_MOST: Final = 20_000
"""Entities of one answer, those expanded included."""
_ABSENT: Final = frozenset({"Actuators", "Tasks", "TaskingCapabilities"})
_OF_ONE: Final = frozenset({"$select", "$expand", "lang", "purpose"})


@dataclass(frozen=True, slots=True)
class Target:
    """What a path leads to: a set of entities (``item`` None) within a scope, or one; ``rest`` is what is read of it."""

    set: str
    scope: Predicate
    href: str
    item: Item | None
    rest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Raw:
    """The bare value of a property."""

    value: Json


class Reading:
    """Reads for one request; ``host`` begins every address in the answer."""

    def __init__(self, shelves: Shelves, search: Search, host: str) -> None:
        self._shelves = shelves
        self._search = search
        self._host = host
        self._left = _MOST

    def answer(self, path: tuple[Segment, ...], pairs: list[tuple[str, str]]) -> "Json | Raw":
        """What stands under a path; raises NotFoundError, BadInputError, and 501 for what is not held."""
        target = self.target(path)
        asked = options(pairs, SETS[target.set])
        if target.item is None:
            return self._collection(target, asked)
        strangers = [name for name, _ in asked.texts if name not in (_OF_ONE if not target.rest else ("lang", "purpose"))]
        if strangers:
            raise wrong(f"此处不能使用 {strangers[0]}。", f"{strangers[0]} cannot be used here.", strangers[0])
        # Of one entity all of it is told; what its Observations say of it is worked out where it is not left out.
        spoken = target.rest[:1] or (SPANNED if asked.select is None else tuple(asked.select))
        (item,) = self._search.measured((target.item,)) if not SPANNED.isdisjoint(spoken) else (target.item,)
        return self._property(item, target.rest) if target.rest else self.shown(item, asked)

    def target(self, path: tuple[Segment, ...]) -> Target:
        """What a path leads to; raises NotFoundError for a link or an entity that is not there."""
        first, rest = path[0], path[1:]
        if first.name in _ABSENT:
            raise not_held(f"尚不支持 {first.name}。", f"{first.name} are not held yet.")
        if first.name not in SETS:
            raise missing(first.name)
        here = self._step(first.name, EVERYTHING, f"{self._host}{ROOT}/{first.name}", first.key)
        while rest and here.item is not None and rest[0].name in here.item.links:
            here, rest = self._follow(here.item, rest[0]), rest[1:]
        names = tuple(segment.name for segment in rest)
        if any(segment.key is not None for segment in rest) or not _readable(here, names):
            raise uncounted() if names[-1:] == ("$count",) else missing("/".join(names))
        return Target(here.set, here.scope, here.href, here.item, names)

    def _follow(self, item: Item, segment: Segment) -> Target:
        nav: Nav = SETS[item.set].navs[segment.name]
        scope = item.links[segment.name]
        href = f"{links.entity(self._host, item.set, item.id)}/{segment.name}"
        if nav.many:
            return self._step(nav.to, scope, href, segment.key)
        found = self._search.beyond(item, segment.name)
        if not found or segment.key is not None:
            raise missing(segment.name)
        return Target(nav.to, scope, href, found[0], ())

    def _step(self, name: str, scope: Predicate, href: str, key: str | None) -> Target:
        if key is None:
            return Target(name, scope, href, None, ())
        item = self._shelves.one(name, scope, key)
        if item is None:
            raise missing(f"{name}('{key}')")
        return Target(name, scope, href, item, ())

    def _collection(self, target: Target, asked: Options) -> Json:
        bare = target.rest == ("$ref",)
        if asked.arrays and bare:
            raise wrong("dataArray 不能与 $ref 同用。", "A data array does not go with $ref.", "$resultFormat")
        found = self._search.find(target.set, target.scope, asked)
        if bare:
            listed: list[Json] = [{"@iot.selfLink": self._self(item)} for item in found.items]
        else:
            listed = self._arrays(found.items, asked) if asked.arrays else self._all(found.items, asked)
        answer: dict[str, Json] = {} if found.total is None else {"@iot.count": found.total}
        href = target.href + ("/$ref" if target.rest else "")
        if found.more:
            answer["@iot.nextLink"] = links.page_after(href, asked, found.skip, found.cursor)
        return {**answer, "value": listed}

    def _arrays(self, items: Sequence[Item], asked: Options) -> list[Json]:
        expand = dict(asked.expand)
        for nav in expand:
            self._search.prefetch(items, nav)
        return arrays(items, asked, self._host, lambda item, nav: self._beyond(item, nav, expand[nav])[nav])

    def _all(self, items: Sequence[Item], asked: Options) -> list[Json]:
        for nav, _ in asked.expand:
            self._search.prefetch(items, nav)
        spoken = asked.select is not None and not SPANNED.isdisjoint(asked.select)
        return [self.shown(item, asked) for item in (self._search.measured(items) if spoken else items)]

    def shown(self, item: Item, asked: Options) -> Json:
        """An entity as ``$select`` and ``$expand`` want it; raises BadInputError when an answer grows too large."""
        self._left -= 1
        if self._left < 0:
            raise wrong(
                f"一次回答超过 {_MOST} 个对象，请用 $top 减少。",
                f"An answer of more than {_MOST} entities. Ask for fewer.",
                "$expand",
            )
        wanted, here = asked.select, self._self(item)
        shown: dict[str, Json] = {}
        if wanted is None or "id" in wanted:
            shown = {"@iot.selfLink": here, "@iot.id": item.id}
        shown |= {name: value for name, value in item.body.items() if wanted is None or name in wanted}
        expanded = dict(asked.expand)
        for nav in item.links:
            if nav in expanded:
                shown |= self._beyond(item, nav, expanded[nav])
            elif wanted is None or nav in wanted:
                shown[f"{nav}@iot.navigationLink"] = f"{here}/{nav}"
        return shown

    def observed(self, row: Row, asked: Options, beside: About | None) -> Json:
        """The Observation of a row that is at hand, with what is beside it, as ``$select`` wants it."""
        stream = self._shelves.registry.stream(str(row["stream"]))
        return self.shown(self._shelves.shaper.observation(row, stream.entity, beside), asked)

    def beside(self, rows: Sequence[Row]) -> Mapping[str, About]:
        """What is beside observations, by their ids."""
        return self._shelves.about(rows)

    def streams(self, scope: Predicate) -> tuple[str, ...]:
        """The Datastreams whose Observations lie within a scope."""
        return self._shelves.streams(scope)

    def _beyond(self, item: Item, nav: str, asked: Options) -> dict[str, Json]:
        link = SETS[item.set].navs[nav]
        if not link.many:
            found = self._search.beyond(item, nav)
            return {nav: self._all(found[:1], asked)[0] if found else None}
        page = self._newest(item, nav, asked) or self._search.find(link.to, item.links[nav], asked)
        shown: dict[str, Json] = {nav: self._all(page.items, asked)}
        if page.total is not None:
            shown[f"{nav}@iot.count"] = page.total
        if page.more:
            shown[f"{nav}@iot.nextLink"] = links.page_after(f"{self._self(item)}/{nav}", asked, page.skip, page.cursor)
        return shown

    def _newest(self, item: Item, nav: str, asked: Options) -> Found | None:
        """The one newest observation of a Datastream, which is kept in memory; None where something else is asked."""
        plain = asked.where is None and not asked.count and not asked.skip and asked.cursor is None
        if item.set != "Datastreams" or nav != "Observations" or asked.top != 1 or not plain or len(asked.order) != 1:
            return None
        first = asked.order[0]
        if not first.descending or first.by not in (Path(("phenomenonTime",)), Path(("resultTime",))):
            return None
        if first.by == Path(("resultTime",)) and self._shelves.said(item.links[nav]):
            return None
        page = self._shelves.latest(item)
        return None if page is None else Found(page.items, len(page.items))

    def _property(self, item: Item, names: tuple[str, ...]) -> "Json | Raw":
        if names == ("$ref",):
            return {"@iot.selfLink": self._self(item)}
        bare = names[-1] == "$value"
        path = names[:-1] if bare else names
        value = item.id if path[0] in IDS else inside(item.body, path)
        if len(path) > 1 and value is None:
            raise missing("/".join(path))
        return Raw(value) if bare or value is None else {path[-1]: value}

    def _self(self, item: Item) -> str:
        return links.entity(self._host, item.set, item.id)


def _readable(here: Target, names: tuple[str, ...]) -> bool:
    """Whether what follows the entities of a path is a property, ``$value`` after one, or ``$ref``."""
    if not names or names == ("$ref",):
        return True
    return here.item is not None and (names[0] in SETS[here.set].properties or names[0] in IDS) and "$value" not in names[:-1]
