"""Observations over MQTT (OGC 18-088 clause 14.3), each for a topic that ends in ``Observations``.

``v1.1/Observations`` with the Datastream or MultiDatastream named inside, ``v1.1/Datastreams('a.b')/Observations``, and
``v1.1/MultiDatastreams('a')/Observations``, whose array is stored whole or not at all.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from citybrain.brain.observe import Registry
from citybrain.doors.sensorthings.composing import names_one, readings
from citybrain.doors.sensorthings.multi import MULTI
from citybrain.doors.sensorthings.paths import ROOT, segments
from citybrain.doors.sensorthings.refusals import missing
from citybrain.doors.sensorthings.writing import decoded, observed

VERSION: Final = "v1.1/"
_ABLE: Final = (("Observations",), ("Datastreams", "Observations"), (MULTI, "Observations"))


class Messages:
    """Reads the messages of such topics as rows of the intake."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def rows(self, topic: str, payload: bytes, now: str) -> Sequence[Sequence[bytes]] | None:
        """The API's rows for a message, as JSON, in one piece that is stored whole; None for a topic of another kind.

        Raises NotFoundError for a topic of this kind that takes no observation, and what is wrong with the observation.
        """
        if not topic.startswith(VERSION):
            return None
        path = segments(f"{ROOT}/{topic.removeprefix(VERSION)}")
        names = tuple(segment.name for segment in path)
        if names not in _ABLE or path[-1].key is not None:
            raise missing(topic)
        body, key = decoded(payload), path[0].key if len(path) == 2 else None
        if names[0] == MULTI or (key is None and names_one(body)):
            _, rows, _ = readings(self._registry, body, key, now)
        else:
            rows = [observed(body, key, now)]
        return ([msgspec.json.encode(row) for row in rows],)
