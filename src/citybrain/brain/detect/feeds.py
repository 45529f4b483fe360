"""Feeds that are lost: the house's own alerts for sensors gone silent, stuck or contradicted, one an entity. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from citybrain.brain.detect.rulebook import Rulebook
from citybrain.kernel.alerts import Evidence
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.kernel.things import LIFE_WORDS, By, Life, Stream

RULE = "house.feed_lost"
VERSION = "1"
BASIS = Text("数据流约定的上报间隔", "The interval that the stream's contract states")
_LOST = (Life.LATE.value, Life.STUCK.value, Life.CONTRADICTED.value)


@dataclass(frozen=True, slots=True)
class Lost:
    """An entity with lost sensor feeds: the earliest of their last readings, why in words, and those readings."""

    entity: str
    began: Instant
    why: Text
    evidence: tuple[Evidence, ...]


def contradicted(streams: Sequence[Stream], latest: pa.Table) -> NDArray[np.int64]:
    """The numbers of the streams that their neighbours contradict, and of those computed from one that stands still.

    What stands still by its own contract is known row by row (see ``frames``).
    """
    unmoved = [one.no for one in streams if one.contract.stuck_after is None]
    no = latest["stream_no"].to_numpy().astype(np.int64)
    held = pc.equal(latest["life"], pa.scalar(Life.CONTRADICTED.value)).to_numpy()
    stuck = pc.equal(latest["life"], pa.scalar(Life.STUCK.value)).to_numpy()
    found: NDArray[np.int64] = no[held | (stuck & np.isin(no, unmoved))] if stuck.any() else no[held]
    return found


def lost(streams: Sequence[Stream], latest: pa.Table, rulebook: Rulebook, woke: Instant, now: Instant) -> Mapping[str, Lost]:
    """Entities with a sensor stream that is late, stuck or contradicted, by id.

    A house that was asleep does not blame the sensors: silence counts from ``woke``, when the program began to listen.
    """
    found: dict[str, list[tuple[Stream, Life, Instant, float]]] = {}
    by_number = {stream.no: stream for stream in streams}
    columns = (latest[name].to_pylist() for name in ("stream_no", "time", "value", "life"))
    for no, time, value, life in zip(*columns, strict=True):
        if life not in _LOST or not isinstance(time, int) or not isinstance(value, float):
            continue
        stream = by_number[int(no)]
        if _is_sensor(stream, rulebook) and not (life == Life.LATE.value and _asleep(stream, woke, now)):
            found.setdefault(stream.entity, []).append((stream, Life(life), Instant(time), value))
    return {entity: _lost(entity, each, rulebook) for entity, each in found.items()}


def _lost(entity: str, found: Sequence[tuple[Stream, Life, Instant, float]], rulebook: Rulebook) -> Lost:
    zh, en = [], []
    for stream, life, _, _ in found:
        kind = rulebook.kind(stream.kind)
        title = Text(stream.field, stream.field) if kind is None else kind.field(stream.field).title
        zh.append(f"{title.zh}{LIFE_WORDS[life].zh}")
        en.append(f"{title.en}: {LIFE_WORDS[life].en.lower()}")
    evidence = tuple(Evidence(stream.id, time, value, stream.unit) for stream, _, time, value in found)
    return Lost(entity, min(time for _, _, time, _ in found), Text("、".join(zh), ", ".join(en)), evidence)


def _is_sensor(stream: Stream, rulebook: Rulebook) -> bool:
    kind = rulebook.kind(stream.kind)
    if kind is None:
        # No pack declares it: somebody made it over a door, and what it promises is all that is known of it.
        return stream.ended is None
    return kind.has(stream.field) and kind.field(stream.field).by is By.SENSOR


def _asleep(stream: Stream, woke: Instant, now: Instant) -> bool:
    return stream.contract.silent_after is not None and now - woke <= stream.contract.silent_after
