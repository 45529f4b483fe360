"""Acts of correcting: worked out over what was seen, recorded in one commit, and then stored as revisions, under keys that say what belongs together."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple, TypeVar

import numpy as np
from sqlalchemy import Connection

from citybrain.brain.observe import beside, corrected, respelling, restated, revising
from citybrain.brain.observe.beside import Anew
from citybrain.brain.observe.corrected import Correction, State
from citybrain.brain.observe.featured import Featured, Said
from citybrain.brain.observe.horizon import Horizon
from citybrain.brain.observe.intake import Intake, Revision
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.revising import Change, Plan
from citybrain.brain.observe.rows import Rows
from citybrain.brain.observe.signing import Signed
from citybrain.brain.observe.striking import NOTHING
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, CityError, ConflictError, NotFoundError, StaleError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import DAY
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.ports import Series, Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import By, Stream

_TRIES: Final = 5
"""How often an act that follows another is looked at again where readings come in beside it."""
_CHANGED: Final = Text("读数已有更新，请重新预览后再更正。", "Readings have changed. Look at the preview again, then correct.")
_COMPUTED: Final = Text(
    "该监测项由其他读数算出，不收读数。", "The values of this stream are computed from other readings: it takes none."
)
PART: Final = "."
"""What stands in the key of a correction between that of its act and its place in it."""
ACT: Final = "/"
"""What stands in the key of an act between that of all that belongs together and its place in it."""
DOOR: Final = ":"
"""What stands before that key, after the door by which observations come in with it."""
T = TypeVar("T")


class Wanted(NamedTuple):
    """A change of a stream, over what was seen of it; or with ``adds`` a reading that is set where none was seen."""

    stream: Stream
    change: Change
    seen: str
    adds: bool = False


class Act(NamedTuple):
    """Changes of readings all of which set, or all of which strike out, and why; with ``about`` of readings that are about that feature."""

    wanted: Sequence[Wanted]
    why: str
    about: str | None = None


class Coming(NamedTuple):
    """Observations that come in together with corrections, and by which door."""

    rows: Rows
    door: str


class Saying(NamedTuple):
    """What is said anew of an observation together with corrections, and why."""

    anew: Anew
    why: str


class Request(NamedTuple):
    """Acts that belong together, each signed, what comes in with them, and what is said anew with them."""

    acts: Sequence[Act]
    signed: Sequence[Signed]
    coming: Coming | None
    said: Sequence[Said]


class Acting:
    """Works out, records and stores acts; who asks sees to it that they come one after another."""

    def __init__(
        self,
        registry: Registry,
        series: Series,
        intake: Intake | None,
        transactions: Transactions[Connection],
        horizon: Horizon,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._series = series
        self._own = intake
        self._transactions = transactions
        self._horizon = horizon
        self._clock = clock
        self._streams = self._read(corrected.streams)
        self.featured = Featured(transactions)
        """What is beside readings: what is said anew with corrections is kept in their commit."""

    @property
    def _intake(self) -> Intake:
        """The intake of this process; a RuntimeError where another one takes in and corrects."""
        if self._own is None:
            message = "Readings are corrected by the process that takes them in."
            raise RuntimeError(message)
        return self._own

    async def _correct(self, request: Request) -> tuple[tuple[Correction, ...], ...]:
        coming = request.coming
        looked = [await asyncio.to_thread(self._plans, act.wanted) for act in request.acts]
        plans = [await asyncio.to_thread(respelling.entered, self._registry.worded, each) for each in looked]
        key = new_id().replace("-", "")
        base = key if coming is None else f"{coming.door}{DOOR}{key}"
        names = [f"{base}{ACT}{place}" for place in range(len(plans))]
        numbers = await asyncio.to_thread(self._together, request, plans, names, base)
        done: list[tuple[Correction, ...]] = []
        try:
            if coming is not None:
                await self._take(coming, key)
                await asyncio.to_thread(self._write, partial(restated.settle, key=base))
            for place, each in enumerate(plans):
                last = coming is None and not place
                done.append(await self._revised(each, names[place], numbers[place], request.signed[place], alone=last))
        except CityError:
            await asyncio.to_thread(self._drop, [no for each in numbers for no in each], base)
            raise
        return tuple(done)

    def _together(
        self, request: Request, plans: Sequence[Sequence[tuple[Stream, Plan]]], names: Sequence[str], base: str
    ) -> list[list[int]]:
        """Record all of a request in one commit: what is said anew, and corrections that are on their way; the numbers of these."""

        def recorded(connection: Connection) -> list[list[int]]:
            for act, each in zip(request.acts, plans, strict=True):
                if act.about is not None and not all(
                    beside.are_about(connection, stream.no, plan.time.tolist(), act.about) for stream, plan in each
                ):
                    raise StaleError(_CHANGED)
            return _recorded(connection, plans, names, request.signed)

        numbers = self.featured.restate_with(request.said, base, recorded) if request.said else self._write(recorded)
        self._streams |= {stream.no for act in plans for stream, _ in act}
        return numbers

    async def _take(self, coming: Coming, key: str) -> None:
        verdict = await self._intake.take(coming.rows, coming.door, key)
        for one in verdict.refused[:1]:
            what = Text(
                f"观测值被拒绝（{one.code}）：{one.why.zh}全部未执行。",
                f"An observation was refused ({one.code}): {one.why.en} Nothing was done.",
            )
            raise BadInputError(what, reason=one.code)

    async def _revised(
        self, plans: Sequence[tuple[Stream, Plan]], name: str, numbers: Sequence[int], signed: Signed, *, alone: bool
    ) -> tuple[Correction, ...]:
        """Have an act that is recorded take place; one that is not ``alone`` follows what stands already, and does not fail."""
        for _ in range(_TRIES):
            revisions = [Revision(stream.no, plan.time, plan.before, plan.after) for stream, plan in plans]
            try:
                await self._intake.revise(joined(revisions), plans[0][1].change.door, name.rpartition(DOOR)[2])
            except StaleError:
                if alone:
                    raise
                await asyncio.to_thread(self._drop, numbers)
                wanted = [Wanted(stream, plan.change, "", plan.adds) for stream, plan in plans]
                plans, name = await asyncio.to_thread(self._there, wanted), f"{new_id().replace('-', '')}{ACT}0"
                if not plans:
                    # Somebody was later: what was asked for stood, and stands no more.
                    return ()
                (numbers,) = await asyncio.to_thread(self._record, [plans], [name], [signed])
            except CityError:
                if alone:
                    raise
                break
            else:
                return await asyncio.to_thread(self._become, numbers, "standing", name.partition(ACT)[0])
        return await asyncio.to_thread(self._become, numbers, "pending")

    def _plans(self, wanted: Sequence[Wanted]) -> list[tuple[Stream, Plan]]:
        """What is to be done, in the order of the streams; raises StaleError where readings changed since they were seen."""
        plans = []
        for one in sorted(wanted, key=lambda one: (one.stream.no, one.change.since)):
            plans.append((one.stream, self._added(one.stream, one.change) if one.adds else self._plan(one.stream, one.change)))
            if not one.adds and plans[-1][1].seen() != one.seen:
                raise StaleError(_CHANGED, seen=one.seen)
        return plans

    def _there(self, wanted: Sequence[Wanted]) -> list[tuple[Stream, Plan]]:
        """What is still to be done of changes, as readings are by now; where one came to a place that had none it is set."""
        plans = []
        for one in wanted:
            with suppress(BadInputError, NotFoundError):
                plans.append((one.stream, self._plan(one.stream, one.change)))
        return respelling.entered(self._registry.worded, plans)

    def _plan(self, stream: Stream, change: Change) -> Plan:
        self._check(stream, change)
        span = (stream.no,), change.since, change.until
        days = self._series.scan(SeriesQuery(*span, DAY))
        revising.check_count(int(days["count"].to_numpy().sum()))
        plan = revising.plan(respelling.coded(self._registry.worded, stream, change), self._series.scan(SeriesQuery(*span)))
        respelling.check(self._registry.worded, stream, plan)
        return plan

    def _added(self, stream: Stream, change: Change) -> Plan:
        """A reading that is set where none is; raises ConflictError where one is, and for a stream that takes none."""
        self._check(stream, change)
        if self._registry.kind(stream.kind).field(stream.field).by is By.DERIVED:
            raise ConflictError(_COMPUTED, stream=stream.id)
        rows = self._series.scan(SeriesQuery((stream.no,), change.since, change.until))
        plan = revising.addition(respelling.coded(self._registry.worded, stream, change), rows, self._clock.city())
        respelling.check(self._registry.worded, stream, plan)
        return plan

    def _check(self, stream: Stream, change: Change) -> None:
        revising.check(change, self._clock.city())
        if self._registry.streams()[stream.no - 1].ended is not None:
            raise NotFoundError(Text("该监测项已停用。", "This stream has ended."), stream=stream.id)
        if self._horizon.expired(np.array([stream.no], np.int32), np.array([change.since], np.int64)).any():
            what = Text("这段读数已过保存期限，不能更正。", "These readings were kept long enough: they cannot be corrected.")
            raise BadInputError(what, field="since")

    def _record(
        self, acts: Sequence[Sequence[tuple[Stream, Plan]]], keys: Sequence[str], signed: Sequence[Signed]
    ) -> list[list[int]]:
        # Before the rows are stored: a reading that comes again beside them must find the correction.
        numbers = self._write(partial(_recorded, acts=acts, keys=keys, signed=signed))
        self._streams |= {stream.no for plans in acts for stream, _ in plans}
        return numbers

    def _drop(self, numbers: Sequence[int], base: str = "") -> None:
        """Forget corrections that never came to stand, and what was said anew with acts of this key."""

        def drop(connection: Connection) -> None:
            for no in numbers:
                corrected.drop(connection, no)
            if base:
                beside.unsay(connection, base)

        self._write(drop)

    def _become(self, numbers: Sequence[int], state: State, base: str = "") -> tuple[Correction, ...]:
        """Move corrections to a state, and let what was said anew with acts of this key stand with them."""

        def change(connection: Connection) -> tuple[Correction, ...]:
            for no in numbers:
                corrected.become(connection, no, state)
            if base:
                restated.settle(connection, base)
            return tuple(corrected.one(connection, no) for no in numbers)

        done = self._write(change)
        self._streams = self._read(corrected.streams)
        return done

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._transactions.read() as connection:
            return work(connection)

    def _write(self, work: Callable[[Connection], T]) -> T:
        with self._transactions.begin() as tx:
            return work(tx.connection)


def revision(stream: int, lines: tuple[corrected.Line, ...] | list[corrected.Line]) -> Revision:
    """The readings of a correction as a revision of them."""
    time = np.array([line.time for line in lines], np.int64)
    return Revision(stream, time, np.array([line.before for line in lines]), np.array([line.after for line in lines]))


def joined(revisions: Sequence[Revision]) -> Revision:
    """Revisions of several streams that are to be made, in their order, as one; NaN before stands for no reading."""
    numbers = np.repeat([one.stream_no for one in revisions], [len(one.time) for one in revisions]).astype(np.int32)
    time, before, after = map(np.concatenate, zip(*(one[1:] for one in revisions), strict=True))
    return Revision(numbers, time, np.where(before == NOTHING, np.nan, before), after)


def _recorded(
    connection: Connection, acts: Sequence[Sequence[tuple[Stream, Plan]]], keys: Sequence[str], signed: Sequence[Signed]
) -> list[list[int]]:
    """Enter acts that are on their way; the numbers of their corrections."""
    return [
        [corrected.record(connection, *plan, f"{key}{PART}{part}", by) for part, plan in enumerate(plans)]
        for plans, key, by in zip(acts, keys, signed, strict=True)
    ]
