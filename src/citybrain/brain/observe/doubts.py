"""Doubts: once an hour of city time every stream that promises it is held against its neighbours, and what is found is kept.

Series.scan(hours) → levels → how they stood (see ``peers``) → doubts opened and ended in the store → Latest.doubt → the life of the value.
It runs beside the wire, never on it. What is held in memory is bounded: eight days of hours and three weeks of days a stream.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from citybrain.brain.observe import peers
from citybrain.brain.observe.latest import Latest
from citybrain.brain.observe.life import ENDLESS
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.store import DOUBT
from citybrain.brain.observe.wording import departure
from citybrain.kernel.clock import Clock
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.observations import Floats, SeriesQuery
from citybrain.kernel.ports import Series, Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Agrees, Life

log = structlog.get_logger()
_HOURS: Final = peers.WEEK + peers.RECENT
_AGAIN: Final = 3
"""Hours that are read once more, for what came late."""
_OF_DAY: Final = DAY // HOUR


class Doubt(msgspec.Struct, frozen=True):
    """What is held against a stream: since when, when it was told, when it ended, and why; ``centre`` and ``scale`` as in peers."""

    id: str
    stream: int
    life: Life
    since: Instant
    told: Instant
    until: Instant | None
    centre: float
    scale: float
    why: Text


class Judged(msgspec.Struct, frozen=True):
    """How many streams are held against neighbours, and how many could not be: none promised, too few neighbours, too little history."""

    judged: int = 0
    no_promise: int = 0
    few_neighbours: int = 0
    little_history: int = 0


@dataclass(slots=True)
class _Group:
    """The streams of one field of one kind (n): who is beside whom, levels by the hour (n, hours), daily medians of residuals (n, days)."""

    agrees: Agrees
    floor: float
    numbers: NDArray[np.int32]
    near: NDArray[np.int64]
    hours: Floats
    days: Floats


class Doubts:
    """The doubts about streams, in the store and in the latest values; one turn at a time."""

    def __init__(
        self, registry: Registry, series: Series, latest: Latest, transactions: Transactions[Connection], clock: Clock
    ) -> None:
        self._registry = registry
        self._series = series
        self._latest = latest
        self._transactions = transactions
        self._clock = clock
        self._lock = threading.Lock()
        self._groups: list[_Group] = []
        self._version = 0
        self._members: tuple[object, ...] = ()
        self._upto = 0
        self.judged = Judged()
        self._open = {doubt.stream: doubt for doubt in self._kept(DOUBT.c.until.is_(None))}
        self._ended = self._kept(DOUBT.c.until >= self._clock.city() - peers.DAYS * DAY)
        for doubt in self._open.values():
            latest.doubt(doubt.stream, doubt.life, doubt.since, doubt.why)

    def of(self, stream_no: int) -> Doubt | None:
        """The open doubt about a stream."""
        return self._open.get(stream_no)

    def history(self, stream_no: int) -> tuple[Doubt, ...]:
        """All doubts that there were about a stream, newest first."""
        return tuple(sorted(self._kept(DOUBT.c.stream == stream_no), key=lambda doubt: -doubt.since))

    def run_once(self) -> int:
        """Judge the hours that are over since the last turn; returns the doubts opened and ended. Blocks: run in a thread."""
        with self._lock:
            end = self._clock.city() // HOUR
            fresh = self._regroup()
            if end == self._upto and not fresh:
                return 0
            far = fresh or not self._upto <= end <= self._upto + peers.WEEK
            days = True
            if far:
                self._rebuild(end)
            else:
                days = self._advance(end)
            self._upto = end
            return self._judge(end, days=days)

    def renew(self) -> None:
        """Take over the doubts that another process opened and ended; for one that judges nothing itself."""
        with self._lock:
            found = {doubt.stream: doubt for doubt in self._kept(DOUBT.c.until.is_(None))}
            for stream in self._open.keys() - found.keys():
                self._latest.clear(stream)
            for doubt in found.values():
                if self._open.get(doubt.stream) != doubt:
                    self._latest.doubt(doubt.stream, doubt.life, doubt.since, doubt.why)
            self._open = found

    def _regroup(self) -> bool:
        """Whether the streams that promise to agree, or their places, are others than before; they are grouped anew then."""
        if self._version == self._registry.version:
            return False
        self._version = self._registry.version
        groups: dict[tuple[str, str, Agrees, float], list[int]] = {}
        for stream in self._registry.streams():
            if stream.contract.agrees is not None:
                groups.setdefault((stream.kind, stream.field, stream.contract.agrees, stream.contract.within), []).append(stream.no)
        members = tuple(groups.items())
        if members == self._members:
            return False
        self._members = members
        streams = self._registry.streams()
        self._groups = []
        for (_, _, agrees, within), numbers in groups.items():
            places = [self._registry.entity(streams[no - 1].entity).place for no in numbers]
            size = len(numbers)
            hours, days = np.full((size, _HOURS), np.nan), np.full((size, peers.DAYS), np.nan)
            self._groups.append(
                _Group(agrees, peers.floor(agrees, within), np.array(numbers, np.int32), peers.neighbours(places), hours, days)
            )
        return True

    def _rebuild(self, end: int) -> None:
        """Read three weeks anew, day by day, and the week before them."""
        over = end // _OF_DAY
        for group in self._groups:
            group.hours[:], group.days[:] = np.nan, np.nan
            for day in range(over - peers.DAYS - _HOURS // _OF_DAY, over):
                self._read(group, day * _OF_DAY, (day + 1) * _OF_DAY)
                if day >= over - peers.DAYS:
                    self._close_day(group, day)
            self._read(group, over * _OF_DAY, end)

    def _advance(self, end: int) -> bool:
        """Read the hours since the last turn, closing the days that are over; whether there was one."""
        here, over = self._upto, end // _OF_DAY
        for group in self._groups:
            here = self._upto
            for day in range(self._upto // _OF_DAY, over):
                self._read(group, here, (day + 1) * _OF_DAY)
                self._close_day(group, day)
                here = (day + 1) * _OF_DAY
            self._read(group, here, end)
        return over > self._upto // _OF_DAY

    def _read(self, group: _Group, begin: int, end: int) -> None:
        """Move a group on to an hour: what came since ``begin``, and once more the few hours before."""
        if end <= begin:
            return
        begin -= _AGAIN
        span = Instant(begin * HOUR), Instant(end * HOUR)
        rows = self._series.scan(SeriesQuery(tuple(group.numbers.tolist()), *span, HOUR))
        values = np.full((len(group.numbers), end - begin), np.nan)
        place = np.searchsorted(group.numbers, rows["stream_no"].to_numpy())
        values[place, rows["time"].to_numpy() // HOUR - begin] = rows["mean"].to_numpy()
        group.hours = np.roll(group.hours, -(end - begin - _AGAIN), axis=1)
        group.hours[:, -values.shape[1] :] = peers.levels(values, group.agrees)[:, -_HOURS:]

    def _close_day(self, group: _Group, day: int) -> None:
        stood = peers.stood(group.hours, self._out(group, (day + 1) * _OF_DAY), group.near)
        group.days = np.roll(group.days, -1, axis=1)
        group.days[:, -1] = peers.middle(stood.middle[:, -_OF_DAY:])

    def _out(self, group: _Group, end: int) -> NDArray[np.bool_]:
        """The hours (n, hours) up to ``end`` in which a stream was in doubt: it is neither neighbour nor measure of itself then."""
        begin = end - _HOURS
        out = np.zeros(group.hours.shape, np.bool_)
        for place, since, until in self._spells(group):
            out[place, max(0, since // HOUR - begin) : max(0, until // HOUR - begin)] = True
        return out

    def _spells(self, group: _Group) -> Iterator[tuple[int, int, int]]:
        """The doubts about streams of a group that reach into what is remembered: place, since, until."""
        places = {int(no): place for place, no in enumerate(group.numbers)}
        for doubt in (*self._ended, *self._open.values()):
            if doubt.stream in places:
                yield places[doubt.stream], doubt.since, ENDLESS if doubt.until is None else doubt.until

    def _judge(self, end: int, *, days: bool) -> int:
        opened: list[Doubt] = []
        ended: list[Doubt] = []
        few = little = judged = 0
        for group in self._groups:
            found = self._contradicted(group, end, opened, ended)
            if days:
                self._drifting(group, end, opened, ended)
            lonely = (group.near >= 0).sum(axis=1) < peers.FEWEST
            few += int(lonely.sum())
            little += int((~lonely & ~np.isfinite(found.centre)).sum())
            judged += int((~lonely & np.isfinite(found.centre)).sum())
        self.judged = Judged(judged, len(self._registry.streams()) - few - little - judged, few, little)
        self._keep(opened, ended)
        return len(opened) + len(ended)

    def _contradicted(self, group: _Group, end: int, opened: list[Doubt], ended: list[Doubt]) -> peers.Found:
        centre, scale, doubted = self._standing(group, Life.CONTRADICTED)
        out = self._out(group, end)
        stood = peers.stood(group.hours, out, group.near)
        found = peers.contradicted(stood, out, group.floor, centre, scale)
        for place in np.flatnonzero(found.beyond & ~doubted).tolist():
            since = Instant((end - int(found.ago[place])) * HOUR)
            before = self._open.get(int(group.numbers[place]))
            ended += [] if before is None else [before]
            opened.append(self._doubt(group, place, Life.CONTRADICTED, since, found))
        again = doubted & peers.agrees_again(stood.middle, group.floor, centre, scale)
        ended += [self._open[no] for no in group.numbers[again].tolist()]
        return found

    def _drifting(self, group: _Group, end: int, opened: list[Doubt], ended: list[Doubt]) -> None:
        taken = {doubt.stream for doubt in opened} | {no for no, one in self._open.items() if one.life is Life.CONTRADICTED}
        centre, scale, doubted = self._standing(group, Life.DRIFTING)
        found = peers.drifting(group.days, group.floor)
        free = ~np.isin(group.numbers, np.array(sorted(taken), np.int32))
        for place in np.flatnonzero(found.beyond & ~doubted & free).tolist():
            since = Instant((end // _OF_DAY - int(found.ago[place])) * DAY)
            opened.append(self._doubt(group, place, Life.DRIFTING, since, found))
        back = doubted & free & peers.returned(group.days, group.floor, centre, scale)
        ended += [self._open[no] for no in group.numbers[back].tolist()]

    def _standing(self, group: _Group, life: Life) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Centres and scales of the streams in doubt in one way (NaN for others), and which they are."""
        doubts = [self._open.get(int(no)) for no in group.numbers] if self._open else [None] * len(group.numbers)
        mine = [doubt if doubt is not None and doubt.life is life else None for doubt in doubts]
        centre = np.array([np.nan if doubt is None else doubt.centre for doubt in mine])
        scale = np.array([np.nan if doubt is None else doubt.scale for doubt in mine])
        return centre, scale, np.isfinite(centre)

    def _doubt(self, group: _Group, place: int, life: Life, since: Instant, found: peers.Found) -> Doubt:
        stream = self._registry.streams()[int(group.numbers[place]) - 1]
        away, centre, scale = (float(part[place]) for part in (found.departure, found.centre, found.scale))
        why = departure(life, group.agrees, away, stream.unit)
        return Doubt(new_id(), stream.no, life, since, self._clock.city(), None, centre, scale, why)

    def _keep(self, opened: Sequence[Doubt], ended: Sequence[Doubt]) -> None:
        if not opened and not ended:
            return
        now = self._clock.city()
        with self._transactions.begin() as tx:
            for doubt in ended:
                tx.connection.execute(update(DOUBT).where(DOUBT.c.id == doubt.id).values(until=now))
            if opened:
                tx.connection.execute(insert(DOUBT), [_row(doubt) for doubt in opened])
        for doubt in ended:
            self._open.pop(doubt.stream)
            self._latest.clear(doubt.stream)
        recent = now - peers.DAYS * DAY
        kept = (one for one in self._ended if one.until is not None and one.until >= recent)
        self._ended = (*kept, *(msgspec.structs.replace(doubt, until=now) for doubt in ended))
        for doubt in opened:
            self._open[doubt.stream] = doubt
            self._latest.doubt(doubt.stream, doubt.life, doubt.since, doubt.why)
        log.info("streams_doubted", opened=len(opened), ended=len(ended))

    def _kept(self, where: ColumnElement[bool]) -> tuple[Doubt, ...]:
        with self._transactions.read() as connection:
            rows = connection.execute(select(DOUBT).where(where)).all()
        return tuple(_doubt(row) for row in rows)


def _doubt(row: Row[tuple[object, ...]]) -> Doubt:
    until = None if row.until is None else Instant(row.until)
    why = msgspec.json.decode(row.why, type=Text)
    return Doubt(row.id, row.stream, Life(row.life), Instant(row.since), Instant(row.told), until, row.centre, row.scale, why)


def _row(doubt: Doubt) -> Mapping[str, object]:
    return {**msgspec.structs.asdict(doubt), "life": doubt.life.value, "why": msgspec.json.encode(doubt.why).decode()}
