"""What ties the processes of a district together where it runs in several: the bus, readings on their way to ingest, answers."""

import asyncio
from dataclasses import dataclass

import msgspec

from citybrain.app.settings import Settings
from citybrain.brain import observe
from citybrain.engines.nats import Link, SharedBus, Work
from citybrain.engines.told import Told, raised, told
from citybrain.kernel.errors import CityError
from citybrain.kernel.ids import new_id
from citybrain.kernel.observations import Floats, Ints, Numbers


class _Answered(msgspec.Struct, frozen=True, array_like=True):
    verdict: observe.Verdict | None
    error: Told | None = None


class SentIntake:
    """The intake of another process: rows go there by way of JetStream, and the verdict comes back when they are durable.

    A sending is repeated by its sender without harm: each of its pieces has a key that stays the same.
    """

    def __init__(self, work: Work) -> None:
        self._work = work

    async def take(self, rows: observe.Rows, door: str, key: str | None) -> observe.Verdict:
        """Check and store rows there; raises BusyError and StorageFullError, after which the sender sends them again."""
        name = new_id() if key is None else key
        return await self._all([*observe.pieces(rows, door, name, self._work.largest)])

    async def take_columns(self, stream_no: Numbers, time: Ints, value: Floats, door: str, key: str | None) -> observe.Verdict:
        """The same for columns (n,) with stream numbers."""
        name = new_id() if key is None else key
        return await self._all([*observe.column_pieces(stream_no, time, value, door, name, self._work.largest)])

    async def _all(self, pieces: list[bytes]) -> observe.Verdict:
        return observe.joined(await asyncio.gather(*map(self._one, pieces)))

    async def _one(self, piece: bytes) -> observe.Verdict:
        answer = msgspec.msgpack.decode(await self._work.ask(piece), type=_Answered)
        if answer.error is not None:
            raise raised(answer.error)
        if answer.verdict is None:
            message = "An answer without a verdict."
            raise RuntimeError(message)
        return answer.verdict


@dataclass(frozen=True, slots=True)
class Links:
    """The connection of this process and what goes over it."""

    link: Link
    bus: SharedBus
    readings: Work

    async def start(self) -> None:
        """Connect, hear and be heard; raises BusyError where there is no NATS server with JetStream."""
        await self.link.start()
        await self.bus.start()
        await self.readings.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self.bus.stop()
        await self.link.stop()

    async def serve(self, intake: observe.Intake) -> None:
        """Take in what the doors of other processes hand over, for ever."""

        async def do(piece: bytes) -> bytes:
            try:
                found = _Answered(await observe.taken(intake, piece))
            except CityError as error:
                found = _Answered(None, told(error))
            return msgspec.msgpack.encode(found)

        await self.readings.serve(do)


def links(settings: Settings) -> Links | None:
    """The links of a process; None where one process is the whole district."""
    if settings.role == "all":
        return None
    link = Link(settings.bus, f"citybrain-{settings.role}")
    return Links(link, SharedBus(link), Work(link, "readings"))
