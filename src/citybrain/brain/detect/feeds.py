"""Feeds that are lost: the house's own alerts for sensors gone silent, out of range, stuck or contradicted, one an entity. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from citybrain.brain.detect.rulebook import Rulebook
from citybrain.kernel.alerts import Evidence
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import LIFE_WORDS, By, Life, Stream

RULE = "house.feed_lost"
VERSION = "2"
BASIS = Text("数据流约定的上报间隔和量程", "The interval and the range that the stream's contract states")
_LOST = (Life.LATE.value, Life.STUCK.value, Life.CONTRADICTED.value)


@dataclass(frozen=True, slots=True)
class Lost:
    """An entity with lost sensor feeds: since when there was nothing of the first of them, why in words, and their last readings."""

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


@dataclass(frozen=True, slots=True)
class _Feed:
    """A sensor's stream that is lost, or may be: its newest reading, its life, and since when it is so."""

    stream: Stream
    life: Life
    time: Instant
    value: float
    since: Instant

    @property
    def why(self) -> Text:
        """Its life in words; what is out of range with its value and its range."""
        words, contract = LIFE_WORDS[self.life], self.stream.contract
        if self.life is not Life.OUT_OF_RANGE:
            return Text(words.zh, words.en.lower())
        low, high = (("…" if limit is None else f"{limit:g}") for limit in (contract.low, contract.high))
        return Text(
            f"{words.zh}（{self.value:g}，量程 {low} 至 {high}）", f"{words.en.lower()} ({self.value:g}, range {low} to {high})"
        )


def outside(streams: Sequence[Stream], latest: pa.Table, rulebook: Rulebook) -> tuple[tuple[Stream, Instant], ...]:
    """The sensor streams whose newest reading is out of range, with its time: whether they are lost is for what came before to say."""
    return tuple((feed.stream, feed.time) for feed in _feeds(streams, latest, rulebook, (Life.OUT_OF_RANGE.value,)))


def lost(
    streams: Sequence[Stream], latest: pa.Table, rulebook: Rulebook, woke: Instant, now: Instant, gone: Mapping[int, Instant]
) -> Mapping[str, Lost]:
    """Entities with a sensor stream that is late, stuck or contradicted, or ``gone`` out of range since an instant, by id.

    A house that was asleep does not blame the sensors: silence counts from ``woke``, when the program began to listen.
    """
    found: dict[str, list[_Feed]] = {}
    for feed in _feeds(streams, latest, rulebook, (*_LOST, Life.OUT_OF_RANGE.value)):
        if feed.life is Life.OUT_OF_RANGE and feed.stream.no in gone:
            found.setdefault(feed.stream.entity, []).append(replace(feed, since=gone[feed.stream.no]))
        elif feed.life is not Life.OUT_OF_RANGE and not (feed.life is Life.LATE and _asleep(feed.stream, woke, now)):
            found.setdefault(feed.stream.entity, []).append(feed)
    return {entity: _lost(entity, each, rulebook) for entity, each in found.items()}


def _feeds(streams: Sequence[Stream], latest: pa.Table, rulebook: Rulebook, lives: Sequence[str]) -> Iterator[_Feed]:
    rows = latest.filter(pc.is_in(latest["life"], pa.array(lives, pa.string())))
    columns = (rows[name].to_pylist() for name in ("stream_no", "time", "value", "life"))
    for no, time, value, life in zip(*columns, strict=True):
        stream = streams[int(no) - 1]
        if isinstance(time, int) and isinstance(value, float) and _is_sensor(stream, rulebook):
            yield _Feed(stream, Life(life), Instant(time), value, Instant(time))


def _lost(entity: str, found: Sequence[_Feed], rulebook: Rulebook) -> Lost:
    zh, en = [], []
    for feed in found:
        kind, why = rulebook.kind(feed.stream.kind), feed.why
        title = same(feed.stream.field) if kind is None else kind.field(feed.stream.field).title
        zh.append(f"{title.zh}{why.zh}")
        en.append(f"{title.en}: {why.en}")
    evidence = tuple(Evidence(feed.stream.id, feed.time, feed.value, feed.stream.unit) for feed in found)
    return Lost(entity, min(feed.since for feed in found), Text("、".join(zh), ", ".join(en)), evidence)


def _is_sensor(stream: Stream, rulebook: Rulebook) -> bool:
    kind = rulebook.kind(stream.kind)
    if kind is None:
        # No pack declares it: somebody made it over a door, and what it promises is all that is known of it.
        return stream.ended is None
    return kind.has(stream.field) and kind.field(stream.field).by is By.SENSOR


def _asleep(stream: Stream, woke: Instant, now: Instant) -> bool:
    return stream.contract.silent_after is not None and now - woke <= stream.contract.silent_after
