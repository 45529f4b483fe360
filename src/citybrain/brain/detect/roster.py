"""The roster: which stream is which field of which entity under watch, as arrays by stream number."""

import operator
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.brain.detect.frames import New
from citybrain.brain.detect.kindwatch import KindWatch
from citybrain.brain.detect.rulebook import Rulebook
from citybrain.kernel.instant import DAY
from citybrain.kernel.things import Contract, Entity, Stream


class Things(Protocol):
    """What the watch needs to know of the register of things."""

    def streams(self) -> tuple[Stream, ...]:
        """All streams, by number from 1."""
        ...

    def entity(self, id: str) -> Entity:  # noqa: A002 - the word of the public face
        """An entity by id; raises NotFoundError."""
        ...

    def entities(self, kind: str) -> tuple[Entity, ...]:
        """The entities of a kind."""
        ...


class Roster:
    """The kinds under watch with their entities, following the register."""

    def __init__(self, rulebook: Rulebook, things: Things) -> None:
        self._rulebook = rulebook
        self._things = things
        self._seen: list[tuple[Stream, ...] | tuple[Entity, ...]] = []
        self._kinds = list(rulebook.by_kind)
        self._kind, self._entity, self._field = (np.full(1, -1, np.int64) for _ in range(3))
        self._late = np.full(1, DAY, np.int64)
        self.watches: dict[str, KindWatch] = {}
        self.meet()

    def meet(self) -> None:
        """Know streams and entities as they are now; the register hands out the same tuples until it changes."""
        streams = self._things.streams()
        seen: list[tuple[Stream, ...] | tuple[Entity, ...]] = [streams, *map(self._things.entities, self._kinds)]
        if len(seen) == len(self._seen) and all(map(operator.is_, seen, self._seen)):
            return
        self._seen = seen
        by_kind: dict[str, list[Stream]] = {name: [] for name in self._kinds}
        for stream in streams:
            if stream.kind in by_kind:
                by_kind[stream.kind].append(stream)
        self._kind, self._entity, self._field = (np.full(len(streams) + 1, -1, np.int64) for _ in range(3))
        self._late = np.full(len(streams) + 1, DAY, np.int64)
        for number, name in enumerate(self._kinds):
            watch = self.watches.get(name) or self._watch(name, by_kind[name])
            watch.promise(self._promised(name, by_kind[name]))
            self.watches[name] = watch
            watch.meet(self._things.entities(name), by_kind[name])
            self._number(number, watch, by_kind[name])

    def _watch(self, name: str, streams: list[Stream]) -> KindWatch:
        return KindWatch(self._rulebook.by_kind[name], self._rulebook, self._promised(name, streams))

    def _promised(self, name: str, streams: list[Stream]) -> list[Contract]:
        stated = {stream.field: stream.contract for stream in streams}
        return [stated.get(field.name, Contract()) for field in self._rulebook.by_kind[name].measured]

    def _number(self, number: int, watch: KindWatch, streams: list[Stream]) -> None:
        for stream in streams:
            if stream.field in watch.fields and stream.entity in watch.places:
                self._kind[stream.no], self._entity[stream.no] = number, watch.places[stream.entity]
                self._field[stream.no] = watch.fields[stream.field]
            if stream.contract.silent_after is not None:
                self._late[stream.no] = stream.contract.silent_after

    def strange(self, rows: pa.Table) -> bool:
        """Whether some observations are of streams that were not there when the roster last met them."""
        return bool(rows["stream_no"].to_numpy().max(initial=0) >= len(self._kind))

    def doubt(self, numbers: NDArray[np.int64]) -> None:
        """Take these streams, and no others, to be contradicted: rules know no value of them."""
        known = numbers[numbers < len(self._kind)]
        for number, name in enumerate(self._kinds):
            mine = known[self._kind[known] == number]
            self.watches[name].doubt(self._entity[mine], self._field[mine])

    def split(self, rows: pa.Table) -> list[tuple[str, New]]:
        """New observations by kind; those that came later than their stream may be silent are history and left out.

        What strikes out readings is left out too (see ``struck``).
        """
        no, time, value, came = (rows[name].to_numpy() for name in ("stream_no", "time", "value", "received"))
        known = no < len(self._kind)
        return self._by_kind(rows, known & np.isfinite(value) & (came - time <= self._late[np.where(known, no, 0)]))

    def struck(self, rows: pa.Table) -> list[tuple[str, New]]:
        """What strikes out readings, however old, by kind."""
        return self._by_kind(rows, (rows["stream_no"].to_numpy() < len(self._kind)) & ~np.isfinite(rows["value"].to_numpy()))

    def standing(self, rows: pa.Table) -> dict[str, New]:
        """Observations by kind, however old."""
        return dict(self._by_kind(rows, rows["stream_no"].to_numpy() < len(self._kind)))

    def _by_kind(self, rows: pa.Table, fresh: NDArray[np.bool_]) -> list[tuple[str, New]]:
        no, time, value, came = (rows[name].to_numpy() for name in ("stream_no", "time", "value", "received"))
        no, time, value, came = no[fresh], time[fresh], value[fresh], came[fresh]
        kind = self._kind[no]
        order: NDArray[np.int64] = np.argsort(kind, kind="stable")
        kind, no, time, value, came = kind[order], no[order], time[order], value[order], came[order]
        cuts = np.searchsorted(kind, np.arange(len(self._kinds) + 1))
        return [
            (name, New(self._entity[no[low:high]], self._field[no[low:high]], time[low:high], value[low:high], came[low:high]))
            for name, low, high in zip(self._kinds, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
            if high > low
        ]
