"""The place of a declared thing as a Location of others: what is said of it, and what they keep of it when a pack moves that thing.

See decisions/0020.
"""

from collections.abc import Container
from typing import Final

import msgspec

from citybrain.brain.observe.made import LOCATION, UNLIKE, Made, MadeThing, Words
from citybrain.brain.observe.naming import free, slug
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import Entity

_BETWEEN: Final = " · "


def words(entity: Entity, kind: Text) -> dict[str, Json]:
    """What is said of where a declared thing stands, in the form in which makers say it; nothing of one that stands nowhere."""
    return {"name": _both(entity.title), "description": _both(kind), "properties": {}, "location": drawn(entity)}


def drawn(entity: Entity) -> Json:
    """The point at which a thing stands, as GeoJSON."""
    return None if entity.place is None else {"type": "Point", "coordinates": [entity.place.lon, entity.place.lat]}


def kept(
    before: Entity, kind: Text, made: Made, taken: Container[str], at: Instant
) -> tuple[tuple[Entity, ...], tuple[Words, ...]]:
    """The place that a declared thing had as a Location of its own, for those that stand there and do not move with it; none where nothing does.

    It begins ``at`` an instant (city time).
    """
    guests = made.guests.get(before.id, ())
    if not guests or before.place is None or before.kind in UNLIKE:
        return (), ()
    wanted = slug(before.title.en, LOCATION)
    key = free(wanted, (wanted,) if wanted in taken else (), asked=False)
    said = words(before, kind)
    location = Entity(key, LOCATION, same(str(said["name"])), before.place, before.area, {}, 1, at, None, before.origin)
    others = tuple(
        msgspec.structs.replace(thing, locations=tuple(key if one == before.id else one for one in thing.locations))
        for thing in (made.things[guest] for guest in guests)
    )
    return (location,), (MadeThing(key, "", {}, said), *others)


def _both(words: Text) -> str:
    return words.zh if words.zh == words.en else f"{words.zh}{_BETWEEN}{words.en}"
