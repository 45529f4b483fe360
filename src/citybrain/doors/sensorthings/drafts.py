"""What somebody sends to make or to change, read into drafts (OGC 18-088 clauses 8 and 10.2). Pure."""

from dataclasses import dataclass, replace
from typing import Final

from citybrain.brain.observe import (
    MADE,
    UNMEASURED,
    Beside,
    Draft,
    MadeGroup,
    MadeProperty,
    MadeSensor,
    MadeStream,
    MadeThing,
    MadeUnit,
    Spot,
    Where,
    contract_of,
)
from citybrain.doors.sensorthings.bodies import Whole, asked, reference, whole
from citybrain.doors.sensorthings.placing import place
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.doors.sensorthings.results import COMPLEX, MEASUREMENT, SORTS
from citybrain.doors.sensorthings.saying import moment
from citybrain.doors.sensorthings.shape import OURS
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Json, same
from citybrain.kernel.things import By, Contract, Field

GEOJSON: Final = frozenset({"application/geo+json", "application/vnd.geo+json"})
"""The encodingTypes of what stands somewhere."""
_COMPUTED: Final = frozenset({"observedArea", "phenomenonTime", "resultTime"})
_JOINT: Final = (
    "name", "description", "observationType", "multiObservationDataTypes", "unitOfMeasurements", "properties", "Thing", "Sensor",
    "ObservedProperties", "Observations", *_COMPUTED,
)  # fmt: skip
"""Properties and links of a MultiDatastream."""
_FEWEST: Final = 2
"""Streams of a MultiDatastream: one alone is a Datastream."""
_PROMISES: Final = ("every", "silentAfter", "stuckAfter")


@dataclass(frozen=True, slots=True)
class Made:
    """A Thing: its name, what is said of it, its Locations, its Datastreams and its MultiDatastreams."""

    name: str
    words: MadeThing
    places: tuple[Where, ...]
    streams: tuple[Draft, ...]
    groups: tuple[Beside, ...]


def thing(value: Json) -> Made:
    """A Thing with all that it brings along; raises BadInputError, or 501 for a past, which is made after it (hanging.py)."""
    body = whole(
        "Thing", value, "name", "description", "properties", "Locations", "Datastreams", "MultiDatastreams", "HistoricalLocations"
    )
    if body.list("HistoricalLocations"):
        raise not_held(
            "历史位置请随后发送到 Things('…')/HistoricalLocations。", "Send its past to Things('…')/HistoricalLocations afterwards."
        )
    places = tuple(somewhere(one) for one in body.list("Locations"))
    words = MadeThing(asked(body), body.text("description"), body.object("properties"))
    streams = tuple(datastream(one) for one in body.list("Datastreams"))
    return Made(body.text("name"), words, places, streams, tuple(multi_datastream(one) for one in body.list("MultiDatastreams")))


def somewhere(value: Json) -> Where:
    """A Location: its id where it is named, else what is said of it; raises as ``location`` does."""
    return reference(value) or location(value)


def location(value: Json) -> Spot:
    """A Location on WGS 84, its GeoJSON kept as it was sent, with the id asked for; raises BadInputError."""
    body = whole(
        "Location", value, "name", "description", "encodingType", "location", "properties", "Things", "HistoricalLocations"
    )
    for link in ("Things", "HistoricalLocations"):
        if body.list(link):
            raise wrong(
                f"此处的 Location 不能附带 {link}；请另行关联或发送。",
                f"A Location does not bring {link} along here: link or send them by themselves.",
                link,
            )
    return replace(_spot(body, "location"), asked=asked(body))


def feature(value: Json) -> tuple[str, Spot]:
    """A FeatureOfInterest: the id that is asked for, or none, and where and what it is, its GeoJSON kept as it was sent."""
    body = whole("FeatureOfInterest", value, "name", "description", "encodingType", "feature", "properties", "Observations")
    if body.list("Observations"):
        raise not_held(
            "新建观测对象时不能附带观测值，请随后发送。",
            "Observations do not come with a new FeatureOfInterest. Send them afterwards.",
        )
    return asked(body), _spot(body, "feature")


def _spot(body: Whole, drawn: str) -> Spot:
    """Where something stands and what is said of the place, whose GeoJSON is the property ``drawn``."""
    if body.text("encodingType") not in GEOJSON:
        raise not_held("encodingType 仅可为 application/geo+json。", "encodingType can be application/geo+json.")
    words: dict[str, Json] = {
        "name": body.text("name"),
        "description": body.text("description"),
        "properties": body.object("properties"),
        "location": body.object(drawn),
    }
    return Spot(place(body.object(drawn)), words)


@dataclass(frozen=True, slots=True)
class Recalled:
    """A HistoricalLocation as somebody writes it: of which Thing, since when, and at which Locations."""

    thing: str | None
    since: Instant
    places: tuple[Where, ...]


