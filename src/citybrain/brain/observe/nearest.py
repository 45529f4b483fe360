"""The nearest things of a kind to a place, with how far it is to walk and what is free there now.

register → positions in arrays, made anew when the register changes → distances of all, the latest values of the few nearest.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from citybrain.brain.observe.latest import Latest, Reading
from citybrain.brain.observe.registry import Registry
from citybrain.kernel.instant import MINUTE, Duration
from citybrain.kernel.observations import Floats
from citybrain.kernel.pack import Nearby, Pack
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity, Life

_RADIUS = 6_371_008.8
"""Mean radius of the earth in m (IUGG); at a district's size the plane around a place is true to a metre."""
DETOUR = 1.3
"""Metres to walk for a metre as the crow flies."""
PACE = 1.2
"""Walking speed in m/s."""
WALK_BASIS = Text(
    "步行时间为估算：直线距离×1.3，每秒1.2米（本系统设定）",
    "Walking times are estimates: 1.3 × the straight distance at 1.2 m/s (set by the program)",
)
_MOST = 20


class Found(msgspec.Struct, frozen=True):
    """A thing with the metres to walk, how long that takes, and the newest count of what is free (None: never reported)."""

    entity: Entity
    metres: float
    walk: Duration
    reading: Reading | None

    @property
    def free(self) -> float | None:
        """What is free now; None where nobody can know: the source is silent, closed, or contradicts itself."""
        return self.reading.value if self.reading is not None and self.reading.life in (Life.LIVE, Life.DRIFTING) else None

    @property
    def life(self) -> Life:
        """The life of the count."""
        return Life.NEVER if self.reading is None else self.reading.life


class _Positions(msgspec.Struct, frozen=True):
    """Placed things of a kind, with longitude and latitude in radians (n,)."""

    version: int
    things: tuple[Entity, ...]
    lon: Floats
    lat: Floats


class Nearest:
    """Finds the nearest things of the kinds that packs declare as ``nearby``."""

    def __init__(self, packs: Sequence[Pack], registry: Registry, latest: Latest) -> None:
        self._declared = tuple(one for pack in packs for one in pack.nearby)
        self._registry = registry
        self._latest = latest
        self._positions: dict[str, _Positions] = {}

    def declared(self) -> tuple[Nearby, ...]:
        """What can be looked for."""
        return self._declared

    def around(self, one: Nearby, place: Place, most: int = _MOST) -> tuple[Found, ...]:
        """At most so many things, the nearest first; things at the same distance by id."""
        here = self._placed(one.kind)
        lon, lat = np.radians(place.lon), np.radians(place.lat)
        east, north = (here.lon - lon) * np.cos(lat), here.lat - lat
        metres = DETOUR * _RADIUS * np.hypot(east, north)
        count = min(most, _MOST, len(metres))
        if not count:
            return ()
        few = np.argpartition(metres, count - 1)[:count]
        # The register is in the order of ids, so a stable order by distance is one by id too.
        few = np.sort(few)
        few = few[np.argsort(metres[few], kind="stable")]
        return tuple(self._found(one, here.things[at], float(metres[at])) for at in few.tolist())

    def signs(self, one: Nearby) -> tuple[Found, ...]:
        """Every thing of the kind, by id, as signs along the road show it."""
        return tuple(self._found(one, thing, 0.0) for thing in self._registry.entities(one.kind))

    def _found(self, one: Nearby, entity: Entity, metres: float) -> Found:
        reading = self._latest.of(self._registry.stream_numbers()[f"{entity.id}.{one.free}"])
        minutes = int(np.ceil(metres / PACE / 60))
        return Found(entity, metres, Duration(minutes * MINUTE), reading)

    def _placed(self, kind: str) -> _Positions:
        known = self._positions.get(kind)
        if known is None or known.version != self._registry.version:
            known = _positions(self._registry.version, self._registry.entities(kind))
            self._positions[kind] = known
        return known


def _positions(version: int, entities: Sequence[Entity]) -> _Positions:
    placed = [(entity, entity.place) for entity in entities if entity.place is not None]
    points = np.radians(np.array([(place.lon, place.lat) for _, place in placed], np.float64).reshape(-1, 2))
    return _Positions(version, tuple(entity for entity, _ in placed), points[:, 0], points[:, 1])
