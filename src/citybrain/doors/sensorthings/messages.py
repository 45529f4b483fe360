"""Observations over MQTT (OGC 18-088 clause 14.3), each for a topic that ends in ``Observations``.

``v1.1/Observations`` with the Datastream or MultiDatastream named inside, ``v1.1/Datastreams('a.b')/Observations``,
``v1.1/MultiDatastreams('a')/Observations``, whose array is stored whole or not at all, and ``v1.1/FeaturesOfInterest('a')/Observations``.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

import msgspec

from citybrain.brain.observe import Verdict
from citybrain.doors.sensorthings import featuring, sending
from citybrain.doors.sensorthings.composing import readings
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import ROOT, segments
from citybrain.doors.sensorthings.refusals import missing
from citybrain.doors.sensorthings.sending import Sender, Target
from citybrain.doors.sensorthings.writing import decoded, observed
from citybrain.kernel.access import Caller
from citybrain.kernel.text import Json

VERSION: Final = "v1.1/"
_ABLE: Final = tuple((*above, "Observations") for above in ((), ("Datastreams",), ("MultiDatastreams",), ("FeaturesOfInterest",)))
Alone: TypeAlias = Callable[[Caller, str], Awaitable[Verdict]]
"""Stores a message by itself, as this caller's, for the account of this door."""


class Messages:
    """Reads the messages of such topics as rows of the intake."""

    def __init__(self, parts: SensorThingsParts) -> None:
        self._parts = parts

    def rows(self, topic: str, payload: bytes, now: str) -> Sequence[Sequence[bytes]] | Alone | None:
        """The API's rows for a message, as JSON, in one piece that is stored whole; what stores it where it says what it is about.

        None for a topic of another kind. Raises NotFoundError for a topic of this kind that takes no observation, and what is wrong
        with the observation.
        """
        if not topic.startswith(VERSION):
            return None
        path = segments(f"{ROOT}/{topic.removeprefix(VERSION)}")
        if tuple(segment.name for segment in path) not in _ABLE or path[-1].key is not None:
            raise missing(topic)
        to, body = sending.target(path, decoded(payload))
        if sending.says(body):
            return partial(self._alone, body, to, now)
        if to.joint:
            _, rows, _ = readings(self._parts.registry, body, to.key, now)
        else:
            rows = [observed(body, to.key, now)]
        return ([msgspec.json.encode(row) for row in rows],)

    async def _alone(self, body: Json, to: Target, now: str, caller: Caller, door: str) -> Verdict:
        return await featuring.published(self._parts, Sender(caller, "", now, door), body, to)
