"""Derived fields: follow what is recorded, compute what packs derive from it, and send that in by the door ``derived``.

Series.after(cursor) → entities touched → their inputs over the lookback → compute → Intake. A repeat finds its own rows known,
so a kill between storing and moving the cursor doubles nothing.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection

from citybrain.brain.observe.inlet import Inlet
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.striking import NOTHING, STRUCK
from citybrain.kernel.errors import DeclarationError
from citybrain.kernel.instant import DAY, Duration, Instant, duration
from citybrain.kernel.observations import Floats, Ints, Numbers, SeriesQuery
from citybrain.kernel.pack import Derived, Pack
from citybrain.kernel.ports import Series, Transactions
from citybrain.kernel.text import Text

log = structlog.get_logger()
CURSOR = "observe.derive"
_STEP = 100_000
"""Observations without anything to derive after which the cursor is moved all the same: reading them again costs little."""
DOOR = "derived"


@dataclass(frozen=True, slots=True)
class _Touched:
    """An entity of a derivation and the span of its new inputs, both ends included; whether some of them are no values to build on."""

    entity: str
    first: int
    last: int
    struck: bool = False


class Deriver:
    """Computes derived fields behind a durable cursor; every result is a pure function of the stored inputs."""

    def __init__(
        self,
        packs: Sequence[Pack],
        registry: Registry,
        series: Series,
        intake: Inlet,
        transactions: Transactions[Connection],
    ) -> None:
        self._derived = tuple(each for pack in packs for each in pack.derived)
        for each in self._derived:
            _check(each, registry)
        self._registry = registry
        self._series = series
        self._intake = intake
        self._transactions = transactions
        self._at = self._kept = transactions.cursor(CURSOR)
        self._version = 0
        self._kind = self._field = np.zeros(0, np.int32)
        self._low = self._high = np.zeros(0)
        self._names: dict[str, int] = {}
        self._renew: Callable[[], object] | None = None

    def renewed_by(self, renew: Callable[[], object]) -> None:
        """From now on look whether another process has entered a stream before its observations are passed over as nobody's."""
        self._renew = renew

    @property
    def behind(self) -> int:
        """Observations that are recorded and not yet looked at."""
        return self._series.last_seq() - self._at if self._derived else 0

    async def run_once(self, limit: int = 50_000) -> int:
        """Look at up to about so many new observations; returns how many there were. Raises BusyError, StorageFullError."""
        if not self._derived:
            return 0
        rows = await asyncio.to_thread(self._series.after, self._at, limit)
        if not rows.num_rows:
            return 0
        if self._renew is not None and rows["stream_no"].to_numpy().max() > len(self._registry.streams()):
            await asyncio.to_thread(self._renew)
        made = 0
        for each in self._derived:
            for group in _groups(self._touched(each, rows), reach(each)):
                made += await self._derive(each, group)
        self._at = int(rows["seq"][-1].as_py())
        if made or self._at - self._kept >= _STEP:
            await asyncio.to_thread(self._keep)
        return rows.num_rows

    def _keep(self) -> None:
        with self._transactions.begin() as tx:
            self._transactions.advance(tx.connection, CURSOR, self._at)
        self._kept = self._at

    async def fill(self, since: Instant, until: Instant) -> int:
        """Derive over [since, until) again for all entities, as after an import of history; returns the rows computed."""
        count = 0
        for each in self._derived:
            touched = [_Touched(entity.id, since, until - 1) for entity in self._registry.entities(each.kind)]
            count += await self._derive(each, touched)
        return count

    def _touched(self, each: Derived, rows: pa.Table) -> list[_Touched]:
        self._refresh()
        rows = rows.filter(pa.array(rows["stream_no"].to_numpy() < len(self._kind)))
        no, time = rows["stream_no"].to_numpy(), rows["time"].to_numpy()
        inputs = [self._names.get(name, -1) for name in each.inputs]
        hit = (self._kind[no] == self._names.get(each.kind, -1)) & np.isin(self._field[no], inputs)
        streams = self._registry.streams()
        spans: dict[str, tuple[int, int]] = {}
        for stream_no, first, last in _spans(no[hit], time[hit]):
            entity = streams[stream_no - 1].entity
            low, high = spans.get(entity, (first, last))
            spans[entity] = (min(low, first), max(high, last))
        value = rows["value"].to_numpy()
        void = ~np.isfinite(value) | self._outside(no, value)
        struck = {streams[one - 1].entity for one in no[hit & void].tolist()}
        return [_Touched(entity, *span, entity in struck) for entity, span in spans.items()]

    async def _derive(self, each: Derived, touched: Sequence[_Touched]) -> int:
        if not touched:
            return 0
        self._refresh()
        lookback = reach(each)
        numbers = self._registry.stream_numbers()
        inputs = {entity.entity: [numbers[f"{entity.entity}.{name}"] for name in each.inputs] for entity in touched}
        since, until = min(one.first for one in touched) - lookback, max(one.last for one in touched) + lookback + 1
        wanted = tuple(sorted(no for group in inputs.values() for no in group))
        rows = await asyncio.to_thread(self._series.scan, SeriesQuery(wanted, Instant(since), Instant(until)))
        columns = {no: self._fitting(no, *part) for no, part in _by_stream(rows)}
        made: list[tuple[Numbers, Ints, Floats]] = []
        for one in touched:
            parts = [columns.get(no, _NOTHING) for no in inputs[one.entity]]
            time, value = _compute(each, one, lookback, parts)
            made.append((np.full(len(time), numbers[f"{one.entity}.{each.field}"], np.int32), time, value))
        no, time, value = (np.concatenate([part[place] for part in made]) for place in range(3))
        if len(no):
            await self._intake.take_columns(no.astype(np.int32), time, value, DOOR, None)
        groundless = [
            await asyncio.to_thread(self._groundless, numbers[f"{one.entity}.{each.field}"], one, lookback, part[1])
            for one, part in zip(touched, made, strict=True)
            if one.struck
        ]
        return len(no) + sum([await self._strike(*one) for one in groundless])

    def _outside(self, no: Numbers, value: Floats) -> NDArray[np.bool_]:
        """Which values (n,) are out of the range that their streams promise."""
        return (value < self._low[no]) | (value > self._high[no])

    def _fitting(self, no: int, time: Ints, value: Floats) -> tuple[Ints, Floats]:
        """What can be built on: a value out of its stream's range is none."""
        sound = ~self._outside(np.full(len(time), no, np.int32), value)
        return time[sound], value[sound]

    def _groundless(self, no: int, one: _Touched, lookback: int, made: Ints) -> tuple[int, Ints]:
        """A derived stream, and when it has values whose grounds are gone: nothing comes of what is left of them."""
        rows = self._series.scan(SeriesQuery((no,), Instant(one.first), Instant(one.last + lookback + 1)))
        own = np.array([door == DOOR for door in rows["door"].to_pylist()], np.bool_)
        return no, np.setdiff1d(rows["time"].to_numpy()[own], made)

    async def _strike(self, no: int, time: Ints) -> int:
        if len(time):
            numbers = np.full(len(time), no, np.int32)
            await self._intake.take_columns(numbers, time, np.full(len(time), NOTHING), STRUCK, None)
        return len(time)

    def _refresh(self) -> None:
        """Kind, field and range of each stream as numbers, by stream number; read again when the register changed."""
        if self._version == self._registry.version:
            return
        self._version, streams = self._registry.version, self._registry.streams()
        self._names = {}
        self._kind = np.full(len(streams) + 1, -2, np.int32)
        self._field = np.full(len(streams) + 1, -2, np.int32)
        self._low, self._high = np.full(len(streams) + 1, -np.inf), np.full(len(streams) + 1, np.inf)
        for stream in streams:
            low, high = stream.contract.low, stream.contract.high
            self._low[stream.no] = -np.inf if low is None else low
            self._high[stream.no] = np.inf if high is None else high
            self._kind[stream.no] = self._names.setdefault(stream.kind, len(self._names))
            self._field[stream.no] = self._names.setdefault(stream.field, len(self._names))


