"""The next 24 hours of one pollutant at each station, from its own past hours and the weather known at the hour of issue.

record → features → ridge (direct, all horizons) → bands from errors on unlearnt weeks → a forecast, or a reason for none.
Where the ridge does not beat persistence on unlearnt weeks, persistence serves at that horizon and says so.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from citybrain.sdk import HOUR, ForecastPoint, History, Instant, Reliability, Skill, Text, local
from citybrain.services.livelihood.air import features, learning
from citybrain.services.livelihood.air.bands import Bands
from citybrain.services.livelihood.air.features import Record
from citybrain.services.livelihood.air.ridge import HORIZONS, Basis
from citybrain.services.livelihood.air.scale import Flags, Floats, Whole


@dataclass(frozen=True, slots=True)
class Forecast:
    """Issued at the last known hour: times (24,) in µs, the middle, low and high edge (24,) in the field's unit.

    ``mean`` is the middle of what may come (as much above as below); four fifths of the truth should lie between low and high.
    ``by_model`` (24,) is false where persistence serves.
    """

    station: str
    issued: Instant
    times: Whole
    mean: Floats
    low: Floats
    high: Floats
    by_model: Flags


@dataclass(frozen=True, slots=True)
class Silence:
    """Why a station has no forecast."""

    station: str
    issued: Instant
    reason: Text


@dataclass(frozen=True, slots=True)
class Model:
    """A fit: learnt from hours before ``until``, the same for every station, so it also serves stations it has not seen."""

    field: str
    until: Instant
    version: str
    basis: Basis
    weights: Floats
    bands: tuple[Bands, ...]
    by_model: Flags
    skills: tuple[Skill, ...]

    def predict(self, history: History, entity: int, at: Instant) -> tuple[ForecastPoint, ...]:
        """The next 24 hours of one station; empty where there is a reason for none (``forecast.predict`` says which)."""
        found = predict(self, history, entity, at)
        if isinstance(found, Silence):
            return ()
        rows = zip(found.times.tolist(), found.mean.tolist(), found.low.tolist(), found.high.tolist(), strict=True)
        return tuple(ForecastPoint(Instant(time), mean, low, high) for time, mean, low, high in rows)

    def skill(self) -> tuple[Skill, ...]:
        """Errors per horizon on weeks left out of the fit, against persistence on the same hours."""
        return self.skills

    def reliability(self) -> tuple[Reliability, ...]:
        """Nothing: it says bands, not chances."""
        return ()


def fit(history: History, until: Instant, field: str = "pm25") -> Model:
    """Learn from the hours before ``until``; hours from then on are not looked at.

    ``history`` holds the field and the weather fields of ``stations.WEATHER``, as far as they are measured.
    Raises ValueError with fewer than ``learning.LEAST_ROWS`` usable hours.
    """
    known = features.record(history, field, Instant(int(history.times[0])), Instant(until - HOUR))
    learnt = learning.learn(known)
    version = f"ridge-{field}-{local(until):%Y%m%d}-{zlib.crc32(learnt.weights.round(6).tobytes()):08x}"
    return Model(field, until, version, learnt.basis, learnt.weights, learnt.bands, learnt.by_model, learnt.skills)


def predict(model: Model, history: History, entity: int, at: Instant) -> Forecast | Silence:
    """Forecast one station (column of the history) from the hours up to and including ``at``; later hours are not looked at."""
    station = history.entities[entity]
    issued = Instant(at // HOUR * HOUR)
    known = features.record(history, model.field, Instant(issued - features.WINDOW * HOUR), issued)
    triple = spread(model, known, entity)[-1]
    if np.isnan(triple).any():
        return Silence(station, issued, _why(known.level[:, entity]))
    times = issued + np.arange(1, HORIZONS + 1, dtype=np.int64) * HOUR
    return Forecast(station, issued, times, triple[:, 1], triple[:, 0], triple[:, 2], model.by_model)


def spread(model: Model, known: Record, entity: int) -> Floats:
    """Low, middle and high (t, 24, 3) issued at every hour of a record; NaN where the station has been silent too long."""
    seen = features.features(known, entity)
    own = seen[:, 0]
    level = own[:, None] + np.where(model.by_model, model.basis.expand(seen) @ model.weights, 0.0)
    heard = ~np.isnan(own)
    triple = np.full((len(own), HORIZONS, 3), np.nan)
    for ahead, bands in enumerate(model.bands):
        triple[heard, ahead] = bands.around(level[heard, ahead])
    return triple


def _why(level: Floats) -> Text:
    heard = np.flatnonzero(~np.isnan(level))
    if not len(heard):
        days = features.WINDOW // 24
        return Text(f"该站近{days}天没有数据，不作预报", f"The station has sent nothing for {days} days: no forecast is made")
    silent = len(level) - 1 - int(heard[-1])
    return Text(
        f"该站已{silent}小时没有数据（最多容许{features.CARRY}小时），不作预报",
        f"The station has been silent for {silent} hours (at most {features.CARRY} are bridged): no forecast is made",
    )
