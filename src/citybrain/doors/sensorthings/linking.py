"""Links to entities that are there, in what is changed and under ``$ref`` (OGC 18-088 clause 10.3; OData 4.0 Protocol 11.4.6).

``PATCH Things('a') {"Datastreams": [{"@iot.id": "b.c"}]}``, ``POST Things('a')/Datastreams/$ref {"@iot.id": "b.c"}`` and
``PUT Datastreams('b.c')/Thing/$ref {"@iot.id": "a"}`` say the same: that Datastream is of that Thing from now on.
"""

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from citybrain.brain.observe import Links, MadeGroup, Making, Registry, declared_elsewhere
from citybrain.doors.sensorthings import multi
from citybrain.doors.sensorthings.bindings import BOUND, FROM, PAST, TO, Bound, inside
from citybrain.doors.sensorthings.bodies import reference
from citybrain.doors.sensorthings.locating import Locator
from citybrain.doors.sensorthings.multi import MULTI
from citybrain.doors.sensorthings.paths import Segment, unwritten
from citybrain.doors.sensorthings.refusals import missing, wrong
from citybrain.kernel.text import Json

_SIDES: Final = ("Datastreams", MULTI)


@dataclass(frozen=True, slots=True)
class Linker:
    """Links entities that were made here; what packs declare stays as they say (409)."""

    making: Making
    registry: Registry

    def bind(self, name: str, key: str, bound: Bound) -> None:
        """Have an entity of a set lead to others that are there.

        Raises NotFoundError, ConflictError, and NotHeldError for a link that is not made so.
        """
        for link, other in bound:
            if (name, link) in FROM:
                self._side(link, other, FROM[name, link], key)
            elif name in _SIDES and link in TO:
                self._side(name, key, TO[link], other)
            elif (name, link) == ("Locations", "Things"):
                self.making.move(other, key)
            elif (name, link) in PAST:
                past = key if name == "HistoricalLocations" else other
                to = (link.removesuffix("s"), other) if past == key else (name.removesuffix("s"), key)
                Locator(self.making, self.registry).bind(past, *to)
            else:
                raise unwritten((Segment(name), Segment(link), Segment("$ref")))

    def refer(self, path: tuple[Segment, ...], body: Json, able: Container[tuple[str, str]]) -> tuple[str, str]:
        """Make the link that a path ending in ``$ref`` stands for, one of those that are ``able``; the set and the id that the answer names.

        Raises as ``bind`` does.
        """
        named = reference(body)
        match path:
            case (Segment(name, str(key)), Segment(link, None), Segment("$ref", None)) if (name, link) in able:
                if named is None:
                    raise wrong(
                        f'请以 {{"@iot.id": "…"}} 指明已有的 {link}。',
                        f'Name a {link} that is there: {{"@iot.id": "…"}}.',
                        "@iot.id",
                    )
                self.bind(name, key, ((link, named),))
                return (link, named) if (name, link) in BOUND else (name, key)
            case _:
                raise unwritten(path)

    def _side(self, name: str, key: str, side: str, to: str) -> None:
        """Have a Datastream or MultiDatastream be of another Thing, come from another Sensor, or watch another property."""
        links = Links(**{side: inside(to) if side == "watched" else to})
        if name == "Datastreams":
            self.making.own_stream(key)
            self.making.restate(self.registry.made.streams[key], None, links)
        elif side == "watched":
            raise unwritten((Segment(name), Segment("ObservedProperties"), Segment("$ref")))
        else:
            self.making.regroup(own_group(self.registry, key), None, links)


def own_group(registry: Registry, key: str) -> MadeGroup:
    """A MultiDatastream that was made here; raises NotFoundError, and ConflictError for one that a pack declares."""
    joint = multi.joint(registry, key)
    if joint is None:
        raise missing(f"{MULTI}('{key}')")
    if joint.said is None:
        raise declared_elsewhere(key)
    return joint.said