_NOTHING: tuple[Ints, Floats] = (np.zeros(0, np.int64), np.zeros(0))


def _compute(each: Derived, one: _Touched, lookback: int, parts: Sequence[tuple[Ints, Floats]]) -> tuple[Ints, Floats]:
    """Times and values of the rows that the new inputs can have changed: from the first of them to a lookback after the last."""
    time = np.unique(np.concatenate([part[0] for part in parts]))
    time = time[(time >= one.first - lookback) & (time <= one.last + lookback)]
    columns = {name: _on(time, *part) for name, part in zip(each.inputs, parts, strict=True)}
    value = _fence(each, one.entity, time, columns)
    counts = np.isfinite(value) & (time >= one.first)
    return time[counts], value[counts]


def _fence(each: Derived, entity: str, time: Ints, columns: Mapping[str, Floats]) -> Floats:
    """The fence around pack code: a fault there must not stop the others; it is logged and gives no value."""
    try:
        value = np.asarray(each.compute(time, columns), np.float64)
    except Exception as error:
        log.exception("derive_failed", kind=each.kind, field=each.field, entity=entity, error=str(error))
        return np.full(len(time), np.nan)
    if value.shape != time.shape:
        log.error("derive_wrong_shape", kind=each.kind, field=each.field, entity=entity, rows=len(time), got=list(value.shape))
        return np.full(len(time), np.nan)
    return value


