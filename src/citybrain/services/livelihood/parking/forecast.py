"""How full each lot will be in the next 24 hours, and how likely a driver finds a berth: same slot last week, corrected by this week.

history → slots → ridge per horizon → errors on weeks that were not used for fitting → bands, chances and their reliability.
Where the correction does not beat *same slot last week* on unseen weeks, that serves and the skill says so.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from citybrain.sdk import HOUR, ForecastPoint, History, Instant, Reliability, Skill, local
from citybrain.services.livelihood.parking import learning, slots
from citybrain.services.livelihood.parking.learning import Ahead
from citybrain.services.livelihood.parking.lots import HOURS
from citybrain.services.livelihood.parking.slots import HORIZONS, Floats

_OPENS, _CLOSES = (int(clock[:2]) for clock in HOURS)


@dataclass(frozen=True, slots=True)
class Model:
    """A fit, learnt from hours before ``until``; one for every lot, with weights, errors and chances of each horizon."""

    field: str
    until: Instant
    version: str
    ahead: tuple[Ahead, ...]
    reliabilities: tuple[Reliability, ...]

    def predict(self, history: History, entity: int, at: Instant) -> tuple[ForecastPoint, ...]:
        """The open hours of the next 24, from hours before ``at``; without the hours for which no week before is known."""
        one = History(history.times, history.entities[entity : entity + 1], {self.field: history.fields[self.field][:, [entity]]})
        known = slots.before(slots.seen(one, self.field), at)
        gap = int(at // HOUR - known.hours[-1]) - 1 if len(known.hours) else 0
        if not len(known.hours) or gap > slots.WEEK:
            return ()
        empty = np.full((gap + HORIZONS, 1), np.nan)
        hours = np.arange(known.hours[0], at // HOUR + HORIZONS, dtype=np.int64)
        record = slots.Seen(hours, np.concatenate([known.values, empty]))
        points = [_point(part, record, len(hours) - HORIZONS + step) for step, part in enumerate(self.ahead)]
        return tuple(point for point in points if point is not None)

    def skill(self) -> tuple[Skill, ...]:
        """Errors per horizon on weeks that came after those of the fit, against the same slot last week."""
        return tuple(part.skill for part in self.ahead)

    def reliability(self) -> tuple[Reliability, ...]:
        """How often there was room when a chance was said, on weeks that came after those of the fit."""
        return self.reliabilities


def fit(history: History, until: Instant, field: str = "occupancy") -> Model:
    """Learn from the hours before ``until``; raises ValueError with less than ``learning.LEAST_WEEKS`` weeks of readings."""
    record = slots.before(slots.seen(history, field), until)
    ahead, reliabilities = learning.learn(record)
    weights = np.concatenate([part.weights for part in ahead])
    version = f"slots-{field}-{local(until):%Y%m%d}-{zlib.crc32(weights.round(6).tobytes()):08x}"
    return Model(field, until, version, ahead, reliabilities)


def middle(part: Ahead, record: slots.Seen) -> Floats:
    """What is forecast of each hour (t, e) at a horizon, in % of the capacity; NaN where no week before is known."""
    base = slots.last_week(record)
    if part.skill.serves == "baseline":
        return base
    return np.clip(base + slots.features(record, part.skill.horizon) @ part.weights, 0.0, 100.0)


def _point(part: Ahead, record: slots.Seen, row: int) -> ForecastPoint | None:
    time = Instant(int(record.hours[row]) * HOUR)
    if not _OPENS <= local(time).hour <= _CLOSES:
        return None
    # An hour's features rest on the weeks before it: two weeks and a day are enough to look at.
    first = max(0, row - 2 * slots.WEEK - 2 * slots.DAY)
    level = middle(part, slots.Seen(record.hours[first : row + 1], record.values[first : row + 1]))[-1]
    if np.isnan(level[0]):
        return None
    low, _, high = np.clip(level[0] + part.errors.edges(level)[0], 0.0, 100.0)
    return ForecastPoint(time, float(level[0]), float(low), float(high), chance=float(part.errors.chance(level)[0]))
