"""Where the entities of each set come from: the guard's reader for rows of ours, the declarations for what is made of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from citybrain.brain.observe import FEATURE, LOCATION, About, Featured, Having, Registry
from citybrain.doors.sensorthings import (
    composed,
    grouped,
    historical,
    hosting,
    lagging,
    merging,
    moving,
    passing,
    pooling,
    ranking,
    results,
    sampled,
    spans,
)
from citybrain.doors.sensorthings.extents import Extents
from citybrain.doors.sensorthings.functions import rank
from citybrain.doors.sensorthings.geometry import outlined
from citybrain.doors.sensorthings.multi import COLUMN, MULTI, joint, place
from citybrain.doors.sensorthings.nodes import Value
from citybrain.doors.sensorthings.push import Column, Places, instant, number, text
from citybrain.doors.sensorthings.ranking import Word
from citybrain.doors.sensorthings.refusals import not_held
from citybrain.doors.sensorthings.shape import STOOD, Item, Row, Shaper, same
from citybrain.kernel.access import Order, Query
from citybrain.kernel.ports import Reader, Series
from citybrain.kernel.predicate import NOTHING, And, Compare, Not, Op, Predicate, Within, both

_PAGE: Final = 1000
WORDS: Final = "words"
"""The order of observations by what they say, where that is no number."""
_COUNTED: Final = 10_000
"""Observations that are counted by reading them."""
_ALIVE: Final = Not(Compare("valid_to", "ge", "1970-01-01T00:00:00Z"))
_PRESENT: Final = And((_ALIVE, Compare("kind", "ne", FEATURE), Compare("kind", "ne", LOCATION)))
_OWN: Final = Not(Compare("location", "ne", ""))
"""Of rows of things those whose place is their own, and no Location beside."""
_SOMEWHERE: Final = Within(-180, -90, 180, 90)
_OF: Final[Mapping[str, Predicate]] = {
    "Things": _PRESENT,
    "Locations": And((_SOMEWHERE, _ALIVE, Compare("kind", "ne", FEATURE), _OWN)),
    "FeaturesOfInterest": And((_SOMEWHERE, _ALIVE, Compare("kind", "ne", LOCATION))),
}
"""Which of the rows of things and features are entities of a set."""
_ENTITY: Final = {
    "id": text("id"),
    "@iot.id": text("id"),
    "properties/kind": text("kind"),
    "properties/area": text("area"),
    "properties/origin": text("origin"),
    "properties/version": number("version"),
    "properties/valid_from": instant("valid_from"),
}
_PLACE: Final = {
    name: column for name, column in _ENTITY.items() if name in ("id", "@iot.id", "properties/area", "properties/origin")
}
COLUMNS: Final[Mapping[str, Mapping[str, Column]]] = {
    "Things": _ENTITY,
    "Locations": _PLACE,
    "FeaturesOfInterest": _PLACE,
    "HistoricalLocations": {"Thing/id": text("id"), "Thing/@iot.id": text("id")},
    "Datastreams": {
        "id": text("id"),
        "@iot.id": text("id"),
        "Thing/id": text("entity"),
        "Thing/@iot.id": text("entity"),
        "Sensor/id": text("source"),
        "Sensor/@iot.id": text("source"),
        "unitOfMeasurement/name": text("unit"),
        **{f"properties/{name}": text(name) for name in ("kind", "field", "area", "life", "contract", "origin")},
        "properties/latest/value": number("value"),
        "properties/latest/time": instant("time"),
    },
    MULTI: {
        "id": text(COLUMN),
        "@iot.id": text(COLUMN),
        **{f"properties/{name}": text(name) for name in ("kind", "area", "origin")},
        "Thing/id": text("id"),
        "Thing/@iot.id": text("id"),
    },
    "Observations": {
        "phenomenonTime": instant("time"),
        "resultTime": instant("time"),
        "result": number("value"),
        "Datastream/id": text("stream"),
        "Datastream/@iot.id": text("stream"),
    },
}
PLACES: Final[Mapping[str, frozenset[str]]] = {
    "Locations": frozenset({"location"}),
    "FeaturesOfInterest": frozenset({"feature"}),
    "Things": frozenset({"Locations/location"}),
}
_COMPOSED: Final = {name: instant("time") for name in ("phenomenonTime", "resultTime")}
_KEYS: Final = {"HistoricalLocations": STOOD, MULTI: COLUMN}
"""What predicates call the id of a set whose entities are no rows of ours."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Entities in their order, the cursor of those after, and how many there are where that was asked."""

    items: tuple[Item, ...]
    next: str | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Shelves:
    """Entities as one caller may see them; ``whole`` says whether a dataset is theirs without narrowing or masking."""

    reader: Reader
    whole: Callable[[str], bool]
    registry: Registry
    series: Series
    featured: Featured
    having: Callable[[], Having]
    """The numbers of the streams that have anything beside their observations."""
    shaper: Shaper

    def page(
        self, name: str, where: Predicate, limit: int, cursor: str | None = None, order: Order | None = None, *, count: bool = False
    ) -> Portion:
        """At most ``limit`` entities of a set whose rows satisfy a predicate, in the set's own order or by time.

        With ``count`` it says how many there are, but for observations.
        """
        if NOTHING in spans.parts(where):
            return Portion((), None, 0)
        if name == "Observations" and spans.named(where, COLUMN) is not None:
            return Portion(*composed.observed(self.reader, self.registry, self.about, where, limit, cursor, order))
        if name == "Observations" and sampled.lists(where):
            return Portion(*sampled.observed(self.reader, self.registry, self.featured, self.shaper, where, limit, cursor, order))
        if name == "Observations":
            host = self._host(where)
            return (
                self._observations(where, limit, cursor, order) if host is None else self._hosted(host, where, limit, cursor, order)
            )
        if name == "HistoricalLocations":
            return Portion(*historical.listed(self.reader, self.shaper, both(where, _PRESENT), limit, cursor))
        earlier = spans.named(where, STOOD) if name == "Locations" else None
        if earlier is not None:
            return Portion(historical.locations(self.reader, self.shaper, both(where, _PRESENT), earlier))
        if name in ("Sensors", "ObservedProperties"):
            return Portion(*pooling.listed(self.reader, self.shaper, self.whole, name, where, limit, cursor, order))
        if name == MULTI:
            whole = both(where, _PRESENT)
            total = grouped.count(self.reader, self.shaper, whole) if count else None
            return Portion(*grouped.listed(self.reader, self.shaper, whole, limit, cursor), total)
        dataset, make = ("stream" if name == "Datastreams" else "entity"), self._maker(name)
        rows = both(where, _OF[name]) if name in _OF else where
        found = self.reader.read(Query(dataset, rows, Order("id"), limit, cursor, count))
        return Portion(tuple(make(row) for row in found.rows), found.next, found.total)

    def observed(self, where: Predicate) -> int:
        """How many observations satisfy a predicate; raises NotHeldError where too many would have to be read for that."""
        if spans.named(where, COLUMN) is not None:
            return composed.count(self.reader, self.registry, self.about, where)
        if self._wanted(where) is not None:
            return self._read(where)
        streams = self.streams(where)
        if self.whole("observation"):
            total = spans.count(self.series, [self.registry.stream(stream).no for stream in streams], where)
            if total is not None:
                return total
        rest = spans.without(where, {"entity", "id", "feature"})
        groups = [streams[begin : begin + spans.MOST] for begin in range(0, len(streams), spans.MOST)]
        asked = [Query("observation", both(Compare("stream", "in", part), rest), None, 0, None, count=True) for part in groups]
        return sum(self.reader.read(query).total or 0 for query in asked)

    def by_result(self, where: Predicate, order: Order) -> Order | None:
        """The order by results in which the observations of a predicate are read: by values, or by words; None where by neither."""
        if not self._plain(where):
            return None
        streams = self.streams(where) if self.registry.unlike else ()
        unlike = results.coded(self.registry, streams)
        if not unlike:
            return order
        return Order(WORDS, order.descending) if len(unlike) == len(streams) <= spans.MOST else None

    def words(self, where: Predicate) -> list[Word] | None:
        """All that the observations of a predicate may say, where all of its streams say words; None otherwise, and for too much."""
        streams = self.streams(where) if self.registry.unlike and self._plain(where) else ()
        unlike = results.coded(self.registry, streams)
        return ranking.words(self.registry, unlike) if unlike and len(unlike) == len(streams) <= spans.MOST else None

    def _plain(self, where: Predicate) -> bool:
        """Whether the observations of a predicate are read as they are stored."""
        return spans.named(where, COLUMN) is None and not sampled.lists(where) and self._wanted(where) is None

    def columns(self, name: str, scope: Predicate) -> Mapping[str, Column]:
        """Which columns of our rows stand for which paths within a scope; what is not here is read row by row."""
        if name == "Datastreams" and self.registry.unlike:
            return {**COLUMNS[name], "properties/latest/value": results.latest(self.registry)}
        if name != "Observations":
            return COLUMNS.get(name, {})
        # The result of a MultiDatastream's Observation is in no one row.
        plain = _COMPOSED if spans.named(scope, COLUMN) is not None else COLUMNS[name]
        if self.registry.unlike and "result" in plain:
            about = spans.named(scope, "feature") is not None
            plain = {**plain, "result": _unknown if about else results.column(self.registry, partial(self.streams, scope))}
        said = self.said(scope)
        return plain if not said else {**plain, **lagging.columns(self.featured, said)}

    def said(self, scope: Predicate) -> frozenset[int]:
        """Of the streams whose observations are asked for those of which something else is said, so that their time does not say all."""
        saying = self.having().saying
        if not saying:
            return saying
        grouped_, named = spans.named(scope, COLUMN), spans.named(scope, "stream")
        things, numbers = spans.named(scope, "entity"), self.registry.stream_numbers()
        if grouped_ is not None:
            found = [joint(self.registry, key) for key in grouped_]
            return saying.intersection(stream.no for one in found if one is not None for stream in one.streams)
        if named is not None:
            return saying.intersection(numbers[name] for name in named if name in numbers)
        if things is not None:
            guests = {numbers[name] for name in self._guests(things)}
            return saying & (guests | {stream.no for thing in things for stream in self.registry.streams_of(thing)})
        return saying

    def places(self, name: str) -> Places | None:
        """Where the rows of a set stand, for filters; None for a set that stands nowhere."""
        paths = PLACES.get(name)
        return None if paths is None else Places(paths, partial(outlined, self.registry.made.things))

    @property
    def extents(self) -> Extents:
        """What the Observations of Datastreams say of them."""
        return Extents(self.reader, self.registry, self.series, self.featured, self.having, self.whole)

    def latest(self, stream: Item) -> Portion | None:
        """The newest observation of a Datastream without asking the store; None where the caller may not see all."""
        if not self.whole("observation"):
            return None
        row = stream.row
        if row["time"] is None:
            return Portion(())
        made = spans.row(self.registry.stream(stream.id), row)
        return Portion((self.shaper.observation(made, str(row["entity"]), self.about([made]).get(str(made["id"]))),))

    def _maker(self, name: str) -> Callable[[Row], Item]:
        return {
            "Things": self.shaper.thing,
            "Locations": self.shaper.location,
            "FeaturesOfInterest": self.shaper.feature,
            "Datastreams": self.shaper.datastream,
        }[name]

    def _observations(self, where: Predicate, limit: int, cursor: str | None, order: Order | None) -> Portion:
        streams, rest = self.streams(where), spans.without(where, {"entity", "id", "feature"})
        if order is not None and order.field == WORDS:
            listed = ranking.words(self.registry, streams)
            found, onward = ranking.ranked(self.reader, listed, rank, rest, limit, cursor, descending=order.descending)
            return Portion(self._shown(found, where), onward)
        if order is not None and len(streams) > spans.MOST:
            if order.field != "time":
                raise not_held(
                    f"按结果排列时至多 {spans.MOST} 条数据流：请用 Datastreams('…')/Observations，或以 Datastream/id 筛选。",
                    f"By result at most {spans.MOST} Datastreams: use Datastreams('…')/Observations or filter by Datastream/id.",
                )
            found, onward = merging.merged(self.reader, streams, rest, order, limit, cursor)
            return Portion(self._shown(found, where), onward)
        numbers = tuple(self.registry.stream(name).no for name in streams)
        found, onward = passing.listed(self.reader, self.series, streams, numbers, rest, order, limit, cursor)
        return Portion(self._shown(found, where), onward)

    def _hosted(self, host: str, where: Predicate, limit: int, cursor: str | None, order: Order | None) -> Portion:
        """Observations about the place of a thing that those of others are about too."""
        mine = both(where, Compare("stream", "in", tuple(stream.id for stream in self.registry.streams_of(host))))
        others = both(spans.without(where, {"entity"}), same("feature", host))

        def own(most: int, after: str | None) -> tuple[tuple[Item, ...], str | None]:
            found = self._observations(mine, most, after, order)
            return found.items, found.next

        def guests(most: int, after: str | None) -> tuple[tuple[Item, ...], str | None]:
            return sampled.observed(self.reader, self.registry, self.featured, self.shaper, others, most, after, order)

        return Portion(*hosting.merged(guests, own, limit, cursor, descending=order is None or order.descending))

    def _host(self, where: Predicate) -> str | None:
        """The one thing whose place is asked for, where observations of others are about it and no streams are named."""
        things, hosts = spans.named(where, "entity"), self.having().hosts
        return (
            things[0] if things and hosts.issuperset(things) and len(things) == 1 and spans.named(where, "stream") is None else None
        )

    def _guests(self, things: Sequence[str]) -> tuple[str, ...]:
        """The streams of others that have, or once had, readings about the places of things."""
        hosts = self.having().hosts.intersection(things)
        streams = self.registry.streams()
        found = [streams[number - 1] for number in sorted(self.featured.about(hosts))] if hosts else []
        return tuple(stream.id for stream in found if stream.ended is None and stream.entity not in things)

    def _shown(self, rows: Sequence[Row], where: Predicate) -> tuple[Item, ...]:
        """Rows as observations with what is beside them, those alone that are about what is asked for."""
        about, wanted = self.about(rows), self._wanted(where)
        pairs = ((row, about.get(str(row["id"]))) for row in rows)
        made = [self.shaper.observation(row, self.registry.stream(str(row["stream"])).entity, beside) for row, beside in pairs]
        asked = None if wanted is None else [same("id", one) for one in wanted]
        return tuple(item for item in made if asked is None or item.links["FeatureOfInterest"] in asked)

    def about(self, rows: Sequence[Row]) -> Mapping[str, About]:
        """What is beside observations, by their ids, of those that have anything; a feature that has ended is none of it."""
        known = self.having()
        having = known.featured | known.saying if rows else frozenset[int]()
        places = [found for found in (spans.place(str(row["id"])) for row in rows) if found is not None and found[0] in having]
        return {key: self._present(one) for key, one in self.featured.at(places).items()} if places else {}

    def _present(self, about: About) -> About:
        return about._replace(feature=None) if about.feature and not sampled.there(self.registry, about.feature) else about

    def _wanted(self, where: Predicate) -> tuple[str, ...] | None:
        """The features that observations are asked for by; None where the predicate speaks of none."""
        made, things = spans.named(where, "feature"), spans.named(where, "entity")
        having = self.having()
        numbers = {stream.no for thing in things or () for stream in self.registry.streams_of(thing)} if having.featured else set()
        among = bool(numbers & having.featured) or not having.hosts.isdisjoint(things or ())
        return made if made is not None else things if among else None

    def _read(self, where: Predicate) -> int:
        """How many observations satisfy a predicate, counted by reading them."""
        total, cursor = 0, None
        for _ in range(_COUNTED // _PAGE):
            portion = self.page("Observations", where, _PAGE, cursor)
            total, cursor = total + len(portion.items), portion.next
            if cursor is None:
                return total
        raise not_held(
            f"超过 {_COUNTED} 条观测值，不能这样计数：请用 phenomenonTime 缩小范围。",
            f"More than {_COUNTED} Observations cannot be counted so. Narrow them by phenomenonTime.",
        )

    def streams(self, where: Predicate) -> tuple[str, ...]:
        """The streams whose observations are asked for: those named, those of a thing, all that the caller may see.

        For a feature that was made here those that have, or once had, readings about such a one.
        """
        named, things = spans.named(where, "stream"), spans.named(where, "entity")
        if named is not None:
            known = tuple(name for name in named if self._is_stream(name))
            if things is None:
                return known
            guests = self._guests(things)
            return tuple(name for name in known if self.registry.stream(name).entity in things or name in guests)
        if spans.named(where, "feature") is not None:
            streams = self.registry.streams()
            return tuple(streams[number - 1].id for number in sorted(self.having().featured) if streams[number - 1].ended is None)
        if things is not None:
            return (*(stream.id for thing in things for stream in self.registry.streams_of(thing)), *self._guests(things))
        return tuple(stream.id for stream in self.registry.present())

    def _is_stream(self, name: str) -> bool:
        return name in self.registry.stream_numbers()

    def one(self, name: str, where: Predicate, key: str) -> Item | None:
        """The entity of a set with an id, among those of a predicate; None where there is none for this caller."""
        own = self._by_id(key) if name == "Observations" else same(_KEYS.get(name, "id"), key)
        found = self.page(name, both(own, where), 1).items
        if not found and name == "Locations" and place(key) is not None:
            found = self.page(name, both(same(STOOD, key), where), 1).items
        for moved in moving.onward(self.registry, self.featured, key) if name == "Observations" and not found else ():
            found = found or self.page(name, both(self._by_id(moved), where), 1).items
        return found[0] if found else None

    def _by_id(self, key: str) -> Predicate:
        """An observation's id is its stream's number and its time in µs: nothing of it is stored."""
        joint = place(key)
        if joint is not None:
            return And((same(COLUMN, joint[0]), Compare("time", "eq", spans.written(joint[1]))))
        at = spans.place(key)
        streams = self.registry.streams()
        if at is None or not 1 <= at[0] <= len(streams):
            return NOTHING
        return And((same("stream", streams[at[0] - 1].id), Compare("time", "eq", spans.written(at[1]))))


def _unknown(_op: Op, _value: Value) -> None:
    """Nothing is asked of the rows."""
