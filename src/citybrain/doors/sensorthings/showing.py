"""Which entities a change shows in: a thing is a Thing, a Location and a FeatureOfInterest, and so are its MultiDatastreams told anew."""

from typing import Final

from citybrain.brain.observe import (
    FEATURE,
    LOCATION,
    MADE,
    MadeGroup,
    MadePast,
    MadeProperty,
    MadeSensor,
    MadeStream,
    Noun,
    Registry,
    Stood,
)
from citybrain.doors.sensorthings.multi import MULTI, of_thing
from citybrain.kernel.things import Entity, Stream

_PLACED: Final = ("Things", "Locations", "FeaturesOfInterest")
"""Sets of what is made of a thing, under its id."""


def places(registry: Registry, noun: Noun) -> tuple[tuple[str, str], ...]:
    """Set and id of the entities that a change shows in."""
    match noun:
        case Entity(kind=kind) if kind == FEATURE:
            return (("FeaturesOfInterest", noun.id),)
        case Entity(kind=kind) if kind == LOCATION:
            return (("Locations", noun.id),)
        case Entity():
            first = (("HistoricalLocations", f"{noun.id}@{noun.valid_from}"),) if noun.version == 1 else ()
            joint = ((MULTI, one.id) for one in of_thing(registry, noun.id))
            return (*((name, noun.id) for name in _PLACED), *first, *joint)
        case Stood():
            return (("HistoricalLocations", registry.made.called(noun.id)),)
        case Stream() | MadeStream():
            return (("Datastreams", noun.id),)
        case MadePast():
            return (("HistoricalLocations", noun.id),)
        case MadeGroup():
            return ((MULTI, noun.id),)
        case MadeSensor():
            return (("Sensors", noun.id),)
        case MadeProperty():
            return (("ObservedProperties", f"{MADE}.{noun.id}"),)
        case _:
            return (("Things", noun.id),)
