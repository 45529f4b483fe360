"""Whose a writing is: the ids that it is about, by which policy tells what a device may make (OGC 18-088 clause 10). Pure."""

from collections.abc import Mapping

from citybrain.doors.sensorthings.bodies import reference
from citybrain.doors.sensorthings.paths import Segment
from citybrain.kernel.text import Json


def ids_of(path: tuple[Segment, ...], body: Json) -> tuple[str | None, ...]:
    """The ids of the Things, features and Locations that are to be made, or of which something is made; None for one not named."""
    own: Mapping[str, Json] = body if isinstance(body, dict) else {}
    match path:
        case (Segment("Things", str(key)), Segment("Locations" | "HistoricalLocations", None)):
            return (key, *_apart(key, own if path[-1].name == "HistoricalLocations" else {"Locations": [body]}))
        case (Segment("Things", str(key)), *_):
            return (key,)
        case (Segment("Things", None),) | (Segment("Locations", str()), Segment("Things", None)):
            return (_asked(body), *_apart(_asked(body), own))
        case (Segment("FeaturesOfInterest", None),):
            return (_asked(body),)
        case (Segment("Datastreams" | "MultiDatastreams", None),):
            thing = own.get("Thing")
            return (_asked(thing), *_apart(_asked(thing), thing if isinstance(thing, dict) else {}))
        case (Segment("HistoricalLocations", None),):
            thing = reference(own.get("Thing"))
            return (thing, *_apart(thing, own))
        case (Segment("Locations", None),):
            things = own.get("Things")
            listed = things if isinstance(things, list) else []
            found = [one for each in listed for one in ids_of((Segment("Things"),), each)]
            return (*found, *(() if listed and _asked(body) in (None, *found) else (_asked(body),)))
        case _:
            return (None,)


def _apart(thing: str | None, body: Mapping[str, Json]) -> tuple[str, ...]:
    """The ids that Locations ask for which are described with a Thing, and are not its own."""
    places = body.get("Locations")
    described = [one for one in places if isinstance(one, dict) and reference(one) is None] if isinstance(places, list) else []
    return tuple(asked for one in described if (asked := _asked(one)) is not None and asked != thing)


def only(body: Json) -> str | None:
    """The one Thing that a Location names."""
    things = body.get("Things") if isinstance(body, dict) else None
    return reference(things[0]) if isinstance(things, list) and len(things) == 1 else None


def _asked(body: Json) -> str | None:
    found = body.get("@iot.id") if isinstance(body, dict) else None
    return found if isinstance(found, str) else None
