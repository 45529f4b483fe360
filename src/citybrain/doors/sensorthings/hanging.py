"""What comes along with a new entity and hangs on it (OGC 18-088 clause 10.2.1): taken out, and made after it in one commit, or nothing of it is.

body → without what hangs on it, made → each of those, sent to the address of what was made (``Sensors('a')/Datastreams``), with what hangs
on them in turn → entered together
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from anyio import to_thread

from citybrain.doors.sensorthings import bringing, featuring, sending
from citybrain.doors.sensorthings.bodies import Whole, reference
from citybrain.doors.sensorthings.changing import Changer
from citybrain.doors.sensorthings.multi import MULTI
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.sending import Sender
from citybrain.doors.sensorthings.together import Group
from citybrain.kernel.text import Json

_READINGS: Final = "Observations"
_BELOW: Final[Mapping[str, tuple[str, ...]]] = {
    "Things": ("HistoricalLocations",),
    "Sensors": ("Datastreams", MULTI),
    "ObservedProperties": ("Datastreams",),
    "FeaturesOfInterest": (_READINGS,),
    "Locations": ("Things",),
}
"""What is made below an entity of a set, after it."""
_SINGULAR: Final = {"Things": "Thing", "ObservedProperties": "ObservedProperty", "FeaturesOfInterest": "FeatureOfInterest"}


@dataclass(frozen=True, slots=True)
class Hung:
    """What is made: the set it is sent to, its body, what hangs on it by the set below, and the set that the answer names."""

    path: tuple[Segment, ...]
    body: Json
    below: tuple[tuple[str, Json], ...]
    answer: str

    @property
    def readings(self) -> bool:
        """Whether observations hang on it, or come with what does."""
        return any(name == _READINGS or _brings(name, one) for name, one in self.below)


def apart(path: tuple[Segment, ...], body: Json) -> Hung:
    """Take out of a body what is made after it.

    A Location of one Thing, which asks for no id of its own, is that Thing's. Raises BadInputError for no list.
    """
    name = path[-1].name
    if path[-1].key is not None or not isinstance(body, dict) or (name == "Locations" and len(path) > 1):
        return Hung(path, body, (), name)
    if name == "Locations":
        thing = _only(body)
        rest: dict[str, Json] = {key: one for key, one in body.items() if key != "Things"}
        if thing is not None and reference(dict(thing)) is not None:
            return Hung(path, body, (), name)
        if thing is not None and not thing.get("Locations"):
            found = apart((Segment("Things"),), {**thing, "Locations": [rest]})
            return Hung(found.path, found.body, found.below, name)
    whole = Whole(_SINGULAR.get(name, name.removesuffix("s")), body)
    below = tuple((nav, one) for nav in _BELOW.get(name, ()) for one in whole.list(nav))
    bare: Json = {key: one for key, one in body.items() if key not in {nav for nav, _ in below}}
    return Hung(path, bare, below, name)


async def made(group: Group, name: str, key: str, below: Sequence[tuple[str, Json]], sender: Sender) -> None:
    """Make what hangs on an entity as one of its group; raises what is wrong with it."""
    changer = Changer(group.making, group.gathering)
    for nav, one in below:
        path = (Segment(name, key), Segment(nav))
        if nav == _READINGS:
            to, body = sending.target(path, one)
            await featuring.observed(group.parts, group, sender, body, to, None)
            continue
        hung = apart(path, one)
        brought = bringing.apart(path, hung.body)
        if brought is None:
            below_ = await to_thread.run_sync(changer.create, path, hung.body)
        else:
            below_ = await bringing.made(group, path, brought, sender)
        await made(group, *below_, hung.below, sender)


def _brings(name: str, body: Json) -> bool:
    """Whether observations come with what hangs on an entity, or hang on it in turn."""
    hung = apart((Segment(name),), body)
    return hung.readings or bringing.apart((Segment(name),), hung.body) is not None


def _only(body: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """The one Thing of a Location that asks for no other id than that Thing has."""
    things = body.get("Things")
    one = things[0] if isinstance(things, list) and len(things) == 1 else None
    return one if isinstance(one, dict) and body.get("@iot.id") in (None, one.get("@iot.id")) else None
