"""What ties the processes of a district together where it runs in several: the bus, and work for the one that owns the observations."""

from dataclasses import dataclass

from citybrain.app.settings import Settings
from citybrain.app.waiting import Waiting
from citybrain.engines.meeting import Process
from citybrain.engines.nats import Link, SharedBus, Work
from citybrain.engines.tls import Papers, read_papers


@dataclass(frozen=True, slots=True)
class Links:
    """The connection of this process and what goes over it."""

    link: Link
    bus: SharedBus
    readings: Work
    corrections: Work

    @property
    def waiting(self) -> Waiting:
        """Rows that are on their way to the one that keeps the observations."""
        return Waiting(self.readings, self.corrections)

    async def start(self) -> None:
        """Connect, hear and be heard; raises BusyError where there is no NATS server with JetStream."""
        await self.link.start()
        await self.bus.start()
        await self.readings.start()
        await self.corrections.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self.bus.stop()
        await self.link.stop()


def links(settings: Settings) -> Links | None:
    """The links of a process; None where one process is the whole district."""
    if settings.role == "all":
        return None
    link = Link(settings.bus, settings.district, settings.role, papers=papers(settings))
    me = Process(settings.role)
    return Links(link, SharedBus(link), Work(link, "readings", me=me), Work(link, "corrections", me=me))


def papers(settings: Settings) -> Papers | None:
    """What this process shows on encrypted links; None where they are plain. Raises BadInputError for a file that does not fit."""
    if not settings.sealed:
        return None
    return read_papers(settings.links_ca, settings.links_cert, settings.links_key, mutual=settings.links_mutual)
