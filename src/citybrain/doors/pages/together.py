"""What the entities of a board read now, and what those of an area read together.

Measures are averaged, counts added up, and what is unknown is counted, not guessed. A page asks once for all entities of a board.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
import numpy as np

from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.instant import Instant
from citybrain.kernel.pack import Board
from citybrain.kernel.places import Area
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity, Field, Kind, Life

LIVE: Final = frozenset((Life.LIVE, Life.DRIFTING))
_SUBDISTRICT: Final = 9
"""Digits of a subdistrict's code, with which the codes of all within it begin."""
Reading: TypeAlias = tuple[float | None, Life, Instant | None]
"""A value if it is alive, its life, and its time."""
_NEVER: Final[Reading] = (None, Life.NEVER, None)


class Together(msgspec.Struct, frozen=True):
    """The headline value of some entities (None: nobody knows, because of ``life``), of when, and of how many it is not known."""

    value: float | None
    life: Life
    at: Instant | None
    unknown: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A board at one moment: its entities by id, those of each subdistrict, and the readings of their fields."""

    board: Board
    kind: Kind
    entities: tuple[Entity, ...]
    within: Mapping[str, tuple[Entity, ...]]
    readings: Mapping[str, Mapping[str, Reading]]

    def reading(self, entity: Entity) -> Reading:
        """What the headline field of an entity reads."""
        return self.readings[entity.id].get(self.board.field, _NEVER)

    def of_area(self, area: Area) -> tuple[Entity, ...]:
        """The entities within a subdistrict."""
        return self.within.get(area.code, ())

    def together(self, here: tuple[Entity, ...]) -> Together:
        """What at least one entity reads; with several, the oldest reading says how fresh they are."""
        seen = [self.reading(entity) for entity in here]
        known = [(value, life, at) for value, life, at in seen if value is not None and at is not None]
        if not known:
            _, life, at = min(seen, key=lambda one: one[1] is Life.CLOSED)
            return Together(None, life, at, len(here))
        value = _joined(self.kind.field(self.board.field), [one[0] for one in known])
        oldest = min(known, key=lambda one: one[2])
        return Together(value, oldest[1], oldest[2], len(here) - len(known))

    def detail(self, here: tuple[Entity, ...], unknown: int) -> Text | None:
        """What to say beside the headline value, if anything; of so many it is not known."""
        if self.board.detail is None or unknown == len(here):
            return None
        seen: dict[str, list[float]] = {}
        for entity in here:
            for name, (value, _, _) in self.readings[entity.id].items():
                if value is not None:
                    seen.setdefault(name, []).append(value)
        said = self.board.detail({name: _joined(self.kind.field(name), known) for name, known in seen.items()})
        if said is None or not unknown:
            return said
        return Text(f"{said.zh}，另有{unknown}处不明", f"{said.en}, {unknown} more unknown")


def look(parts: PageParts, board: Board) -> Seen:
    """A board as it is now."""
    entities = tuple(sorted(parts.registry.entities(board.kind), key=lambda entity: entity.id))
    streams = [stream for entity in entities for stream in parts.registry.streams_of(entity.id)]
    readings: dict[str, dict[str, Reading]] = {entity.id: {} for entity in entities}
    table = parts.latest.table(np.array([stream.no for stream in streams], np.int32)).select(["time", "value", "life"])
    for stream, row in zip(streams, table.to_pylist(), strict=True):
        life = Life(row["life"])
        readings[stream.entity][stream.field] = (row["value"] if life in LIVE else None), life, row["time"]
    within: dict[str, list[Entity]] = {}
    for entity in entities:
        if entity.area is not None:
            within.setdefault(entity.area[:_SUBDISTRICT], []).append(entity)
    return Seen(board, parts.registry.kind(board.kind), entities, {code: tuple(here) for code, here in within.items()}, readings)


def reading(parts: PageParts, entity: Entity, field: str) -> Reading:
    """What a field of one entity reads."""
    found = parts.latest.of(parts.registry.stream(f"{entity.id}.{field}").no)
    return _NEVER if found is None else ((found.value if found.life in LIVE else None), found.life, found.time)


def _joined(field: Field, values: list[float]) -> float:
    """Counts, whose UCUM unit is an annotation such as {space}, add up; everything else is averaged."""
    total = sum(values)
    return total if (field.unit or "").startswith("{") else total / len(values)
