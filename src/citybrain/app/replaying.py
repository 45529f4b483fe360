"""Playing what a pack brings, real measurements or a seeded simulation: rows of our streams and forms, at their city time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from citybrain.kernel.instant import DAY, Duration, Instant, duration, local_date, midnight
from citybrain.kernel.observations import Floats, Ints, Numbers
from citybrain.kernel.pack import Derived, Pack, Replay, Simulator, Slice
from citybrain.kernel.text import Text
from citybrain.kernel.things import By

_ENDLESS = 2**62
Rows = tuple[Numbers, Ints, Floats]
"""Stream numbers (n,), city times in µs (n,), values (n,)."""


@dataclass(frozen=True, slots=True)
class Player:
    """The replay of one pack: ``delta`` is city time minus source time in µs, ``streams`` the numbers by stream id."""

    pack: Pack
    replay: Replay
    source: Path
    delta: Duration
    entities: tuple[str, ...]
    streams: Mapping[str, int]

    @property
    def stated(self) -> frozenset[str]:
        """The fields that are filled by form or feed."""
        return frozenset(field.name for kind in self.pack.kinds for field in kind.fields if field.by in (By.FORM, By.FEED))

    def measured(self, since: Instant, until: Instant) -> Iterator[Rows]:
        """What was measured in city time [since, until), in pieces."""
        for piece in self._read(since, until):
            yield _joined(list(self._fields(piece)))

    def history(self, since: Instant, until: Instant) -> Iterator[Rows]:
        """What was measured, with everything that the pack derives from it."""
        for piece in self._read(since, until):
            yield _joined([*self._fields(piece), *self._derived(piece)])

    def forms(self, since: Instant, until: Instant) -> Mapping[str, Mapping[str, float]]:
        """What was stated on forms in city time [since, until), by entity: of several statements the last."""
        stated: dict[str, dict[str, float]] = {}
        for piece in self._read(since, until):
            for field in self.stated & piece.fields.keys():
                values = piece.fields[field]
                for row in np.flatnonzero(~np.isnan(values)).tolist():
                    stated.setdefault(self.entities[piece.entity[row]], {})[field] = float(values[row])
        return stated

    def _read(self, since: Instant, until: Instant) -> Iterator[Slice]:
        return self.replay.read(self.source, Instant(since - self.delta), Instant(until - self.delta))

    def _fields(self, piece: Slice) -> Iterator[Rows]:
        for field, values in piece.fields.items():
            numbers = np.array([self.streams.get(f"{entity}.{field}", -1) for entity in self.entities], np.int32)[piece.entity]
            kept = ~np.isnan(values) & (numbers >= 0)
            yield numbers[kept], piece.time[kept] + self.delta, values[kept]

    def _derived(self, piece: Slice) -> Iterator[Rows]:
        for derived in self.pack.derived:
            for index, entity in enumerate(self.entities):
                number = self.streams.get(f"{entity}.{derived.field}")
                if number is not None:
                    yield _computed(derived, piece, index, number, self.delta)


def player(pack: Pack, replay: Replay, source: Path, days: int, entities: Sequence[str], streams: Mapping[str, int]) -> Player:
    """The player of a pack whose source is shifted by so many days."""
    return Player(pack, replay, source, Duration(days * DAY), tuple(entities), streams)


def simulated(pack: Pack, simulator: Simulator, seed: int) -> Replay:
    """A simulator as a source without end: each local day is drawn anew from the seed and the day, the same at every start."""

    def read(_: Path, since: Instant, until: Instant) -> Iterator[Slice]:
        day = midnight(local_date(since))
        while day < until:
            for piece in simulator.day(np.random.default_rng((seed, day // DAY)), day):
                kept = (piece.time >= since) & (piece.time < until)
                if kept.any():
                    yield Slice(piece.entity[kept], piece.time[kept], {name: values[kept] for name, values in piece.fields.items()})
            day = Instant(day + DAY)

    origin = Text(
        f"“{pack.title.zh}”由程序按种子模拟生成，并非真实数据", f"{pack.title.en}: simulated from a seed, no real measurements"
    )
    return Replay(origin, Instant(0), Instant(_ENDLESS), simulator.entities, read, "PT1H")


def _computed(derived: Derived, piece: Slice, index: int, number: int, delta: int) -> Rows:
    """A derived field over one entity's rows; the first rows of a piece lack their lookback and are left out."""
    here = piece.entity == index
    times = piece.time[here] + delta
    values = derived.compute(times, {name: piece.fields[name][here] for name in derived.inputs})
    kept = ~np.isnan(values)
    if derived.lookback and len(times):
        kept &= times >= times[0] + duration(derived.lookback)
    return np.full(int(kept.sum()), number, np.int32), times[kept], values[kept]


def _joined(parts: Sequence[Rows]) -> Rows:
    if not parts:
        return np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0)
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )
