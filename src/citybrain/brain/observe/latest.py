"""The latest value of every stream, in arrays by stream number: fed by intake, rebuilt at start, never written to a store."""

import itertools
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.brain.observe.grounds import Grounds
from citybrain.brain.observe.life import CODE, NEVER, ORDER, Contracts, contracts, lives
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.worded import UNMEASURED
from citybrain.brain.observe.wording import plain
from citybrain.kernel.clock import Clock
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Floats, Ints, Numbers, SeriesQuery
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Series
from citybrain.kernel.text import Text
from citybrain.kernel.things import Life, Stream

_CHUNK = 500
"""Streams a scan at start."""
_FIRST = 1024
_WORDS = pa.array([life.value for life in ORDER], pa.string())


class Reading(msgspec.Struct, frozen=True):
    """A stream's latest value, when it was observed and received, and its life now."""

    time: Instant
    value: float
    received: Instant
    life: Life


_P = ParamSpec("_P")
_R = TypeVar("_R")
_Method: TypeAlias = Callable[Concatenate["Latest", _P], _R]


def _alone(method: _Method[_P, _R]) -> _Method[_P, _R]:
    """Let a method write while no other does: one that came while the arrays grow would be written into the old ones."""

    @wraps(method)
    def alone(self: "Latest", /, *given: _P.args, **named: _P.kwargs) -> _R:
        with self.writing:
            return method(self, *given, **named)

    return alone


class Latest:
    """Latest time, value, receipt and time of the last change by stream number; the arrays double when they are full.

    Written by the loop that takes in and by whoever decides lives; read, and so grown, by any thread.
    """

    def __init__(self, registry: Registry, series: Series, clock: Clock, packs: Sequence[Pack] = ()) -> None:
        self.writing = threading.RLock()
        """Held by whoever writes or grows the arrays."""
        self._registry = registry
        self._grounds = Grounds(packs)
        self._clock = clock
        self._time = np.full(_FIRST, NEVER, np.int64)
        self._value = np.full(_FIRST, np.nan)
        self._received = np.full(_FIRST, NEVER, np.int64)
        self._changed = np.full(_FIRST, NEVER, np.int64)
        self._written = np.zeros(_FIRST, np.int64)
        self._door = np.zeros(_FIRST, np.int16)
        self._doors: dict[str, int] = {}
        self._doubt = np.full(_FIRST, CODE[Life.LIVE])
        self._told: dict[int, tuple[Instant | None, Text]] = {}
        self._batches = itertools.count(1)
        self._version = 0
        self._contracts = contracts(())
        self.rebuild(series)

    @_alone
    def feed(self, stream_no: Numbers, time: Ints, value: Floats, received: Instant, door: str) -> Numbers:
        """Take durable observations (n,) of a door in the order of their sending; older ones than the latest change nothing.

        Returns the streams whose latest value was struck out: it stays until they ``go_back``.
        """
        if not len(stream_no):
            return stream_no
        self._room(int(stream_no.max()) + 1)
        self._written[stream_no] = next(self._batches)
        stands = np.isfinite(value)
        if not stands.all():
            struck = stream_no[~stands & (time == self._time[stream_no])]
            self.feed(stream_no[stands], time[stands], value[stands], received, door)
            found: Numbers = np.unique(struck)
            return found
        none = np.zeros(0, np.int32)
        no = stream_no.astype(np.int64)
        if not _ordered(no, time):
            order = np.lexsort((time, no))
            no, time, value = no[order], time[order], value[order]
        current = time >= self._time[no]
        if not current.all():
            # What comes late and differs broke the stand: the newest value has not stood for as long as it seemed.
            broke = ~current & (value != self._value[no]) & (time > self._changed[no])
            np.maximum.at(self._changed, no[broke], time[broke])
            no, time, value = no[current], time[current], value[current]
        if not len(no):
            return none
        next_of = np.ones(len(no) + 1, np.bool_)
        np.not_equal(no[1:], no[:-1], out=next_of[1:-1])
        first, last = next_of[:-1], next_of[1:]
        before = self._value[no]
        np.copyto(before[1:], value[:-1], where=~first[1:])
        # A revision of the same instant and the first value ever are changes too; NaN differs from everything.
        differs = np.flatnonzero(value != before)
        self._changed[no[differs]] = time[differs]
        self._time[no[last]], self._value[no[last]], self._received[no[last]] = time[last], value[last], received
        if door not in self._doors:
            self._doors = {**self._doors, door: len(self._doors)}
        self._door[no[last]] = self._doors[door]
        return none

    @_alone
    def go_back(self, stream_no: Numbers, marks: Ints, rows: pa.Table) -> Numbers:
        """Take what stands (ROWS) for streams (n,) whose latest value was struck out; none of it is a stream that has no reading.

        Returns those of which something was written since their ``marks`` (n,): they are to be read again.
        """
        same = self._written[stream_no] == marks
        rows = rows.filter(pa.array(np.isin(rows["stream_no"].to_numpy(), stream_no[same])))
        no, time = rows["stream_no"].to_numpy(), rows["time"].to_numpy()
        changed = np.minimum(self._changed[no], time)
        self._empty(stream_no[same])
        self._take(rows)
        self._changed[no] = changed
        # Whoever looked in between saw the old value under the mark of the batch.
        self._written[stream_no[same]] = next(self._batches)
        left: Numbers = stream_no[~same]
        return left

    def marks(self, stream_no: Numbers) -> Ints:
        """The ``mark`` of each of some streams (n,)."""
        return self._written[stream_no].copy()

    def mark(self, stream_no: int) -> int:
        """A number that changes whenever anything is written of a stream, late rows and revisions too."""
        self._room(stream_no + 1)
        return int(self._written[stream_no])

    def written(self) -> int:
        """A number that changes whenever anything is written of any stream."""
        return int(self._written.max())

    def times(self, stream_no: Numbers) -> Ints:
        """The latest times of streams (n,), NEVER for none."""
        self._room(int(stream_no.max(initial=0)) + 1)
        return self._time[stream_no]

    def table(self, numbers: Numbers | None = None) -> pa.Table:
        """Columns stream_no, time, value, received, door, life (a word) of some streams, or of all that are registered.

        A stream that never reported has nulls and the life ``never``.
        """
        promised = self._promised()
        no = np.arange(1, len(promised.low) + 1, dtype=np.int32) if numbers is None else numbers
        time, value, received, door = self._time[no], self._value[no], self._received[no], self._door[no]
        codes = self.codes(no)
        none = time <= NEVER

        return pa.table(
            {
                "stream_no": pa.array(no, pa.int32()),
                "time": pa.array(time, pa.int64(), mask=none),
                "value": pa.array(value, pa.float64(), mask=none),
                "received": pa.array(received, pa.int64(), mask=none),
                "door": pa.array([*self._doors], pa.string()).take(pa.array(door, pa.int16(), mask=none)),
                "life": _WORDS.take(codes),
            }
        )

    def of(self, stream_no: int) -> Reading | None:
        """The latest value of a stream; None when it never reported."""
        self._promised()
        if not 0 <= stream_no < len(self._time) or self._time[stream_no] <= NEVER:
            return None
        value = float(self._value[stream_no])
        code = int(self.codes(np.array([stream_no], np.int32))[0])
        return Reading(Instant(int(self._time[stream_no])), value, Instant(int(self._received[stream_no])), ORDER[code])

    def codes(self, numbers: Numbers) -> NDArray[np.uint8]:
        """The life of streams (n,) now, as an index into ORDER; what is derived is no sounder than what it is computed from."""
        return self._grounds.lives(numbers, self._own(numbers), self._own)

    def _own(self, numbers: Numbers) -> NDArray[np.uint8]:
        promised = self._promised().take(numbers.astype(np.int64) - 1)
        time, value, changed = self._time[numbers], self._value[numbers], self._changed[numbers]
        return lives(promised, time, value, changed, self._clock.city(), self._doubt[numbers])

    def newest(self, numbers: Numbers) -> tuple[Ints, Floats]:
        """Times and values of streams (n,): NEVER and NaN for none."""
        self._promised()
        return self._time[numbers], self._value[numbers]

    def why(self, stream: Stream, life: Life, time: Instant | None, value: float | None) -> tuple[Instant | None, Text]:
        """Since when a stream's latest value has its life, and why, in words; no moment and no words for one that lives."""
        if life in (Life.STUCK, Life.CONTRADICTED) and (found := self._ground(stream, life)) is not None:
            since, why = self.why(found, life, *self._newest(found.no))
            title = self._registry.kind(found.kind).field(found.field).title
            return since, Text(f"由{title.zh}算出：{why.zh}", f"computed from {title.en}: {why.en}")
        if life in (Life.CONTRADICTED, Life.DRIFTING):
            return self._told[stream.no]
        changed = Instant(int(self._changed[stream.no]))
        said = self._registry.worded.result(stream, value) if life is Life.STUCK and stream.sort in UNMEASURED else value
        return plain(life, stream.contract, time, value, changed, self._clock.city(), said)

    def _ground(self, stream: Stream, life: Life) -> Stream | None:
        """The first stream with a life among those that one is computed from."""
        inputs = self._grounds.inputs(stream.no)
        held = inputs[self._own(inputs) == CODE[life]] if len(inputs) else inputs
        return self._registry.streams()[int(held[0]) - 1] if len(held) else None

    def _newest(self, no: int) -> tuple[Instant, float]:
        return Instant(int(self._time[no])), float(self._value[no])

    @_alone
    def doubt(self, stream_no: int, life: Life, since: Instant, why: Text) -> None:
        """Take a stream to be contradicted or drifting since an instant."""
        self._room(stream_no + 1)
        self._told[stream_no] = (since, why)
        self._doubt[stream_no] = CODE[life]

    @_alone
    def clear(self, stream_no: int) -> None:
        """Take a stream to be sound again."""
        self._room(stream_no + 1)
        self._doubt[stream_no] = CODE[Life.LIVE]

    @_alone
    def forget(self, numbers: Numbers, before: Instant) -> None:
        """Forget the latest values of streams (n,) that are older than an instant, for they were deleted."""
        self._room(int(numbers.max(initial=0)) + 1)
        old = numbers[(self._time[numbers] < before) & (self._time[numbers] > NEVER)]
        self._written[numbers] = next(self._batches)
        self._empty(old)

    def _empty(self, stream_no: Numbers) -> None:
        self._time[stream_no] = self._received[stream_no] = self._changed[stream_no] = NEVER
        self._value[stream_no] = np.nan

    def _promised(self) -> Contracts:
        """The contracts by stream number less one, read again when the register changed."""
        version = self._registry.version
        if self._version != version:
            found = contracts([stream.contract for stream in self._registry.streams()])
            self._room(len(found.low) + 1)
            self._grounds.read(self._registry.streams())
            # The version last: who finds it finds what belongs to it.
            self._contracts, self._version = found, version
        return self._contracts

    def _room(self, size: int) -> None:
        if size > len(self._doubt):
            self._grow(size)

    @_alone
    def _grow(self, size: int) -> None:
        have = len(self._doubt)
        if size <= have:
            return
        more = max(size, 2 * have) - have
        self._time = np.r_[self._time, np.full(more, NEVER, np.int64)]
        self._value = np.r_[self._value, np.full(more, np.nan)]
        self._received = np.r_[self._received, np.full(more, NEVER, np.int64)]
        self._changed = np.r_[self._changed, np.full(more, NEVER, np.int64)]
        self._written = np.r_[self._written, np.zeros(more, np.int64)]
        self._door = np.r_[self._door, np.zeros(more, np.int16)]
        self._doubt = np.r_[self._doubt, np.full(more, CODE[Life.LIVE])]

    @_alone
    def rebuild(self, series: Series) -> None:
        """Read the newest observations anew from the store: at the start, and after history was brought in."""
        table = series.latest()
        no = table["stream_no"].to_numpy()
        self._room(int(no.max(initial=0)) + 1)
        self._promised()
        self._written[:] = next(self._batches)
        self._take(table)
        self._changed[no] = table["time"].to_numpy()
        self._find_changes(series)

    def _take(self, rows: pa.Table) -> None:
        """Take rows (ROWS) as the latest of their streams."""
        no = rows["stream_no"].to_numpy()
        self._time[no], self._value[no] = rows["time"].to_numpy(), rows["value"].to_numpy()
        self._received[no] = rows["received"].to_numpy()
        doors = [str(door) for door in rows["door"].to_pylist()]
        self._doors = {name: code for code, name in enumerate(dict.fromkeys((*self._doors, *doors)))}
        self._door[no] = [self._doors[door] for door in doors]

    def _find_changes(self, series: Series) -> None:
        """When each value that could be stuck last changed: read back as far as its promise goes.

        Streams that are late need no reading, for late comes before stuck.
        """
        promised = self._promised()
        streams = self._registry.streams()
        due = [
            stream.no
            for stream in streams
            if stream.contract.stuck_after is not None
            and self._time[stream.no] >= self._clock.city() - promised.silent_after[stream.no - 1]
        ]
        for begin in range(0, len(due), _CHUNK):
            chunk = np.array(due[begin : begin + _CHUNK], np.int64)
            since = int((self._time[chunk] - 2 * promised.stuck_after[chunk - 1]).min())
            until = Instant(int(self._time[chunk].max()) + 1)
            rows = series.scan(SeriesQuery(tuple(chunk.tolist()), Instant(since), until))
            no, time, value = (rows[name].to_numpy() for name in ("stream_no", "time", "value"))
            first = np.r_[True, no[1:] != no[:-1]][: len(no)]
            differs = np.flatnonzero(first | (value != np.r_[np.nan, value[:-1]][: len(no)]))
            self._changed[no[differs]] = time[differs]


def _ordered(no: NDArray[np.int64], time: Ints) -> bool:
    """Whether rows (n,) stand by stream and time, as intake hands them on."""
    return bool(((no[1:] > no[:-1]) | ((no[1:] == no[:-1]) & (time[1:] >= time[:-1]))).all())
