"""Locations and HistoricalLocations made and changed (OGC 18-088 clauses 8.2.2, 8.2.3 and 10): which Things stand there, and stood."""

from dataclasses import dataclass

from citybrain.brain.observe import Making, Registry, Spot, Where
from citybrain.doors.sensorthings import drafts
from citybrain.doors.sensorthings.altering import Change
from citybrain.doors.sensorthings.bodies import reference, whole
from citybrain.doors.sensorthings.multi import place
from citybrain.doors.sensorthings.owning import only
from citybrain.doors.sensorthings.paths import Segment, unwritten
from citybrain.doors.sensorthings.refusals import missing, not_held, wrong
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

    def redraw(self, key: str, said: Change) -> None:
        """Say something else of a Location; its Things move with it."""
        spot = self.making.located(key)
        point: Json = {"type": "Point", "coordinates": [spot.place.lon, spot.place.lat]}
        after = said.of({"location": point, **spot.words, "encodingType": "application/geo+json"})
        if after.get("Things"):
            raise not_held(
                "请以 Locations('…')/Things 或 Things('…')/Locations 关联 Thing。",
                "Link Things at Locations('…')/Things or Things('…')/Locations.",
            )
        self.making.redraw_location(key, drafts.location(after))

    def retime(self, key: str, said: Change) -> None:
        """Only its time changes: where something stood is another HistoricalLocation."""
        thing, at = past(key)
        stood = self.making.stood(thing, at)
        after = said.of({"time": rfc3339(stood.since)})
        if after.get("Locations") or reference(after.get("Thing")) not in (None, thing):
            raise not_held(
                "只能更改 time；位置有误请删除后另建。",
                "Only time is changed. Delete it and make another for another place or Thing.",
            )
        self.making.retime(thing, at, drafts.instant(whole("HistoricalLocation", after, "time", "Thing", "Locations")))

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
        owner, key = place(location) or ("", 0)
        stood = self.registry.place(thing, key) if owner == thing else None
        return location if stood is None or stood.words is None else Spot(stood.place, stood.words)

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


def past(key: str) -> tuple[str, Instant]:
    """Thing and instant of the id of a HistoricalLocation; raises NotFoundError for what is no such id."""
    found = place(key)
    if found is None:
        raise missing(f"HistoricalLocations('{key}')")
    return found
