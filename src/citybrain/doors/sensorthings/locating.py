"""Locations and HistoricalLocations made and changed (OGC 18-088 clauses 8.2.2, 8.2.3 and 10): which Things stand there, and stood."""

from dataclasses import dataclass

from citybrain.brain.observe import Making, Registry, Spot, Where
from citybrain.doors.sensorthings import drafts
from citybrain.doors.sensorthings.altering import Change
from citybrain.doors.sensorthings.bindings import Bound, apart, inline
from citybrain.doors.sensorthings.bodies import reference, whole
from citybrain.doors.sensorthings.multi import place
from citybrain.doors.sensorthings.owning import only
from citybrain.doors.sensorthings.paths import Segment, unwritten
from citybrain.doors.sensorthings.refusals import missing, wrong
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.text import Json


@dataclass(frozen=True, slots=True)
class Locator:
    """Has Things stand somewhere; what packs declare stands where they say (409)."""

    making: Making
    registry: Registry

    def create(self, path: tuple[Segment, ...], body: Json) -> tuple[str, str]:
        """Make what a body describes, or link what it names, in the set that a path leads to; its set and its id.

        Raises BadInputError, NotFoundError, ConflictError, and 501 for a path that is not written to.
        """
        match path:
            case (Segment("Locations", None),):
                return "Locations", self._locate(body)
            case (Segment("Locations", str(key)), Segment("Things", None)):
                return "Things", self._at(key, body)
            case (Segment("Things", str(key)), Segment("Locations", None)):
                return "Locations", self._move(key, body)
            case (Segment("Things", str(key)), Segment("Locations", None), Segment("$ref", None)):
                return "Locations", self._join(key, body)
            case (Segment("HistoricalLocations", None),):
                return "HistoricalLocations", self._recall(None, body)
            case (Segment("Things", str(key)), Segment("HistoricalLocations", None)):
                return "HistoricalLocations", self._recall(key, body)
            case _:
                raise unwritten(path)

    def redraw(self, key: str, said: Change) -> Bound:
        """Say something else of a Location; its Things move with it. The links that it is to have besides."""
        spot = self.making.located(key)
        point: Json = {"type": "Point", "coordinates": [spot.place.lon, spot.place.lat]}
        after, bound = apart("Locations", said.of({"location": point, **spot.words, "encodingType": "application/geo+json"}))
        location = drafts.location(after)
        if location.words != spot.words or location.place != spot.place:
            self.making.redraw_location(key, location)
        return bound

    def rewrite(self, key: str, said: Change) -> None:
        """Say of a HistoricalLocation another time, other Locations, where the Thing stands by now if it is the present one, or another Thing."""
        thing, at = past(self.registry, key)
        stood = self.making.stood(thing, at)
        body = whole("HistoricalLocation", said.of({"time": rfc3339(stood.since)}), "time", "Thing", "Locations")
        other = thing if body.body.get("Thing") is None else reference(body.body["Thing"])
        if other is None:
            raise inline("Thing")
        places = [drafts.somewhere(one) for one in body.list("Locations")]
        if said.how == "merge" and any(not isinstance(one, str) for one in places):
            raise inline("Locations")
        self.making.retime(thing, at, drafts.instant(body))
        if places:
            self.making.restand(thing, at, *(self._known(thing, one) if isinstance(one, str) else one for one in places))
        if other != thing:
            self.making.rehouse(thing, at, other)

    def bind(self, key: str, noun: str, other: str) -> None:
        """Have a HistoricalLocation lead to one Location more, or be of another Thing."""
        thing, at = past(self.registry, key)
        self.making.stood(thing, at)
        if noun != "Thing":
            self.making.rejoin(thing, at, other)
        elif other != thing:
            self.making.rehouse(thing, at, other)

    def _locate(self, body: Json) -> str:
        """A Location: that of the one Thing that it names, or one with an id of its own (its Things are linked after it, hanging.py)."""
        own = {name: one for name, one in body.items() if name != "Things"} if isinstance(body, dict) else body
        spot, thing = drafts.location(own), only(body)
        if thing is None or spot.asked not in ("", thing):
            return self.making.locate(spot)
        self.making.move(thing, spot)
        return thing

    def _move(self, thing: str, body: Json) -> str:
        where = drafts.somewhere(body)
        self.making.move(thing, where)
        return where if isinstance(where, str) else where.asked or thing

    def _recall(self, thing: str | None, body: Json) -> str:
        said = drafts.historical(body)
        named = thing or said.thing
        if named is None:
            raise wrong("HistoricalLocation 须有 Thing。", "A HistoricalLocation needs its Thing.", "Thing")
        if said.thing not in (None, named):
            raise wrong("Thing 与地址不符。", "The Thing is not that of the address.", "Thing")
        places = [self._known(named, one) if isinstance(one, str) else one for one in said.places]
        return self.making.recall(named, said.since, *places).id

    def _known(self, thing: str, location: str) -> Where:
        """A Location by its id; a copy of what a Thing's own place is, or an earlier one was, for these are its own alone."""
        if location == self.making.own(thing).id and self.registry.made.things[thing].owning:
            spot = self.making.located(location)
            return Spot(spot.place, spot.words)
        owner, key = place(self.registry.made.keeping(location)) or ("", 0)
        stood = self.registry.place(thing, key) if owner == thing else None
        return location if stood is None or stood.struck or stood.words is None else Spot(stood.place, stood.words)

    def _at(self, location: str, body: Json) -> str:
        """A Thing at a Location: a new one, or one that is there and stands at this one and no other from now on."""
        named = reference(body)
        if named is None:
            made = drafts.thing(body)
            return self.making.thing(made.name, made.words, (*made.places, location), made.streams, made.groups).id
        self.making.move(named, location)
        return named

    def _join(self, thing: str, body: Json) -> str:
        """One more Location for a Thing: one that is there."""
        named = reference(body)
        if named is None:
            raise wrong(
                '请以 {"@iot.id": "…"} 指明已有的 Location。', 'Name a Location that is there: {"@iot.id": "…"}.', "@iot.id"
            )
        self.making.join(thing, named)
        return named


def past(registry: Registry, key: str) -> tuple[str, Instant]:
    """Thing and instant of the id of a HistoricalLocation; raises NotFoundError for what is no such id."""
    found = place(registry.made.keeping(key))
    if found is None:
        raise missing(f"HistoricalLocations('{key}')")
    return found
