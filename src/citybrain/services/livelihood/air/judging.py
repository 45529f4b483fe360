"""How good a forecast was on a stretch of time, beside persistence and the seasonal mean on the same hours."""

from dataclasses import dataclass

import numpy as np

from citybrain.sdk import HOUR, History, Instant
from citybrain.services.livelihood.air import features
from citybrain.services.livelihood.air.forecast import Model, spread
from citybrain.services.livelihood.air.learning import ahead_of
from citybrain.services.livelihood.air.ridge import HORIZONS
from citybrain.services.livelihood.air.scale import Flags, Floats, Whole


@dataclass(frozen=True, slots=True)
class Report:
    """Per horizon of 1 to 24 hours (24,): mean absolute errors, share of truth inside the band, mean band width, cases.

    Errors and widths in the field's unit. ``by_model`` is false where persistence serves.
    """

    error: Floats
    persistence: Floats
    seasonal: Floats
    coverage: Floats
    width: Floats
    cases: Whole
    by_model: Flags


def judge(model: Model, history: History, since: Instant, until: Instant) -> Report:
    """Judge forecasts of every hour in [since, until), each made only from hours before it; all stations together.

    Raises ValueError when the model has learnt from the time it is to be judged on.
    """
    if since < model.until:
        raise ValueError("The model has learnt from this time. Judge it on hours after its 'until'.")
    known = features.record(history, model.field, Instant(since - (HORIZONS + features.WINDOW) * HOUR), Instant(until - HOUR))
    usual = seasonal_mean(history, model.field, model.until)
    total, count = np.zeros((HORIZONS, 5)), np.zeros(HORIZONS, dtype=np.int64)
    for station in range(len(history.entities)):
        rows = _station(model, known, usual, station, since // HOUR)
        total += np.nansum(rows, axis=0)
        count += (~np.isnan(rows[..., 0])).sum(axis=0)
    error, persistence, seasonal, coverage, width = (total / np.maximum(count, 1)[:, None]).T
    return Report(error, persistence, seasonal, coverage, width, count, model.by_model)


def persistence_error(history: History, field: str, horizon: int, since: Instant, until: Instant) -> float:
    """Mean absolute error of 'as it was ``horizon`` hours ago' over [since, until), on all pairs of measured hours."""
    values = features.record(history, field, Instant(since - horizon * HOUR), Instant(until - HOUR)).level ** 3
    return float(np.nanmean(np.abs(values[horizon:] - values[:-horizon])))


def seasonal_mean(history: History, field: str, until: Instant) -> Floats:
    """Mean of each twelfth of the year and hour of the day before ``until`` (12, 24, stations); NaN where nothing was measured."""
    known = features.record(history, field, Instant(int(history.times[0])), Instant(until - HOUR))
    values = known.level**3
    place = _season(known.hours)
    total = np.zeros((12 * 24, values.shape[1]))
    count = np.zeros_like(total)
    np.add.at(total, place, np.nan_to_num(values))
    np.add.at(count, place, ~np.isnan(values))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(12, 24, -1)


def _season(hours: Whole) -> Whole:
    months = ((hours + 8).astype("datetime64[h]").astype("datetime64[M]").astype(np.int64)) % 12
    return np.asarray(months * 24 + (hours + 8) % 24, dtype=np.int64)


def _station(model: Model, known: features.Record, usual: Floats, station: int, first: int) -> Floats:
    """Rows (t, 24, 5): absolute errors of forecast, persistence, season; inside the band; band width. NaN where not judged."""
    triple = spread(model, known, station)
    came = ahead_of(known.level[:, station] ** 3)
    last = features.carried(known.level)[:, station] ** 3
    expected = ahead_of(usual.reshape(-1, usual.shape[-1])[_season(known.hours), station])
    inside = (triple[..., 0] <= came) & (came <= triple[..., 2])
    rows = np.stack(
        [
            np.abs(triple[..., 1] - came),
            np.abs(last[:, None] - came),
            np.abs(expected - came),
            inside,
            triple[..., 2] - triple[..., 0],
        ],
        axis=-1,
    )
    hours = known.hours[:, None] + np.arange(1, HORIZONS + 1)
    rows[(hours < first) | np.isnan(rows).any(axis=-1)] = np.nan
    return rows
