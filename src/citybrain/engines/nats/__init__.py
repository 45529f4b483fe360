"""NATS between the processes of a district: wake-ups, and work that is handed over by way of JetStream."""

from citybrain.engines.nats.bus import SharedBus
from citybrain.engines.nats.link import Link
from citybrain.engines.nats.work import Work

__all__ = ["Link", "SharedBus", "Work"]
