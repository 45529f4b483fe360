"""Trying a rule on history: at which instants it would have held, for which thing; nothing is changed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from citybrain.app.city import City
from citybrain.brain import observe
from citybrain.brain.detect import Rulebook
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity


@dataclass(frozen=True, slots=True)
class Spell:
    """A spell in which a rule's condition held: the thing, from and until when, and at how many instants in between."""

    entity: str
    since: Instant
    until: Instant
    instants: int


def spells(city: City, name: str, days: int) -> tuple[Spell, ...]:
    """The spells of a rule over the last days of history, judged on readings of the same instant; raises NotFoundError."""
    book = Rulebook(city.packs, city.clock)
    rule = next((one for one in book.rules() if name in (one.key, one.rule.name)), None)
    if rule is None:
        listed = ", ".join(one.key for one in book.rules())
        raise NotFoundError(
            Text(f"没有规则“{name}”。现有：{listed}。", f"There is no rule '{name}'. There are: {listed}."), rule=name
        )
    now = city.clock.city()
    constants = {key: np.array([value]) for key, value in book.parameters(rule.pack).items()}
    found: list[Spell] = []
    for entity in city.registry.entities(rule.rule.on):
        times, columns = _columns(city, entity, rule.uses, Instant(now - days * DAY), now)
        if len(times):
            frame = columns | {key: np.broadcast_to(value, times.shape) for key, value in constants.items()}
            found += _spells(entity, times, rule.when.true(frame), _patience(city, entity, rule.uses))
    return tuple(sorted(found, key=lambda spell: spell.since))


def _columns(
    city: City, entity: Entity, fields: tuple[str, ...], since: Instant, until: Instant
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    seen = {field: observe.history(city.stores.series, city.registry, entity.id, field, since, until) for field in fields}
    times = np.unique(np.concatenate([table["time"].to_numpy() for table in seen.values()]))
    columns = {}
    for field, table in seen.items():
        column = np.full(len(times), np.nan)
        column[np.searchsorted(times, table["time"].to_numpy())] = table["value"].to_numpy()
        columns[field] = column
    return times, columns


def _patience(city: City, entity: Entity, fields: tuple[str, ...]) -> int:
    """Microseconds of silence after which a reading no longer stands for the next: the shortest of the fields' contracts."""
    spans = [city.registry.stream(f"{entity.id}.{field}").contract.silent_after for field in fields]
    return min((span for span in spans if span is not None), default=np.iinfo(np.int64).max)


def _spells(entity: Entity, times: np.ndarray, holds: np.ndarray, patience: int) -> Iterator[Spell]:
    silent = np.r_[True, np.diff(times) > patience]
    number = np.cumsum(silent | np.r_[True, holds[1:] != holds[:-1]])
    for one in np.unique(number[holds]).tolist():
        rows = np.flatnonzero(number == one)
        yield Spell(entity.id, Instant(int(times[rows[0]])), Instant(int(times[rows[-1]])), len(rows))
