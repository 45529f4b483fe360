"""What the Observations of a Datastream or MultiDatastream say of it (OGC 18-088 clause 8.2.4): the times they span, and where they are of.

It is worked out where it is asked for (an entity by itself, ``$select``, ``$filter``, ``$orderby``), of many at once; who may see only
some of the observations is told nothing of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

import msgspec
import numpy as np
import shapely

from citybrain.brain.observe import Featured, Having, Registry
from citybrain.doors.sensorthings import saying
from citybrain.doors.sensorthings.geometry import shape
from citybrain.doors.sensorthings.multi import MULTI, joint
from citybrain.doors.sensorthings.shape import Item
from citybrain.kernel.access import Order, Query
from citybrain.kernel.errors import ForbiddenError
from citybrain.kernel.instant import DAY, Instant, parse, rfc3339
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.ports import Reader, Series
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json
from citybrain.kernel.things import Stream

SPANNED: Final = frozenset({"observedArea", "phenomenonTime", "resultTime"})
SIDES: Final = frozenset({"Datastreams", MULTI})
"""Sets whose entities have them."""
_PAGE: Final = 1000
_TOGETHER: Final = 200
"""Streams that are asked of the store at once."""
_BEGIN, _END = Instant(0), Instant(2**62)
_Span: TypeAlias = tuple[int, int]


class _Held(NamedTuple):
    """How many observations a stream has, the first and the last (µs)."""

    rows: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Extents:
    """Works them out as one caller may see them; ``whole`` says whether a dataset is theirs without narrowing or masking."""

    reader: Reader
    registry: Registry
    series: Series
    featured: Featured
    having: Callable[[], Having]
    whole: Callable[[str], bool]

    def measured(self, items: Sequence[Item]) -> list[Item]:
        """Datastreams and MultiDatastreams with what their observations say of them; those of which there are none as they are."""
        if not self.whole("observation"):
            return list(items)
        sides = {item.id: self._streams(item) for item in items}
        held = self._held({stream.no: stream for streams in sides.values() for stream in streams})
        about = {key: self._about([(one, held[one.no]) for one in streams if one.no in held]) for key, streams in sides.items()}
        drawn = self._drawn({key for keys in about.values() for key in keys})
        found = []
        for item in items:
            places = [drawn[key] for key in about[item.id] if key in drawn]
            found.append(replace(item, body={**item.body, **_area(places), **self._times(sides[item.id], held)}))
        return found

    def _streams(self, item: Item) -> tuple[Stream, ...]:
        if item.set != MULTI:
            return (self.registry.stream(item.id),)
        found = joint(self.registry, item.id)
        return () if found is None else found.streams

    def _held(self, streams: Mapping[int, Stream]) -> dict[int, _Held]:
        numbers, held = sorted(streams), dict[int, _Held]()
        for begin in range(0, len(numbers), _TOGETHER):
            part = tuple(numbers[begin : begin + _TOGETHER])
            days = self.series.scan(SeriesQuery(part, _BEGIN, _END, DAY))
            newest = self.series.latest(None, part)
            last = dict(zip(newest["stream_no"].to_pylist(), newest["time"].to_pylist(), strict=True))
            counts: dict[int, int] = {}
            earliest: dict[int, list[int]] = {}
            for no, day, count in zip(*(days[name].to_pylist() for name in ("stream_no", "time", "count")), strict=True):
                if no not in counts:
                    earliest.setdefault(day, []).append(no)
                counts[no] = counts.get(no, 0) + count
            for day, mine in earliest.items():
                rows = self.series.scan(SeriesQuery(tuple(mine), Instant(day), Instant(day + DAY)))
                found, places = np.unique(rows["stream_no"].to_numpy(), return_index=True)
                # Rows of a stream come by time.
                firsts = zip(found.tolist(), rows["time"].to_numpy()[places].tolist(), strict=True)
                held |= {no: _Held(counts[no], first, last.get(no, first)) for no, first in firsts}
        return held

    def _times(self, streams: Sequence[Stream], held: Mapping[int, _Held]) -> dict[str, Json]:
        mine = [(stream, held[stream.no]) for stream in streams if stream.no in held]
        if not mine:
            return {}
        spans = [self._spans(stream, one) for stream, one in mine]
        times, results = (_joined([pair[place] for pair in spans]) for place in (0, 1))
        return {"phenomenonTime": _written(times), "resultTime": _written(results)}

    def _spans(self, stream: Stream, held: _Held) -> tuple[_Span, _Span]:
        """The times of a stream's observations, and of their results: of those alone that may be the first or the last of them."""
        plain = held.first, held.last
        if stream.no not in self.having().saying:
            return plain, plain
        lags = self.featured.lags((stream.no,))
        reach = max(lags.high - lags.low, lags.longest)
        ends = [*self._ends(stream.no, held.first, held.first + reach), *self._ends(stream.no, held.last - reach, held.last)]
        whole = max((end for end, _ in ends), default=held.last)
        return (held.first, whole), (min(late for _, late in ends), max(late for _, late in ends))

    def _ends(self, no: int, first: int, last: int) -> Iterator[_Span]:
        """When observations of a span end, and when their results are of."""
        about = self.featured.of((no,), first, last)
        for time in self.series.scan(SeriesQuery((no,), Instant(first), Instant(last + 1)))["time"].to_numpy().tolist():
            beside = about.get(f"{no}.{time}")
            words = {} if beside is None else beside.words()
            span, result = saying.interval(words.get(saying.PHENOMENON)), words.get(saying.RESULT)
            end = int(time) if span is None else int(span[1])
            yield end, end if result is None else int(parse(str(result)))

    def _about(self, mine: Sequence[tuple[Stream, _Held]]) -> list[str]:
        """The ids of what streams' observations are about: features, and the places of their things."""
        about: dict[str, None] = {}
        for stream, held in mine:
            features = self.featured.features(stream.no) if stream.no in self.having().featured else {}
            own = (stream.entity,) if sum(features.values()) < held.rows else ()
            about |= dict.fromkeys((*features, *own))
        return list(about)

    def _drawn(self, keys: set[str]) -> dict[str, Json]:
        """Where things and features are, those that the caller sees."""
        wanted, found = sorted(keys), dict[str, Json]()
        for begin in range(0, len(wanted), _PAGE):
            part = tuple(wanted[begin : begin + _PAGE])
            try:
                rows = self.reader.read(Query("entity", Compare("id", "in", part), Order("id"), len(part))).rows
            except ForbiddenError:
                return {}
            for row in rows:
                said = self.registry.made.things.get(str(row["id"]))
                drawn = None if said is None or said.located is None else said.located.get("location")
                point: Json = None if row["lon"] is None else {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
                if drawn is not None or point is not None:
                    found[str(row["id"])] = point if drawn is None else drawn
        return found


def _area(drawn: Sequence[Json]) -> dict[str, Json]:
    """Where what was observed is: as it was drawn where it is one, else the box around all of them."""
    if len(drawn) < 2:
        return {"observedArea": drawn[0]} if drawn else {}
    whole = shapely.GeometryCollection([found for one in drawn if (found := shape(one)) is not None])
    return {"observedArea": msgspec.json.decode(shapely.to_geojson(shapely.envelope(whole)))}


def _joined(spans: Sequence[_Span]) -> _Span:
    return min(first for first, _ in spans), max(last for _, last in spans)


def _written(span: _Span) -> str:
    return "/".join(rfc3339(Instant(time)) for time in span)
