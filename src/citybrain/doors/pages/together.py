"""What the entities of an area read together: measures are averaged, counts added up, and what is unknown is counted, not guessed."""

from typing import Final

import msgspec
import numpy as np

from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.instant import Instant
from citybrain.kernel.pack import Board
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity, Field, Life

LIVE: Final = frozenset((Life.LIVE, Life.DRIFTING))


class Together(msgspec.Struct, frozen=True):
    """The headline value of some entities (None: nobody knows, because of ``life``), of when, and what to say beside it."""

    value: float | None
    life: Life
    at: Instant | None
    detail: Text | None


def reading(parts: PageParts, entity: Entity, field: str) -> tuple[float | None, Life, Instant | None]:
    """The latest value of a field if it is alive, its life, and its time."""
    found = parts.latest.of(parts.registry.stream(f"{entity.id}.{field}").no)
    if found is None:
        return None, Life.NEVER, None
    return (found.value if found.life in LIVE else None), found.life, found.time


def together(parts: PageParts, board: Board, here: tuple[Entity, ...]) -> Together:
    """What at least one entity reads; with several, the oldest reading says how fresh they are."""
    seen = [reading(parts, entity, board.field) for entity in here]
    known = [(value, life, at) for value, life, at in seen if value is not None and at is not None]
    if not known:
        _, life, at = min(seen, key=lambda one: one[1] is Life.CLOSED)
        return Together(None, life, at, None)
    kind = next(kind for pack in parts.packs for kind in pack.kinds if kind.name == board.kind)
    value = _joined(kind.field(board.field), [one[0] for one in known])
    oldest = min(known, key=lambda one: one[2])
    return Together(value, oldest[1], oldest[2], _detail(parts, board, kind.fields, here, len(here) - len(known)))


def _joined(field: Field, values: list[float]) -> float:
    """Counts, whose UCUM unit is an annotation such as {space}, add up; everything else is averaged."""
    total = sum(values)
    return total if (field.unit or "").startswith("{") else total / len(values)


def _detail(parts: PageParts, board: Board, fields: tuple[Field, ...], here: tuple[Entity, ...], unknown: int) -> Text | None:
    if board.detail is None:
        return None
    streams = {
        parts.registry.stream(f"{entity.id}.{field.name}").no: field for entity in here for field in fields if field.measured
    }
    seen: dict[str, tuple[Field, list[float]]] = {}
    for row in parts.latest.table(np.array(list(streams), np.int32)).select(["stream_no", "value", "life"]).to_pylist():
        if row["life"] in LIVE:
            field = streams[row["stream_no"]]
            seen.setdefault(field.name, (field, []))[1].append(row["value"])
    said = board.detail({name: _joined(field, known) for name, (field, known) in seen.items()})
    if said is None or not unknown:
        return said
    return Text(f"{said.zh}，另有{unknown}处不明", f"{said.en}, {unknown} more unknown")
