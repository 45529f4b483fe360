"""Events: what happened, in the CloudEvents 1.0 shape, written to the outbox in the same commit as the change."""

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Json


class Event(msgspec.Struct, frozen=True):
    """Something that happened; ``type`` like ``citybrain.act.case.moved.v1``, ``subject`` the id of what it happened to."""

    id: str
    type: str
    subject: str
    time: Instant
    body: dict[str, Json]


class Recorded(msgspec.Struct, frozen=True):
    """Observations up to a sequence number are durable; a wake-up, never the observations themselves."""

    last_seq: int
