"""Observations over MQTT (OGC 18-088 clause 14.3), each for a topic that ends in ``Observations``.

``v1.1/Observations`` with the Datastream or MultiDatastream named inside, ``v1.1/Datastreams('a.b')/Observations``,
``v1.1/MultiDatastreams('a')/Observations``, whose array is stored whole or not at all, and ``v1.1/FeaturesOfInterest('a')/Observations``.
A Datastream or MultiDatastream may stand below its Thing: ``v1.1/Things('a')/Datastreams('a.b')/Observations``.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

import msgspec

from citybrain.brain.observe import Verdict
from citybrain.doors.sensorthings import featuring, leading, sending
from citybrain.doors.sensorthings.composing import names_one, readings
from citybrain.doors.sensorthings.multi import MULTI
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import ROOT, segments
from citybrain.doors.sensorthings.refusals import missing
from citybrain.doors.sensorthings.sending import Sender, Target
from citybrain.doors.sensorthings.writing import decoded, observed
from citybrain.kernel.access import Caller
from citybrain.kernel.text import Json

VERSION: Final = "v1.1/"
_FEATURES: Final = "FeaturesOfInterest"
_ABLE: Final = (("Observations",), ("Datastreams", "Observations"), (MULTI, "Observations"), (_FEATURES, "Observations"))
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
        path = leading.owned(self._parts.registry, segments(f"{ROOT}/{topic.removeprefix(VERSION)}"))
        names = tuple(segment.name for segment in path)
        if names not in _ABLE or path[-1].key is not None:
            raise missing(topic)
        body, key = decoded(payload), path[0].key if len(path) == 2 else None
        if sending.says(body) or names[0] == _FEATURES:
            to, about = sending.target(path, body)
            if not self._plain(about, to):
                return partial(self._alone, about, to, now)
            body = sending.bare(body)
        if names[0] == MULTI or (key is None and names_one(body)):
            _, rows, _ = readings(self._parts.registry, body, key, now)
        else:
            rows = [observed(body, key, now)]
        return ([msgspec.json.encode(row) for row in rows],)

    def _plain(self, body: Json, to: Target) -> bool:
        """Whether an Observation says nothing after all that is kept, as far as is known without asking the store."""
        if sending.observes(body) or featuring.said_of(body) is not None:
            return False
        return self._parts.featured.recalled.isdisjoint(sending.thing(self._parts.registry, body, to)[1])

    async def _alone(self, body: Json, to: Target, now: str, caller: Caller, door: str) -> Verdict:
        return await featuring.published(self._parts, Sender(caller, "", now, door), body, to)
