"""Observations over MQTT (OGC 18-088 clause 14.3): ``v1.1/Observations`` and ``v1.1/Datastreams('a')/Observations``."""

from typing import Final

import msgspec

from citybrain.doors.sensorthings.paths import ROOT, segments
from citybrain.doors.sensorthings.refusals import missing
from citybrain.doors.sensorthings.writing import decoded, observed

VERSION: Final = "v1.1/"


class Messages:
    """Reads the messages of such topics as rows of the intake."""

    def rows(self, topic: str, payload: bytes, now: str) -> list[bytes] | None:
        """The API's row for a message, as JSON; None for a topic of another kind.

        Raises NotFoundError for a topic of this kind that takes no observation, and what is wrong with the observation.
        """
        if not topic.startswith(VERSION):
            return None
        path = segments(f"{ROOT}/{topic.removeprefix(VERSION)}")
        names = tuple(segment.name for segment in path)
        if names not in (("Observations",), ("Datastreams", "Observations")) or path[-1].key is not None:
            raise missing(topic)
        return [msgspec.json.encode(observed(decoded(payload), path[0].key if len(path) == 2 else None, now))]
