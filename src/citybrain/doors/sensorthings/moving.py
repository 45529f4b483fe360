"""Where Observations were moved, to another time or Datastream: the id that one had leads to the one that it has."""

from collections.abc import Iterator
from typing import Final

from citybrain.brain.observe import Featured, Registry
from citybrain.doors.sensorthings import multi, spans
from citybrain.kernel.instant import Instant

_HOPS: Final = 20
"""How often one that was moved is followed."""


def onward(registry: Registry, featured: Featured, key: str) -> Iterator[str]:
    """The ids that an Observation of this id was given one after another; none for one that was never moved."""
    seen = {key}
    for _ in range(_HOPS):
        found = _next(registry, featured, key)
        if found is None or found in seen:
            return
        yield found
        seen.add(found)
        key = found


def _next(registry: Registry, featured: Featured, key: str) -> str | None:
    joint, place = multi.place(key), spans.place(key)
    if joint is not None:
        group = multi.joint(registry, joint[0])
        # One of its readings may have been moved by itself before.
        moved = None if group is None else featured.moved([stream.no for stream in group.streams], joint[1])
        return None if moved is None else _joint(registry, *moved)
    moved = None if place is None else featured.moved([place[0]], place[1])
    return None if moved is None else f"{moved[0]}.{moved[1]}"


def _joint(registry: Registry, number: int, time: Instant) -> str:
    """The id of the Observation of a MultiDatastream that a reading is in; that of the reading where it is in none."""
    stream = registry.streams()[number - 1]
    joint = next((one for one in multi.of_thing(registry, stream.entity) if stream in one.streams), None)
    return f"{number}.{time}" if joint is None else multi.named(joint.id, time)
