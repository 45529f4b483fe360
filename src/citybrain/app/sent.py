"""What a process hands to the one that owns the observations, by way of JetStream: readings, and corrections of them; and its ledger.

Both are repeated without harm: a piece of readings has a key that stays the same, and a correction is made over what was seen.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from citybrain.app.waiting import Waiting, about
from citybrain.brain import observe
from citybrain.engines.nats import Work
from citybrain.engines.told import Told, raised, told
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, BusyError, CityError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import DoorAccount, Floats, Ints, Numbers, Refusal
from citybrain.kernel.ports import Series, Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Stream

T = TypeVar("T")


class _Answered(msgspec.Struct, frozen=True, array_like=True):
    """What became of a piece: a value, or an error of the city."""

    value: msgspec.Raw
    error: Told | None = None


class _Wanted(msgspec.Struct, frozen=True, array_like=True):
    """As ``observe.Wanted``, of a stream by its id."""

    stream: str
    change: observe.Change
    seen: str
    adds: bool


class _Correcting(msgspec.Struct, frozen=True, array_like=True):
    """Acts to be done together, of streams over what was seen of them, or number ``no`` of ``stream`` to be taken back."""

    by: str
    why: str
    acts: tuple[tuple[tuple[_Wanted, ...], str, str | None], ...] = ()
    coming: bytes = b""
    """A piece of observations that come in with them; empty for none."""
    stream: str = ""
    no: int = 0
    said: tuple[observe.Saying, ...] = ()


class AskedLedger:
    """The ledger as the process that keeps it has it, with what is on its way there; what it last told, while it is away."""

    def __init__(self, asked: Callable[[], Sequence[DoorAccount]], waiting: Waiting, clock: Clock) -> None:
        self._asked = asked
        self._waiting = waiting
        self._clock = clock
        self._last: tuple[DoorAccount, ...] | None = None
        self._told = clock.wall()
        self._away = False

    def __call__(self) -> Sequence[DoorAccount]:
        """The account of each door with what came to this process and is not handed over yet.

        While the other process is away: what had become of rows when it last told, and as ``pending`` what waits for it now; None where
        that is not known either. Raises BusyError where it was not there since this one began.
        """
        try:
            self._last = tuple(self._asked())
        except BusyError:
            self._away = True
            if self._last is None:
                raise
            return self._left(self._last)
        self._away, self._told = False, self._clock.wall()
        return observe.awaited(self._last, self._waiting.held())

    def _left(self, last: Sequence[DoorAccount]) -> Sequence[DoorAccount]:
        try:
            waiting = self._waiting()
        except BusyError:
            return [replace(one, pending=None) for one in last]
        return observe.awaited(observe.settled(last), waiting + self._waiting.held())

    def silent(self) -> Instant | None:
        """When the other process last told (wall time), where it is away now."""
        return self._told if self._away else None


class SentIntake:
    """The intake of another process: rows go there, and the verdict comes back when they are durable."""

    def __init__(self, work: Work, checks: observe.Checks, ledger: AskedLedger) -> None:
        self._work = work
        self._checks = checks
        self.accounts, self.silent = ledger.__call__, ledger.silent

    def refused(self, rows: observe.Rows, registry: observe.Registry) -> tuple[Refusal, ...]:
        """Which rows would be refused now; asked here, for it needs no store."""
        return self._checks.refused(rows, registry)

    async def take(self, rows: observe.Rows, door: str, key: str | None) -> observe.Verdict:
        """Check and store rows there; raises BusyError and StorageFullError, after which the sender sends them again."""
        name = new_id() if key is None else key
        return await self._all(door, [*observe.pieces(rows, door, name, self._work.largest)])

    async def take_columns(self, stream_no: Numbers, time: Ints, value: Floats, door: str, key: str | None) -> observe.Verdict:
        """The same for columns (n,) with stream numbers."""
        name = new_id() if key is None else key
        return await self._all(door, [*observe.column_pieces(stream_no, time, value, door, name, self._work.largest)])

    async def _all(self, door: str, pieces: list[observe.Piece]) -> observe.Verdict:
        answers = await asyncio.gather(*(self._work.ask(piece.body, about(door, piece.rows)) for piece in pieces))
        return observe.joined([_opened(answer, observe.Answer) for answer in answers])


class SentCorrections(observe.Corrections):
    """Corrections that another process makes; what was corrected is read here."""

    def __init__(
        self,
        registry: observe.Registry,
        series: Series,
        intake: observe.Intake | None,
        transactions: Transactions[Connection],
        horizon: observe.Horizon,
        clock: Clock,
        work: Work,
    ) -> None:
        super().__init__(registry, series, intake, transactions, horizon, clock)
        self._work = work

    async def acts(
        self, acts: Sequence[observe.Act], by: str, coming: observe.Coming | None = None, said: Sequence[observe.Saying] = ()
    ) -> tuple[tuple[observe.Correction, ...], ...]:
        """Have changes made as they were previewed; raises what is raised there, and BadInputError for too much at once."""
        listed = tuple((tuple(_Wanted(one.stream.id, *one[1:]) for one in act.wanted), *act[1:]) for act in acts)
        carried = [] if coming is None else [*observe.pieces(coming.rows, coming.door, new_id(), self._work.largest // 2)]
        if len(carried) > 1:
            what = Text(
                "与更正一起成败的观测值过多，请分开发送。",
                "Too many observations stand or fall with corrections. Send fewer of them.",
            )
            raise BadInputError(what)
        rows = "" if coming is None else about(coming.door, sum(piece.rows for piece in carried))
        return await self._sent(_Correcting(by, "", listed, b"".join(piece.body for piece in carried), said=tuple(said)), rows)

    async def end(self, stream: Stream, no: int, by: str, why: str) -> observe.Correction:
        """Have a correction taken back; raises what is raised there."""
        ((done,),) = await self._sent(_Correcting(by, why, stream=stream.id, no=no))
        return done

    async def _sent(self, wanted: _Correcting, rows: str = "") -> tuple[tuple[observe.Correction, ...], ...]:
        answer = await self._work.ask(msgspec.msgpack.encode(wanted), rows)
        found = _opened(answer, tuple[tuple[observe.Correction, ...], ...])
        await asyncio.to_thread(self.renew)
        return found


async def take_readings(work: Work, intake: observe.Intake) -> None:
    """Take in what the doors of other processes hand over, for ever."""
    await work.serve(_answering(lambda piece: observe.taken(intake, piece)))


async def make_corrections(work: Work, corrections: observe.Corrections, registry: observe.Registry) -> None:
    """Make the corrections that people ask for at other processes, for ever."""

    async def make(piece: bytes) -> tuple[tuple[observe.Correction, ...], ...]:
        asked = msgspec.msgpack.decode(piece, type=_Correcting)
        if asked.no:
            return ((await corrections.end(registry.stream(asked.stream), asked.no, asked.by, asked.why),),)
        acts = [
            observe.Act([observe.Wanted(registry.stream(one.stream), one.change, one.seen, one.adds) for one in wanted], why, about)
            for wanted, why, about in asked.acts
        ]
        coming = observe.Coming(*observe.rows_of(asked.coming)) if asked.coming else None
        return await corrections.acts(acts, asked.by, coming, asked.said)

    await work.serve(_answering(make))


def _answering(do: Callable[[bytes], Awaitable[object]]) -> Callable[[bytes], Awaitable[bytes]]:
    async def answered(piece: bytes) -> bytes:
        try:
            found = _Answered(msgspec.Raw(msgspec.msgpack.encode(await do(piece))))
        except CityError as error:
            found = _Answered(msgspec.Raw(msgspec.msgpack.encode(None)), told(error))
        return msgspec.msgpack.encode(found)

    return answered


def _opened(answer: bytes, kind: type[T]) -> T:
    """The value of an answer; raises the error that it is."""
    found = msgspec.msgpack.decode(answer, type=_Answered)
    if found.error is not None:
        raise raised(found.error)
    return msgspec.msgpack.decode(found.value, type=kind)
