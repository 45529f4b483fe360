"""Quality of a dataset, from its declaration and rows handed in: complete, live, fresh; a score from 0 to 100 with reasons. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from citybrain.kernel.datasets import Dataset
from citybrain.kernel.instant import Duration, Instant, parse
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Life

Row: TypeAlias = Mapping[str, Json]


class Quality(msgspec.Struct, frozen=True):
    """Shares from 0 to 1, None where a question does not apply; ``score`` is the mean of those that do, times 100.

    ``score`` is None for a dataset without rows. ``reasons`` say what keeps it from 100.
    """

    rows: int
    complete: float | None
    live: float | None
    fresh: float | None
    score: float | None
    reasons: tuple[Text, ...]


class Asked(msgspec.Struct, frozen=True):
    """What a dataset must hold to: columns that must be filled, the column of its time, how old its newest row may be (µs)."""

    required: tuple[str, ...]
    time: str | None = None
    at_most: Duration | None = None
    life: str | None = None


def asked_of(dataset: Dataset, at_most: Duration | None = None) -> Asked:
    """What the declaration asks by itself: its key and its origin filled, its first instant not older than given, lives live."""
    names = {column.name for column in dataset.columns}
    instants = [column.name for column in dataset.columns if column.type == "instant"]
    required = tuple(name for name in dict.fromkeys((dataset.key, "time", "value", "title")) if name in names)
    return Asked(required, instants[0] if instants else None, at_most, "life" if "life" in names else None)


def assess(rows: Sequence[Row], asked: Asked, now: Instant) -> Quality:
    """The quality of rows at an instant; raises ValueError for a time that is not RFC 3339."""
    if not rows:
        return Quality(0, None, None, None, None, (Text("没有数据行", "there are no rows"),))
    complete, empty = _complete(rows, asked.required)
    live, dead = _live(rows, asked.life)
    fresh, old = _fresh(rows, asked, now)
    shares = [share for share in (complete, live, fresh) if share is not None]
    score = round(100 * sum(shares) / len(shares), 1) if shares else None
    return Quality(len(rows), complete, live, fresh, score, (*empty, *dead, *old))


def _complete(rows: Sequence[Row], required: Sequence[str]) -> tuple[float | None, tuple[Text, ...]]:
    if not required:
        return None, ()
    missing = {name: sum(1 for row in rows if _empty(row.get(name))) for name in required}
    reasons = tuple(
        Text(f"“{name}”有 {count} 行为空", f"'{name}' is empty in {count} rows") for name, count in missing.items() if count
    )
    return 1 - sum(missing.values()) / (len(rows) * len(required)), reasons


def _live(rows: Sequence[Row], column: str | None) -> tuple[float | None, tuple[Text, ...]]:
    lives = [] if column is None else [row.get(column) for row in rows if row.get(column) not in (None, Life.CLOSED.value)]
    if not lives:
        return None, ()
    dead = sum(1 for life in lives if life != Life.LIVE.value)
    reasons = (Text(f"{dead} 项数值不正常", f"{dead} values are not live"),) if dead else ()
    return 1 - dead / len(lives), reasons


def _fresh(rows: Sequence[Row], asked: Asked, now: Instant) -> tuple[float | None, tuple[Text, ...]]:
    """1 while the newest row is within its age; then falling as the allowed age over the real one."""
    if asked.time is None or asked.at_most is None:
        return None, ()
    times = [parse(cell) for row in rows if isinstance(cell := row.get(asked.time), str)]
    if not times:
        return 0.0, (Text("没有时间", "no row has a time"),)
    age = now - max(times)
    if age <= asked.at_most:
        return 1.0, ()
    minutes = age // 60_000_000
    return asked.at_most / age, (Text(f"最新一行已是 {minutes} 分钟前", f"the newest row is {minutes} minutes old"),)


def _empty(cell: Json) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
