"""What is written through a longer path: shortened to the entity, or the set of an entity, that stands at its end (OGC 18-088 clause 9.2).

``Things('a')/Datastreams('b')/Observations`` → ``Datastreams('b')/Observations``, where that Datastream is of that Thing.
"""

from citybrain.brain.observe import Registry
from citybrain.doors.sensorthings import multi
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.reading import Reading
from citybrain.doors.sensorthings.refusals import missing


def owned(registry: Registry, path: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """A path that begins with a Thing and a Datastream or MultiDatastream of it, without the Thing; any other as it is.

    Whoever writes need not be able to read: a device says no more with the longer path, and hears no more. Raises NotFoundError for
    one that is not of that Thing.
    """
    match path:
        case (Segment("Things", str(thing)), Segment("Datastreams", str(key)) as side, *rest):
            of = next((stream.entity for stream in registry.streams_of(thing) if stream.id == key), None)
        case (Segment("Things", str(thing)), Segment(multi.MULTI, str(key)) as side, *rest):
            joint = multi.joint(registry, key)
            of = None if joint is None else joint.thing
        case _:
            return path
    if of != thing:
        raise missing(f"Things('{thing}')/{side.name}('{key}')")
    return (side, *rest)


def shortened(reading: Reading, path: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The path of what another leads to, as the caller may see it; raises NotFoundError where it does not lead there.

    A path at whose end stands a property is given back as it is, for that is not written to.
    """
    whole = reading.target(path)
    if whole.rest:
        return path
    if whole.item is not None:
        return (Segment(whole.set, whole.item.id),)
    above = reading.target(path[:-1]).item
    return path if above is None else (Segment(above.set, above.id), path[-1])
