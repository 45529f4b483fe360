"""Random ``$filter`` and ``$orderby`` on every set, over the real stores, against a second reading in plain Python."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cmp_to_key
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from anyio import to_thread
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from citybrain.doors.sensorthings.bound import bound
from citybrain.doors.sensorthings.model import SETS
from citybrain.doors.sensorthings.paths import ROOT, segments
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import NotFoundError
from tests.doors.conftest import World, basic
from tests.doors.sensorthings import reference
from tests.doors.sensorthings.conftest import STANDING, fill
from tests.doors.sensorthings.reference import City, Tree, Value
from tests.doors.sensorthings.test_making import GAUGE, PLACE, posted

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
ODD = "it's 100% O'Brien_\\(井)\tＡß"
PATHS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Things": {
        "text": ("id", "name", "description", "properties/kind", "properties/none", "Locations/name", "Datastreams/id", "Datastreams/Sensor/name"),
        "number": ("properties/version", "Datastreams/properties/latest/value"),
        "time": ("properties/valid_from", "HistoricalLocations/time"),
        "place": ("Locations/location",),
    },
    "Locations": {
        "text": ("id", "name", "encodingType", "properties/area", "properties/origin", "Things/id"),
        "number": ("Things/properties/version",),
        "time": ("HistoricalLocations/time",),
        "place": ("location",),
    },
    "HistoricalLocations": {
        "text": ("id", "Thing/id", "Thing/name", "Locations/id"),
        "number": ("Thing/properties/version",),
        "time": ("time",),
        "place": ("Locations/location",),
    },
    "Datastreams": {
        "text": (
            "id", "@iot.id", "name", "unitOfMeasurement/name", "unitOfMeasurement/symbol", "properties/life", "properties/kind",
            "properties/contract", "Thing/id", "Sensor/id", "ObservedProperty/id", "ObservedProperty/definition", "Thing/Datastreams/id",
        ),
        "number": ("properties/latest/value", "properties/high", "Thing/properties/version"),
        "time": ("properties/latest/time",),
        "place": ("Thing/Locations/location",),
    },
    "MultiDatastreams": {
        "text": ("id", "name", "properties/kind", "properties/area", "Thing/id", "ObservedProperties/id", "Sensor/id"),
        "number": ("Thing/properties/version",),
        "time": ("Thing/HistoricalLocations/time",),
        "place": ("Thing/Locations/location",),
    },
    "Sensors": {
        "text": ("id", "name", "encodingType", "metadata", "Datastreams/id", "Datastreams/Thing/id"),
        "number": ("Datastreams/properties/latest/value",),
        "time": ("Datastreams/properties/latest/time",),
        "place": ("Datastreams/Thing/Locations/location",),
    },
    "ObservedProperties": {
        "text": ("id", "name", "definition", "properties/unit", "Datastreams/id"),
        "number": ("Datastreams/properties/latest/value",),
        "time": ("Datastreams/properties/latest/time",),
        "place": ("Datastreams/Thing/Locations/location",),
    },
    "Observations": {
        "text": ("id", "Datastream/id", "Datastream/unitOfMeasurement/name", "Datastream/Thing/id", "FeatureOfInterest/id", "parameters/origin"),
        "number": ("result", "Datastream/properties/latest/value", "parameters/n"),
        "time": ("phenomenonTime", "resultTime", "validTime"),
        "place": ("FeatureOfInterest/feature",),
    },
    "FeaturesOfInterest": {
        "text": ("id", "name", "encodingType", "properties/area"),
        "number": ("properties/none",),
        "time": ("properties/none",),
        "place": ("feature",),
    },
}  # fmt: skip
SAID: tuple[dict[str, Any], ...] = (
    {"result": 7.5, "resultTime": "2026-11-22T06:59:00Z", "parameters": {"n": 3}},
    {"result": 0, "validTime": "2026-11-22T06:50:00Z/2026-11-22T06:55:00Z"},
    {"result": -2.25},
)
WORDS = (
    "well-1",
    "WELL",
    "井",
    "e",
    "",
    "'",
    "%",
    "_",
    "\\",
    ODD,
    "well-1.level",
    "mast-1",
    "m",
    "live",
    "120104",
    "river-gauge",
    "M",
    "demo",
)


def asked(path: str, **options: str) -> Value:
    """What the door answers to whoever may read all."""
    caller = Caller("x", "", frozenset({"dispatcher"}), None)
    pairs = [(name.replace("_", "$", 1), text) for name, text in options.items()]
    return bound(STANDING.parts, caller, "", "zh", "http://city").answer(segments(ROOT + path), pairs)


def walked(path: str, **options: str) -> tuple[list[dict[str, Any]], set[int]]:
    """The entities of all pages, one after another, and the counts that they said."""
    found: list[dict[str, Any]] = []
    counts: set[int] = set()
    while True:
        page = asked(path, **options)
        found += page["value"]
        counts |= {page["@iot.count"]} if "@iot.count" in page else set()
        assert "_top" not in options or len(page["value"]) <= int(options["_top"])
        if "@iot.nextLink" not in page:
            return found, counts
        options = {name.replace("$", "_", 1): text for name, text in parse_qsl(urlsplit(page["@iot.nextLink"]).query)}


def crawled() -> tuple[City, dict[str, list[str]]]:
    """The whole city, and what each set lists."""
    entities: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in SETS}
    links: dict[tuple[str, str, str], tuple[tuple[str, str], ...]] = {}
    listed = {name: [one["@iot.id"] for one in walked(f"/{name}")[0]] for name in SETS}
    waiting = [(name, key) for name, keys in listed.items() for key in keys]
    while waiting:
        name, key = waiting.pop()
        if key in entities[name]:
            continue
        at = f"/{name}('{key}')"
        entities[name][key] = asked(at)
        for link, nav in SETS[name].navs.items():
            if nav.to != "Observations" and f"{link}@iot.navigationLink" in entities[name][key]:
                links[name, key, link] = tuple((nav.to, found) for found in _beyond(f"{at}/{link}", many=nav.many))
                waiting += links[name, key, link]
    return City(entities, links), listed


def _beyond(at: str, *, many: bool) -> list[str]:
    try:
        found = walked(at)[0] if many else [asked(at)]
    except NotFoundError:
        return []
    return [one["@iot.id"] for one in found]


def literal(kind: str, value: object, text: str) -> Tree:
    return ("lit", kind, value, text)


def words() -> st.SearchStrategy[Tree]:
    return st.sampled_from(WORDS).map(lambda one: literal("text", one, "'" + one.replace("'", "''") + "'"))


def moments() -> st.SearchStrategy[Tree]:
    minutes = st.sampled_from((0, 1, 5, 9, 10, 60, 600, 1440)).map(lambda back: NOW - timedelta(minutes=back))
    plain = minutes.map(lambda at: literal("time", at, at.isoformat().replace("+00:00", "Z")))
    # Of a time that says its offset, parts are those of its own clock.
    there = timezone(timedelta(hours=8))
    shifted = minutes.map(lambda at: literal("time", at.astimezone(there), at.astimezone(there).isoformat()))
    spans = st.tuples(minutes, minutes).filter(lambda pair: pair[0] < pair[1])
    intervals = spans.map(lambda pair: literal("time", pair, "/".join(at.isoformat().replace("+00:00", "Z") for at in pair)))
    return plain | shifted | intervals | st.just(literal("time", NOW, "now()"))


def durations() -> st.SearchStrategy[Tree]:
    return st.sampled_from((1, 5, 60)).map(lambda n: literal("duration", timedelta(minutes=n), f"duration'PT{n}M'"))


def numbers() -> st.SearchStrategy[Tree]:
    whole = st.integers(0, 20).map(lambda n: literal("number", n, str(n)))
    return whole | st.sampled_from((0.5, 2.25, 11.0, 12.5)).map(lambda n: literal("number", n, str(n)))


POINTS = st.sampled_from(((117.1, 39.06), (117.1, 39.07), (117.1, 39.1), (117.0, 39.0))).map(
    lambda at: literal("place", at, f"geography'POINT ({at[0]} {at[1]})'")
)
BOXES = st.sampled_from(
    ((117.0, 39.0, 117.2, 39.2), (117.1, 39.0, 117.2, 39.2), (117.05, 39.065, 117.15, 39.2), (0.0, 0.0, 1.0, 1.0))
).map(
    lambda box: literal(
        "place",
        box,
        "geography'POLYGON (({0} {1}, {2} {1}, {2} {3}, {0} {3}, {0} {1}))'".format(*box),
    )
)


class Grammar:
    """Well-typed trees over the paths of a set."""

    def __init__(self, paths: Mapping[str, tuple[str, ...]]) -> None:
        self._paths = paths

    def path(self, kind: str) -> st.SearchStrategy[Tree]:
        return st.sampled_from(self._paths[kind]).map(lambda one: ("path", one))

    def text(self, depth: int) -> st.SearchStrategy[Tree]:
        plain = self.path("text") | words()
        if not depth:
            return plain
        inner = self.text(depth - 1)
        small = st.integers(0, 6).map(lambda n: literal("number", n, str(n)))
        return st.one_of(
            plain,
            plain,
            st.tuples(st.sampled_from(("tolower", "toupper", "trim")), inner),
            st.tuples(st.just("concat"), inner, words()),
            st.tuples(st.just("substring"), inner, small),
            st.tuples(st.just("substring"), inner, small, small),
        )

    def number(self, depth: int) -> st.SearchStrategy[Tree]:
        plain = self.path("number") | numbers()
        if not depth:
            return plain
        inner = self.number(depth - 1)
        parts = ("year", "month", "day", "hour", "minute", "second", "fractionalseconds", "totaloffsetminutes")
        return st.one_of(
            plain,
            st.tuples(st.sampled_from(("add", "sub", "mul", "div", "mod")), inner, numbers()),
            st.tuples(st.sampled_from(("add", "sub", "mul", "div", "mod")), numbers(), inner),
            st.tuples(st.sampled_from(("neg", "round", "floor", "ceiling")), inner),
            st.tuples(st.just("length"), self.text(depth - 1)),
            st.tuples(st.just("indexof"), self.text(depth - 1), words()),
            st.tuples(st.sampled_from(parts), self.time(0)),
            st.tuples(st.just("geo.distance"), self.path("place"), POINTS),
        )

    def time(self, depth: int) -> st.SearchStrategy[Tree]:
        plain = self.path("time") | moments()
        if not depth:
            return plain
        return plain | st.tuples(st.sampled_from(("add", "sub")), plain, durations())

    def comparison(self, depth: int) -> st.SearchStrategy[Tree]:
        signs = st.sampled_from(("eq", "ne", "gt", "ge", "lt", "le"))
        null = st.just(literal("null", None, "null"))
        return st.one_of(
            st.tuples(signs, self.text(depth), self.text(0)),
            st.tuples(signs, self.number(depth), self.number(0)),
            st.tuples(signs, self.time(depth), self.time(depth)),
            st.tuples(st.sampled_from(("eq", "ne")), self.text(depth) | self.number(depth) | self.time(depth), null),
            st.tuples(st.just("in"), self.path("text") | self.text(depth), st.lists(words() | null, min_size=1, max_size=4)),
            st.tuples(st.just("in"), self.number(depth), st.lists(numbers() | null, min_size=1, max_size=4)),
            st.tuples(st.sampled_from(("contains", "startswith", "endswith", "substringof")), self.text(depth), self.text(depth)),
            st.tuples(
                st.sampled_from(("st_within", "st_intersects", "geo.intersects", "st_disjoint", "st_touches")),
                self.path("place"),
                BOXES,
            ),
            st.tuples(st.just("st_equals"), self.path("place"), POINTS),
            st.tuples(
                st.sampled_from(("eq", "ne")), st.tuples(st.just("date"), self.time(0)), st.tuples(st.just("date"), moments())
            ),
        )

    def condition(self) -> st.SearchStrategy[Tree]:
        return st.recursive(
            comparisons(self),
            lambda inner: (
                st.tuples(st.sampled_from(("and", "or")), inner, inner)
                | st.tuples(st.just("not"), inner)
                | st.tuples(st.sampled_from(("eq", "ne")), inner, st.just(literal("truth", value=True, text="true")))
            ),
            max_leaves=5,
        )

    def key(self) -> st.SearchStrategy[tuple[Tree, bool]]:
        return st.tuples(self.path("text") | self.number(1) | self.path("time"), st.booleans())


@st.composite
def comparisons(draw: st.DrawFn, grammar: Grammar) -> Tree:
    """A comparison, which says little of itself where one is asked how it is made."""
    return draw(grammar.comparison(2))


@st.composite
def conditions(draw: st.DrawFn, name: str) -> Tree:
    """A condition on a set."""
    return draw(Grammar(PATHS[name]).condition())


async def peopled(world: World) -> None:
    """Names of odd letters, times of two kinds, and things that lack what others have."""
    await fill(world)
    secret = world.parts.accounts.devices.create("全部", "every", ["*"])
    async with world.client("admin") as admin:
        await posted(admin, "/Things", {**GAUGE, "name": ODD, "@iot.id": "river-gauge"})
        await posted(admin, "/Things", {"name": "Bare", "description": "Nothing else", "@iot.id": "bare"})
        about = {"name": "Pond", "description": "d", "encodingType": "application/geo+json", "feature": PLACE["location"]}
        await posted(admin, "/FeaturesOfInterest", about)
        await admin.patch(f"{ROOT}/Locations('river-gauge')", json={"location": {"type": "Point", "coordinates": [117.0, 39.0]}})
        await admin.post(f"{ROOT}/Things('river-gauge')/Locations", json=PLACE)
    async with world.client() as device:
        device.headers["Authorization"] = basic("every", secret)
        for minute, body in enumerate(SAID):
            for name in ("well-1.salt", "mast-1.wind", "mast-1.gust"):
                await posted(
                    device, f"/Datastreams('{name}')/Observations", {"phenomenonTime": f"2026-11-22T06:5{minute}:00Z", **body}
                )
        beside = {"phenomenonTime": "2026-11-22T06:57:00Z", "result": 6, "FeatureOfInterest": {"@iot.id": "well-2"}}
        await posted(device, "/Datastreams('mast-1.gust')/Observations", beside)
        span: dict[str, Any] = {"phenomenonTime": "2026-11-22T06:50:00Z/2026-11-22T06:55:00Z", "result": 4}
        await posted(device, "/Datastreams('well-2.level')/Observations", span)


LAW = settings(phases=[Phase.generate], deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


def hold(name: str, city: City, keys: list[str], examples: int) -> None:
    """A set and its conditions, against the second reading."""

    @settings(LAW, max_examples=examples)
    @given(tree=conditions(name), top=st.integers(1, 7))
    def means_the_same(tree: Tree, top: int) -> None:
        text = reference.written(tree)
        wanted = {key for key in keys if reference.holds(tree, city, (name, key))}
        found, counts = walked(f"/{name}", _filter=text, _count="true", _top=str(top))
        assert sorted(one["@iot.id"] for one in found) == sorted(wanted), (name, text)
        assert counts == {len(wanted)}, (name, text)

    means_the_same()


def order(name: str, city: City, keys: list[str], examples: int) -> None:
    """A set and its pages in any order, against the second reading."""

    @settings(LAW, max_examples=examples)
    @given(
        order=st.lists(Grammar(PATHS[name]).key(), min_size=1, max_size=3),
        top=st.integers(1, 7),
        skip=st.integers(0, 9),
        asc=st.sampled_from(("", " asc")),
    )
    def each_once(order: list[tuple[Tree, bool]], top: int, skip: int, asc: str) -> None:
        text = ",".join(f"{reference.written(by)}{' desc' if down else asc}" for by, down in order)
        found = [one["@iot.id"] for one in walked(f"/{name}", _orderby=text, _top=str(top))[0]]
        assert sorted(found) == sorted(keys), (name, text)
        ranks = {key: [(reference.rank(by, city, (name, key)), down) for by, down in order] for key in keys}
        wanted = sorted(ranks.values(), key=cmp_to_key(reference.before))
        assert [ranks[key] for key in found] == wanted, (name, text)
        page = asked(f"/{name}", _orderby=text, _top=str(top), _skip=str(skip), _count="true")
        assert [one["@iot.id"] for one in page["value"]] == found[skip : skip + top], (name, text)
        assert page["@iot.count"] == len(keys), (name, text)

    each_once()


def all_sets(law: Callable[[str, City, list[str], int], None], examples: int) -> None:
    """A law on every set."""
    city, listed = crawled()
    for name, keys in listed.items():
        assert keys, name
        law(name, city, keys, examples)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_condition_means_what_a_second_reading_says(masts: World) -> None:
    await peopled(masts)
    await to_thread.run_sync(all_sets, hold, 12)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_all_pages_in_any_order_hold_each_entity_once(masts: World) -> None:
    await peopled(masts)
    await to_thread.run_sync(all_sets, order, 15)


@pytest.mark.soak
@pytest.mark.timeout(7200)
async def test_many_conditions_and_orders_mean_what_a_second_reading_says(masts: World) -> None:
    await peopled(masts)
    await to_thread.run_sync(all_sets, hold, 2000)
    await to_thread.run_sync(all_sets, order, 500)
