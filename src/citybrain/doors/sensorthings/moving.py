"""Where Observations were moved to another time: the id that one had leads to the one that it has."""

from collections.abc import Iterator
from typing import Final

from citybrain.brain.observe import Featured, Registry
from citybrain.doors.sensorthings import multi, spans

_HOPS: Final = 20
"""How often one that was moved is followed."""


def onward(registry: Registry, featured: Featured, key: str) -> Iterator[str]:
    """The ids that an Observation of this id was given one after another; none for one that was never moved."""
    for _ in range(_HOPS):
        found = _next(registry, featured, key)
        if found is None:
            return
        yield found
        key = found


def _next(registry: Registry, featured: Featured, key: str) -> str | None:
    joint, place = multi.place(key), spans.place(key)
    if joint is not None:
        group = multi.joint(registry, joint[0])
        # One of its readings may have been moved by itself before.
        time = None if group is None else featured.moved([stream.no for stream in group.streams], joint[1])
        return None if time is None else multi.named(joint[0], time)
    time = None if place is None else featured.moved([place[0]], place[1])
    return None if place is None or time is None else f"{place[0]}.{time}"