def historical(value: Json) -> Recalled:
    """A HistoricalLocation; raises BadInputError where it says no time or no Location."""
    body = whole("HistoricalLocation", value, "time", "Thing", "Locations")
    places, thing = body.list("Locations"), body.body.get("Thing")
    named = reference(thing)
    if thing is not None and named is None:
        raise wrong(
            "HistoricalLocation 的 Thing 须以 @iot.id 指明。", "The Thing of a HistoricalLocation is named by its @iot.id.", "Thing"
        )
    if not places:
        raise wrong(
            "HistoricalLocation 须有 Location：写出位置，或以 @iot.id 指明。",
            "A HistoricalLocation needs its Locations: described, or named by their @iot.id.",
            "Locations",
        )
    return Recalled(named, instant(body), tuple(somewhere(one) for one in places))


def instant(body: Whole) -> Instant:
    """The ``time`` of a HistoricalLocation; raises BadInputError for what is no instant, or one before 1970."""
    written = body.text("time")
    try:
        found = moment(written)
    except ValueError as error:
        raise wrong(
            "time 须为 RFC 3339，如 2026-11-22T07:30:00Z。", "time is RFC 3339, such as 2026-11-22T07:30:00Z.", "time"
        ) from error
    if found < 0:
        raise wrong("time 不早于 1970 年。", "time is not before 1970.", "time")
    return found


def datastream(value: Json, sensor: str | None = None, watched: str | None = None) -> Draft:
    """A Datastream with its Sensor and ObservedProperty, each described or named; those that the address names are taken from there."""
    body = whole(
        "Datastream", value, "name", "description", "observationType", "unitOfMeasurement", "properties", "Thing", "Sensor",
        "ObservedProperty", "Observations", *_COMPUTED,
    )  # fmt: skip
    words, contract = series(asked(body), value)
    return Draft(
        words,
        _named("Sensor", body.body.get("Sensor"), sensor, "Datastream") or sensing(body.body.get("Sensor")),
        _named("ObservedProperty", body.body.get("ObservedProperty"), watched, "Datastream")
        or property_(body.body.get("ObservedProperty")),
        contract,
        SORTS[words.observation],
    )


def multi_datastream(value: Json, sensor: str | None = None) -> Beside:
    """A MultiDatastream, whose streams stand in the order of its ObservedProperties and promise what it promises."""
    if isinstance(value, dict) and "Datastreams" in value:
        raise wrong(
            "SensorThings 1.1 的 MultiDatastream 与 Datastream 之间没有关系，不能并入已有的；请写明 ObservedProperties 新建，属性可以 @iot.id 指明。",
            "In SensorThings 1.1 a MultiDatastream has no link to Datastreams: those that are there are not joined. Make it with its "
            "ObservedProperties, which may be named by their @iot.id.",
            "Datastreams",
        )
    body = whole("MultiDatastream", value, *_JOINT)
    sides = _side_by_side(body)
    watched = [reference(one) or property_(one) for one in body.list("ObservedProperties")]
    named = [one.removeprefix(f"{MADE}.") for one in watched if isinstance(one, str)]
    if len(set(named)) < len(named):
        raise wrong(
            "ObservedProperties 中同一属性只能出现一次。", "Each of the ObservedProperties stands there once.", "ObservedProperties"
        )
    words, contract = group(MadeGroup(asked(body), "", (), "", "", {}), value)
    given = _named("Sensor", body.body.get("Sensor"), sensor, "MultiDatastream") or sensing(body.body.get("Sensor"))
    promised = {name: one for name, one in words.properties.items() if name == "contract"}
    return Beside(
        words,
        tuple(
            Draft(MadeStream("", "", words.description, kind, unit, promised), given, one, contract, SORTS[kind])
            for (kind, unit), one in zip(sides, watched, strict=True)
        ),
    )


def group(known: MadeGroup, value: Json) -> tuple[MadeGroup, Contract]:
    """What a MultiDatastream says of itself, and what ``properties.contract`` promises."""
    body = whole("MultiDatastream", value, *_JOINT)
    kind = body.text("observationType", needed=False) or COMPLEX
    if kind != COMPLEX:
        raise not_held(f"observationType 仅可为 {COMPLEX}。", f"observationType can be {COMPLEX}.")
    properties = body.object("properties")
    said = MadeGroup(known.id, known.thing, known.streams, body.text("name"), body.text("description"), properties)
    return said, _contract(properties.get("contract"))


def _side_by_side(body: Whole) -> list[tuple[str, MadeUnit]]:
    """The types and units of a MultiDatastream; raises BadInputError for lists of unlike lengths, 501 for a type that is not known."""
    types, units = body.list("multiObservationDataTypes"), body.list("unitOfMeasurements")
    lengths = len(types), len(units), len(body.list("ObservedProperties"))
    if min(lengths) < _FEWEST or len(set(lengths)) > 1:
        told = "{} / {} / {}".format(*lengths)
        raise wrong(
            f"multiObservationDataTypes、unitOfMeasurements、ObservedProperties 须等长，至少 {_FEWEST} 项（收到 {told}）。",
            f"multiObservationDataTypes, unitOfMeasurements and ObservedProperties are of one length, {_FEWEST} at least ({told}).",
            "ObservedProperties",
        )
    return [(_type(str(kind)), _unit(one)) for kind, one in zip(types, units, strict=True)]


