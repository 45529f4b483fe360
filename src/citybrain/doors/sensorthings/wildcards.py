"""Wildcards in what is subscribed to (MQTT 3.1.1 clause 4.7): the topics below ``v1.1/`` that a filter stands for. Pure.

What a filter stands for has many topics (an Observation is below its Datastream, its Thing, its Sensor …); it is told once, under these:

``v1.1/#``, ``v1.1/+``              all sets, each under its own: ``v1.1/Things``
``v1.1/+/Observations``             Observations, each under that of its Datastream: ``v1.1/Datastreams('a.b')/Observations``
``v1.1/Things('a')/#``              an entity, what it leads to (``v1.1/Things('a')/Datastreams``), and the Observations of its Datastreams
``v1.1/Things('a')/+``              what it leads to
``v1.1/Things('a')/+/Observations`` the Observations of its Datastreams: ``v1.1/Things('a')/Datastreams('a.b')/Observations``
``v1.1/Things/#``                   the set

Where Observations of Datastreams are told, those of MultiDatastreams are too, each under its own: ``v1.1/MultiDatastreams('a')/Observations``.
With ``v1.1/#`` the first come under ``v1.1/Observations``, where the second, which are put together from these, do not stand.
"""

from dataclasses import dataclass
from typing import Final

from citybrain.brain.observe import Registry
from citybrain.doors.sensorthings.messages import VERSION
from citybrain.doors.sensorthings.model import SETS
from citybrain.doors.sensorthings.multi import MULTI, Joint
from citybrain.doors.sensorthings.paths import ROOT, Segment, quoted, segments
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.things import Stream

_READINGS: Final = "Observations"
_SIDES: Final = ("Datastreams", MULTI)
_ESCAPED: Final = {ord(sign): f"%{ord(sign):02X}" for sign in "%/+#\0"}
"""Signs that a level of a topic cannot hold."""


@dataclass(frozen=True, slots=True)
class Part:
    """A topic that a filter stands for; with ``each`` the Observations of the Datastreams, or MultiDatastreams, at it, each under its own."""

    topic: str
    each: bool = False


def spread(text: str) -> tuple[Part, ...]:
    """The topics that a filter stands for, itself where it holds no wildcard; raises BadInputError for wildcards that stand elsewhere."""
    where, mark, words = text.partition("?")
    levels = where.split("/")
    first = next((place for place, level in enumerate(levels) if "+" in level or "#" in level), None)
    if first is None:
        return (Part(text),)
    tail, above = tuple(levels[first:]), "/".join(levels[:first])
    if not f"{above}/".startswith(VERSION) or tail not in (("#",), ("+",), ("+", _READINGS)) or (tail == ("#",) and mark):
        raise _misplaced(text)
    return tuple(Part(f"{part.topic}{mark}{words}", part.each) for part in _below(text, above, tail))


def told_at(part: Part, stream: str) -> str:
    """The topic of an Observation of a Datastream or MultiDatastream."""
    if not part.each:
        return part.topic
    where, mark, words = part.topic.partition("?")
    return f"{where}({quoted(stream).translate(_ESCAPED)})/{_READINGS}{mark}{words}"


def datastreams(registry: Registry, name: str, key: str) -> tuple[Stream, ...]:
    """The Datastreams of a Thing, a Sensor or an ObservedProperty."""
    if name == "Things":
        return registry.streams_of(key)
    by = "source" if name == "Sensors" else "field"
    return tuple(one for one in registry.present() if (one.source if by == "source" else f"{one.kind}.{one.field}") == key)


def is_of(joint: Joint, of: tuple[str, str] | None) -> bool:
    """Whether a MultiDatastream is of a Thing, a Sensor or an ObservedProperty (its set and id); of None each is."""
    sides = {"Things": (joint.thing,), "Sensors": (joint.source,), "ObservedProperties": joint.watched}
    return of is None or of[1] in sides[of[0]]


def _below(text: str, above: str, tail: tuple[str, ...]) -> list[Part]:
    path = segments(f"{ROOT}/" + f"{above}/".removeprefix(VERSION))
    if not path:
        each = [Part(f"{VERSION}{name}", each=True) for name in _SIDES]
        if tail[1:]:
            return each
        # Readings have a set of their own, and what is put together from them has none.
        return [*(Part(f"{VERSION}{name}") for name in SETS), *(each[1:] if tail == ("#",) else ())]
    name, whole = _at(text, path)
    if whole:
        if tail != ("#",):
            raise _misplaced(text)
        return [Part(above)]
    navs = SETS[name].navs
    own = [Part(f"{above}/{name}", each=True) for name in _SIDES if name in navs]
    if tail[1:]:
        if not own:
            raise _misplaced(text)
        return own
    beyond = [Part(f"{above}/{nav}") for nav in navs]
    return [Part(above), *beyond, *own] if tail == ("#",) else beyond


def _at(text: str, path: tuple[Segment, ...]) -> tuple[str, bool]:
    """The set that a path leads to, and whether to all of it."""
    name, whole = path[0].name, path[0].key is None
    if name not in SETS:
        raise _misplaced(text)
    for segment in path[1:]:
        nav = None if whole else SETS[name].navs.get(segment.name)
        if nav is None:
            raise _misplaced(text)
        name, whole = nav.to, nav.many and segment.key is None
    return name, whole


def _misplaced(text: str) -> BadInputError:
    return wrong(
        f"通配符只能这样用：{VERSION}#、{VERSION}+/Observations，以及对象之后的 /#、/+、/+/Observations；收到“{text}”。",
        f"Wildcards stand so: {VERSION}#, {VERSION}+/Observations, and /#, /+ or /+/Observations after an entity. Received: '{text}'.",
        "topic",
    )
