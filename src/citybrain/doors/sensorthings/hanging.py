"""What comes along with a new entity and hangs on it (OGC 18-088 clause 10.2.1): taken out, and made after it in one commit, or nothing of it is.

body → without what hangs on it, made → each of those, sent to the address of what was made (``Sensors('a')/Datastreams``), with what hangs
on them in turn → entered together
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from anyio import to_thread

from citybrain.brain.observe import Registry, Spot
from citybrain.doors.sensorthings import bringing, drafts, featuring, sending
from citybrain.doors.sensorthings.bodies import Whole, reference
from citybrain.doors.sensorthings.changing import Changer
from citybrain.doors.sensorthings.multi import MULTI, joint
from citybrain.doors.sensorthings.owning import ids_of
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.sending import Sender, Target
from citybrain.doors.sensorthings.together import Group
from citybrain.doors.sensorthings.writing import FEATURE
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.text import Json

_READINGS: Final = "Observations"
_SIDES: Final = ("Datastreams", MULTI)
_BELOW: Final[Mapping[str, tuple[str, ...]]] = {
    "Things": ("HistoricalLocations",),
    "Sensors": ("Datastreams", MULTI),
    "ObservedProperties": ("Datastreams",),
    "FeaturesOfInterest": (_READINGS,),
    "Locations": ("Things", "HistoricalLocations"),
}
"""What is made below an entity of a set, after it."""
_LINKS: Final[Mapping[str, Mapping[str, str]]] = {
    "Things": {"Datastreams": "Datastreams", MULTI: MULTI},
    "Datastreams": {"Thing": "Things", "Sensor": "Sensors", "ObservedProperty": "ObservedProperties"},
    MULTI: {"Thing": "Things", "Sensor": "Sensors", "ObservedProperties": "ObservedProperties"},
}
"""What is made with an entity of a set, by the links under which it is described, and the set that it is of."""
_NOUNS: Final = {"Things": "Thing", "ObservedProperties": "ObservedProperty", "FeaturesOfInterest": "FeatureOfInterest"}
Step: TypeAlias = tuple[str, int | Spot]
"""A link, and the place in it, 0 of one that leads to one; of a Location what it is, for a Thing keeps them in an order of its own."""


@dataclass(frozen=True, slots=True)
class Below:
    """What hangs on an entity: the way to that from the one that is made first, the set below it, and the body."""

    way: tuple[Step, ...]
    nav: str
    body: Json

    def at(self, first: str) -> str:
        """The link, or the set of what is made first, on which it hangs."""
        return self.way[-1][0] if self.way else first


@dataclass(frozen=True, slots=True)
class Hung:
    """What is made: the set it is sent to, its body, what hangs on it, and the set that the answer names."""

    path: tuple[Segment, ...]
    body: Json
    below: tuple[Below, ...]
    answer: str
    since: Json = None
    """The time of a HistoricalLocation that describes its Thing."""

    @property
    def readings(self) -> bool:
        """Whether observations hang on it, or come with what does."""
        return any(one.nav == _READINGS or _brings(one.nav, one.body) for one in self.below)

    @property
    def ids(self) -> tuple[str | None, ...]:
        """The ids of the Things that hang on it, or of which something is made that does; None for one not named."""
        past = [one for one in self.below if one.nav == "HistoricalLocations" and one.at(self.path[-1].name) == "Locations"]
        sides = [*past, *(one for one in self.below if one.nav in (*_SIDES, "Things"))]
        return tuple(found for one in sides for found in ids_of((Segment(one.nav),), one.body))

    def named(self, registry: Registry, key: str) -> str:
        """The id that the answer names, once all was made, and ``key`` is that of what was made first."""
        if self.since is None:
            return key
        return registry.made.called(
            registry.places(key, drafts.instant(Whole("HistoricalLocation", {"time": self.since})), 1)[0].id
        )


def apart(path: tuple[Segment, ...], body: Json) -> Hung:
    """Take out of a body what is made after it, whatever it is described in.

    A Location of one Thing, which asks for no id of its own, is that Thing's; a HistoricalLocation that describes its Thing is made after
    that. Raises BadInputError for no list.
    """
    name = path[-1].name
    if name == "HistoricalLocations" and path[0].name == "Locations" and isinstance(body, dict):
        here: Json = {"@iot.id": path[0].key}
        path, body = path[1:], {**body, "Locations": [*Whole("HistoricalLocation", body).list("Locations"), here]}
    if path == (Segment("HistoricalLocations"),) and isinstance(body, dict):
        whose = body.get("Thing")
        if isinstance(whose, dict) and reference(whose) is None:
            past = {key: one for key, one in body.items() if key != "Thing"}
            others = Whole("Thing", whose).list("HistoricalLocations")
            found = apart((Segment("Things"),), {**whose, "HistoricalLocations": [past, *others]})
            return Hung(found.path, found.body, found.below, name, past.get("time", ""))
    if path[-1].key is not None or not isinstance(body, dict) or (name == "Locations" and len(path) > 1):
        return Hung(path, body, (), name)
    if name == "Locations":
        thing = _only(body)
        rest: dict[str, Json] = {key: one for key, one in body.items() if key != "Things"}
        if thing is not None and reference(dict(thing)) is not None and not body.get("HistoricalLocations"):
            return Hung(path, body, (), name)
        if thing is not None and reference(dict(thing)) is None and not thing.get("Locations"):
            found = apart((Segment("Things"),), {**thing, "Locations": [rest]})
            return Hung(found.path, found.body, found.below, name)
    bare, below = _bare(name, body, ())
    return Hung(path, bare, tuple(below), name)


async def whole(group: Group, hung: Hung, sender: Sender) -> tuple[str, str]:
    """Make an entity with all that hangs on it as one of a group; its set and its id. Raises what is wrong with it."""
    brought = bringing.apart(hung.path, hung.body)
    further: Sequence[tuple[str, Json]] = ()
    if brought is None:
        create = Changer(group.making, group.gathering).create
        name, key = await to_thread.run_sync(create, hung.path, hung.body)
    else:
        name, key, further = await bringing.made(group, hung.path, brought, sender)
    await _further(group, further, sender)
    ends = [_end(group.gathering, (name, key), one.way) for one in hung.below]
    for end, one in zip(ends, hung.below, strict=True):
        path = (Segment(*end), Segment(one.nav))
        if one.nav == _READINGS:
            await _reading(group, path, one.body, sender)
        else:
            await whole(group, apart(path, one.body), sender)
    return name, key


async def observed(group: Group, sender: Sender, body: Json, to: Target) -> str:
    """The id of an Observation, held as one of a group with those that come with the feature that it describes."""
    bare, more = sending.apart(body)
    name = await featuring.observed(group.parts, group, sender, bare, to, None)
    if more and isinstance(bare, dict):
        feature = await to_thread.run_sync(featuring.settled, group, sender, bare[FEATURE], "")
        await _further(group, [(str(feature), one) for one in more], sender)
    return name


async def _further(group: Group, listed: Sequence[tuple[str, Json]], sender: Sender) -> None:
    """Observations about features that others described."""
    for feature, body in listed:
        await _reading(group, (Segment("FeaturesOfInterest", feature), Segment(_READINGS)), body, sender)


async def _reading(group: Group, path: tuple[Segment, ...], body: Json, sender: Sender) -> None:
    """An Observation that hangs on something, perhaps with the Datastream that it describes."""
    to, said = sending.target(path, body)
    new = sending.described(said, to, sender.now or "")
    if new is None:
        await observed(group, sender, said, to)
        return
    body = dict(new.body)
    required(group.parts, sender.caller, sender.purpose, new.path, ids_of(new.path, body))
    await whole(group, apart(new.path, body), sender)


def required(
    parts: SensorThingsParts,
    caller: Caller,
    purpose: str,
    path: tuple[Segment, ...],
    made: tuple[str | None, ...],
    noted: Mapping[str, Json] = MappingProxyType({}),
) -> None:
    """Raise ForbiddenError for whoever may not write entities at a path; what is done is written into the trail.

    ``made`` is what is to be made, or of which something is: policy hears whether all of it is the caller's own to make. ``noted`` is kept
    in the trail besides.
    """
    named = "/".join(segment.name if segment.key is None else f"{segment.name}({segment.key})" for segment in path)
    facts: dict[str, Json] = {"access": "unconditional", **noted}
    if all(one is not None and parts.accounts.devices.may_make(caller, one) for one in made):
        facts["account"] = caller.account
    parts.guard.require(Ask(caller, "entity.write", f"sensorthings:{named}", purpose, facts))


def _bare(name: str, body: Mapping[str, Json], way: tuple[Step, ...]) -> tuple[dict[str, Json], list[Below]]:
    """A body without what hangs on it, or on what is described in it."""
    whole = Whole(_NOUNS.get(name, name.removesuffix("s")), body)
    below = [Below(way, nav, one) for nav in _BELOW.get(name, ()) for one in whole.list(nav)]
    bare = {key: one for key, one in body.items() if key not in _BELOW.get(name, ())}
    if name == "Things" and bare.get("Locations"):
        bare["Locations"], more = _placed(whole.list("Locations"), way)
        below += more
    for link, beyond in _LINKS.get(name, {}).items():
        given = bare.get(link)
        listed = given if isinstance(given, list) else [given]
        kept: list[Json] = []
        for place, one in enumerate(listed):
            if isinstance(one, dict) and reference(one) is None:
                less, more = _bare(beyond, one, (*way, (link, place)))
                below += more
                kept.append(less)
            else:
                kept.append(one)
        if link in bare:
            bare[link] = kept if isinstance(given, list) else kept[0]
    return bare, below


def _placed(places: Sequence[Json], way: tuple[Step, ...]) -> tuple[list[Json], list[Below]]:
    """The Locations that are described in a Thing without the other Things that come to them, and without their past."""
    kept: list[Json] = []
    below: list[Below] = []
    for one in places:
        beyond = _BELOW["Locations"]
        if not isinstance(one, dict) or not any(one.get(nav) for nav in beyond):
            kept.append(one)
            continue
        bare: dict[str, Json] = {key: said for key, said in one.items() if key not in beyond}
        kept.append(bare)
        here = (*way, ("Locations", drafts.location(bare)))
        below += [Below(here, nav, each) for nav in beyond for each in Whole("Location", one).list(nav)]
    return kept, below


def _end(registry: Registry, begin: tuple[str, str], way: Sequence[Step]) -> tuple[str, str]:
    """Set and id of what a way leads to from an entity that was made just now, with all that is described in it."""
    name, key = begin
    for link, place in way:
        if isinstance(place, Spot):
            known = registry.made.things
            here = (one for one in known[key].locations or (key,) if known[one].located == place.words)
            name, key = "Locations", place.asked or next(here)
            continue
        found = _LINKS[name][link]
        if name == "Things":
            groups = sorted(registry.made.groups_of(key, registry.streams()), key=lambda one: one.streams)
            key = groups[place].id if link == MULTI else registry.streams_of(key)[place].id
        elif name == MULTI:
            one = joint(registry, key)
            ends = {} if one is None else {"Thing": one.thing, "Sensor": one.source, "ObservedProperties": one.watched[place]}
            key = ends[link]
        else:
            stream = registry.stream(key)
            key = {"Thing": stream.entity, "Sensor": stream.source, "ObservedProperty": f"{stream.kind}.{stream.field}"}[link]
        name = found
    return name, key


def _brings(name: str, body: Json) -> bool:
    """Whether observations come with what hangs on an entity, or hang on it in turn."""
    hung = apart((Segment(name),), body)
    return hung.readings or bringing.apart((Segment(name),), hung.body) is not None


def _only(body: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """The one Thing of a Location that asks for no other id than that Thing has."""
    things = body.get("Things")
    one = things[0] if isinstance(things, list) and len(things) == 1 else None
    return one if isinstance(one, dict) and body.get("@iot.id") in (None, one.get("@iot.id")) else None
