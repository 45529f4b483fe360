"""An entity made with all that comes along, over whichever way it was sent (OGC 18-088 clause 10.2): in one commit, or nothing of it.

path and body → what hangs on it apart (hanging.py), its observations apart (bringing.py) → policy, trail → made, entered
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from anyio import to_thread

from citybrain.doors.sensorthings import bringing, hanging
from citybrain.doors.sensorthings.changing import Changer
from citybrain.doors.sensorthings.owning import ids_of
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.sending import Sender
from citybrain.doors.sensorthings.together import Group, entered
from citybrain.kernel.access import Caller
from citybrain.kernel.text import Json
from citybrain.kernel.things import Stream


class Created(NamedTuple):
    """The set and the id that an answer names, and how many readings were stored with it."""

    set: str
    id: str
    readings: int = 0


async def created(
    parts: SensorThingsParts, sender: Sender, where: tuple[Segment, ...], body: Json, within: Group | None = None
) -> Created:
    """Make what a body describes in the set that a path leads to, as this sender, or as one of a group that is entered later.

    Raises ForbiddenError, and what ``Changer.create``, ``bringing.made`` and ``hanging.whole`` raise.
    """
    hung = hanging.apart(where, body)
    own = changer(parts, sender.caller, sender.purpose, hung.path, (*ids_of(where, body), *hung.ids), within)
    brought = bringing.apart(hung.path, hung.body)
    if brought is None and not hung.below:
        name, key = await to_thread.run_sync(own.create, hung.path, hung.body)
        return Created(name if hung.answer == "$ref" else hung.answer, key)
    if brought is not None or hung.readings:
        bringing.require(parts, sender.caller, sender.purpose)

    async def work(group: Group) -> Created:
        """Make it as one of a group."""
        before = len(group.held)
        _, key = await hanging.whole(group, hung, sender)
        return Created(hung.answer, hung.named(group.gathering, key), sum(len(rows.time) for rows in group.held[before:]))

    return await (entered(parts, work, sender.door) if within is None else work(within))


def changer(
    parts: SensorThingsParts,
    caller: Caller,
    purpose: str,
    where: tuple[Segment, ...],
    made: tuple[str | None, ...] = (None,),
    within: Group | None = None,
    noted: Mapping[str, Json] = MappingProxyType({}),
) -> Changer:
    """What changes entities for this caller, who is asked for and written into the trail here.

    ``made`` is what is to be made, or of which something is: policy hears whether all of it is the caller's own to make. ``noted`` is kept
    in the trail besides.
    """
    hanging.required(parts, caller, purpose, where, made, noted)
    making, registry = (parts.making, parts.registry) if within is None else (within.making, within.gathering)
    return Changer(making, registry, partial(observed, parts, within))


def observed(parts: SensorThingsParts, within: Group | None, stream: Stream) -> bool:
    """Whether a stream has a reading, also one that was struck out, or one that waits with a group. Blocks."""
    waits = within is not None and any(stream.id in rows.streams for rows in within.held)
    return waits or bool(parts.series.latest(None, (stream.no,)).num_rows) or bool(parts.corrections.of(stream))