def _on(time: Ints, own: Ints, value: Floats) -> Floats:
    """Values put on a common time line, NaN where there is none."""
    result = np.full(len(time), np.nan)
    place = np.searchsorted(time, own)
    inside = place < len(time)
    place, own, value = place[inside], own[inside], value[inside]
    same = time[place] == own
    result[place[same]] = value[same]
    return result


def _by_stream(rows: pa.Table) -> Iterator[tuple[int, tuple[Ints, Floats]]]:
    no, time, value = (rows[name].to_numpy() for name in ("stream_no", "time", "value"))
    cuts = np.flatnonzero(no[1:] != no[:-1]) + 1
    for begin, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(no)], strict=True):
        if end > begin:
            yield int(no[begin]), (time[begin:end], value[begin:end])


def _spans(no: Numbers, time: Ints) -> Iterator[tuple[int, int, int]]:
    """Each stream with its first and last time."""
    order = np.lexsort((time, no))
    no, time = no[order], time[order]
    cuts = np.flatnonzero(no[1:] != no[:-1]) + 1
    for begin, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(no)], strict=True):
        if end > begin:
            yield int(no[begin]), int(time[begin]), int(time[end - 1])


def _groups(touched: Sequence[_Touched], lookback: int) -> Iterator[list[_Touched]]:
    """Entities whose spans lie together, so that one late reading does not make all of them read far back."""
    group: list[_Touched] = []
    for one in sorted(touched, key=lambda each: (each.first, each.entity)):
        if group and max(one.last, group[0].last) - group[0].first > lookback + 2 * DAY:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def reach(each: Derived) -> Duration:
    """How much earlier history a derivation needs."""
    return Duration(0) if each.lookback is None else duration(each.lookback)


def _check(each: Derived, registry: Registry) -> None:
    kind = registry.kind(each.kind)
    wrong = [name for name in (each.field, *each.inputs) if not kind.has(name) or not kind.field(name).measured]
    if wrong:
        what = Text(
            f"派生字段 {each.kind}.{each.field} 引用了不存在或不是测量值的字段：{'、'.join(wrong)}。",
            f"The derived field {each.kind}.{each.field} speaks of fields that do not exist or are not measured: {', '.join(wrong)}.",
        )
        raise DeclarationError(what, kind=each.kind, field=each.field)