def _type(said: str) -> str:
    """A type of results; raises 501 for one that is not known."""
    if said not in SORTS:
        able = ", ".join(SORTS)
        raise not_held(f"不支持 {said}，可用：{able}。", f"{said} is not held. Types that are: {able}.")
    return said


def _unit(value: Json) -> MadeUnit:
    unit = whole("unitOfMeasurement", {} if value is None else value, "name", "symbol", "definition")
    return MadeUnit(*(unit.text(name, needed=False) or None for name in ("name", "symbol", "definition")))


def units(value: Json, count: int) -> tuple[MadeUnit, ...]:
    """The units of a MultiDatastream; raises BadInputError for another number of them."""
    listed = Whole("MultiDatastream", {"unitOfMeasurements": value}).list("unitOfMeasurements")
    if len(listed) != count:
        raise wrong(
            f"unitOfMeasurements 须为 {count} 项，与观测属性等长。",
            f"unitOfMeasurements are {count}, of one length with its ObservedProperties.",
            "unitOfMeasurements",
        )
    return tuple(_unit(one) for one in listed)


def series(key: str, value: Json) -> tuple[MadeStream, Contract]:
    """What a Datastream says of itself, and what ``properties.contract`` promises."""
    body = Whole("Datastream", value if isinstance(value, dict) else {})
    kind = _type(body.text("observationType", needed=False) or MEASUREMENT)
    unit = Whole("unitOfMeasurement", body.object("unitOfMeasurement"))
    properties = {name: one for name, one in body.object("properties").items() if name not in OURS}
    said = (unit.text(name, needed=False) or None for name in ("name", "symbol", "definition"))
    words = MadeStream(key, body.text("name"), body.text("description"), kind, MadeUnit(*said), properties)
    contract = _contract(properties.get("contract"))
    if SORTS[kind] in UNMEASURED and (contract.low, contract.high) != (None, None):
        raise wrong(
            "此类结果不是数量，contract 不能有 low、high。",
            "Results of this type are no quantities: contract has no low and high.",
            "contract",
        )
    return words, contract


def sensing(value: Json) -> MadeSensor:
    """A Sensor."""
    body = whole("Sensor", value, "name", "description", "encodingType", "metadata", "properties", "Datastreams")
    if body.body.get("metadata") is None:
        raise wrong("Sensor 须有 metadata。", "Sensor needs metadata.", "metadata")
    _childless(body)
    return MadeSensor(
        asked(body),
        body.text("name"),
        body.text("description"),
        body.text("encodingType"),
        body.body["metadata"],
        body.object("properties"),
    )


def property_(value: Json) -> MadeProperty:
    """An ObservedProperty."""
    body = whole("ObservedProperty", value, "name", "definition", "description", "properties", "Datastreams")
    _childless(body)
    return MadeProperty(
        asked(body), body.text("name"), body.text("definition"), body.text("description"), body.object("properties")
    )


def _childless(body: Whole) -> None:
    if body.list("Datastreams"):
        raise not_held(
            f"{body.name} 不能附带 Datastreams，请另行新建。",
            f"{body.name} does not bring Datastreams along. Make them by themselves.",
        )


def _named(noun: str, value: Json, given: str | None, of: str) -> str | None:
    """The id of a link: of the address, or of a reference; raises BadInputError where it is missing or said twice unlike."""
    said = reference(value)
    if given is not None and value is not None and said != given:
        raise wrong(f"{noun} 与地址不符。", f"The {noun} is not that of the address.", noun)
    if given is None and value is None:
        raise wrong(f"{of} 须有 {noun}。", f"A {of} needs its {noun}.", noun)
    return said if given is None else given


def _contract(value: Json) -> Contract:
    """What a stream promises: ``every``, ``silentAfter``, ``stuckAfter`` (ISO 8601) and ``low``, ``high`` in its unit."""
    if value is None:
        return Contract()
    body = whole("contract", value, *_PROMISES, "low", "high")
    limits = [body.body.get(name) for name in ("low", "high")]
    if any(one is not None and (isinstance(one, bool) or not isinstance(one, int | float)) for one in limits):
        raise wrong("contract 的 low、high 须为数。", "low and high of contract are numbers.", "contract")
    low, high = (None if one is None else float(str(one)) for one in limits)
    every, silent, stuck = (body.text(name, needed=False) or None for name in _PROMISES)
    try:
        return contract_of(
            Field("field", same("field"), By.SENSOR, every=every, silent_after=silent, stuck_after=stuck, range=(low, high))
        )
    except (ValueError, BadInputError) as error:
        raise wrong(
            "contract 的时长须为 ISO 8601，如 PT10M。", "Durations of contract are ISO 8601, such as PT10M.", "contract"
        ) from error
