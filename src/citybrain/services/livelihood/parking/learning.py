"""How the forecast is learnt: week after week, each judged by a fit to the weeks before it, so no error is of a learnt hour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from citybrain.sdk import Reliability, Skill
from citybrain.services.livelihood.parking import slots
from citybrain.services.livelihood.parking.rules import FULL_ABOVE
from citybrain.services.livelihood.parking.slots import FEATURES, HORIZONS, Floats, Seen

LEAST_WEEKS = 4
"""Two weeks for the baseline and its trend, one to learn from, one to judge."""
JUDGED = 4
"""At most so many of the last weeks are judged."""
PENALTY = 3.0
"""Ridge: worth so many rows of one unit each, for every weight but the constant."""
SHARES = (0.1, 0.5, 0.9)
_LEVELS = np.array([60.0, 80.0, 90.0, 95.0])
"""Errors are kept apart by how full a lot is forecast to be: near the limit they decide the chance."""
_FEWEST = 200
_SAID = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors (truth less forecast) of unseen hours, sorted, one array for each part of the scale."""

    parts: tuple[Floats, ...]

    def edges(self, level: Floats) -> Floats:
        """What to add to forecasts (n,) for SHARES (n, 3)."""
        return np.stack([np.quantile(part, SHARES) for part in self.parts])[_part(level)]

    def chance(self, level: Floats) -> Floats:
        """How likely each forecast (n,) ends at or below FULL_ABOVE, never quite 0 or 1: the errors are only so many."""
        found, which = np.empty(len(level)), _part(level)
        for number, errors in enumerate(self.parts):
            here = which == number
            found[here] = (np.searchsorted(errors, FULL_ABOVE - level[here], "right") + 0.5) / (len(errors) + 1.0)
        return found


@dataclass(frozen=True, slots=True)
class Ahead:
    """One horizon: weights (FEATURES,), errors on unseen weeks of what serves, and the skill."""

    weights: Floats
    errors: Errors
    skill: Skill


@dataclass(frozen=True, slots=True)
class _Trial:
    """Hours of judged weeks (n,): what the fit and the baseline said, what came, and which week it was."""

    model: Floats
    base: Floats
    truth: Floats
    week: NDArray[np.int64]


def learn(record: Seen) -> tuple[tuple[Ahead, ...], tuple[Reliability, ...]]:
    """Learn every horizon from a record; raises ValueError where it holds too little."""
    whole = len(record.hours) // slots.WEEK
    if whole < LEAST_WEEKS:
        raise ValueError(f"{whole} whole weeks are too few to learn a forecast from: {LEAST_WEEKS} are needed.")
    judged = [_horizon(record, horizon) for horizon in range(1, HORIZONS + 1)]
    said = np.concatenate([chances for _, chances, _ in judged])
    came = np.concatenate([room for _, _, room in judged])
    return tuple(part for part, _, _ in judged), reliability(said, came)


def reliability(said: Floats, came: NDArray[np.bool_]) -> tuple[Reliability, ...]:
    """Chances (n,) that were said beside how often it came, by steps of what was said; steps without cases are left out."""
    place = np.clip(np.searchsorted(_SAID, said, "right") - 1, 0, len(_SAID) - 2)
    return tuple(
        Reliability(_SAID[step], _SAID[step + 1], float(said[here].mean()), float(came[here].mean()), int(here.sum()))
        for step in range(len(_SAID) - 1)
        if (here := place == step).any()
    )


def _horizon(record: Seen, horizon: int) -> tuple[Ahead, Floats, NDArray[np.bool_]]:
    """A horizon learnt, and the chances (n,) that errors of earlier judged weeks gave to later ones, with what came."""
    seen, base = slots.features(record, horizon), slots.last_week(record)
    usable = ~np.isnan(record.values) & ~np.isnan(base)
    week = (len(record.hours) - 1 - np.arange(len(record.hours))) // slots.WEEK
    trial = _trial(record, seen, base, usable, week)
    error, plain = _error(trial.model, trial.truth), _error(trial.base, trial.truth)
    level = trial.model if error < plain else trial.base
    late = trial.week < (trial.week.max() + 1) // 2
    earlier = _errors(level[~late], trial.truth[~late])
    edges = level[late, None] + earlier.edges(level[late])
    inside = float(np.mean((edges[:, 0] <= trial.truth[late]) & (trial.truth[late] <= edges[:, 2])))
    skill = Skill(horizon, error, plain, inside, "model" if error < plain else "baseline", len(trial.truth))
    weights = _solve(seen[usable], (record.values - base)[usable])
    return Ahead(weights, _errors(level, trial.truth), skill), earlier.chance(level[late]), trial.truth[late] <= FULL_ABOVE


def _trial(record: Seen, seen: Floats, base: Floats, usable: NDArray[np.bool_], week: NDArray[np.int64]) -> _Trial:
    """The last weeks, each said by a fit to the weeks before it."""
    said, parts = np.full_like(base, np.nan), []
    weeks = min(JUDGED, len(record.hours) // slots.WEEK - LEAST_WEEKS + 2)
    for number in range(weeks):
        learnt, rows = usable & (week > number)[:, None], usable & (week == number)[:, None]
        weights = _solve(seen[learnt], (record.values - base)[learnt])
        said[rows] = np.clip(base[rows] + seen[rows] @ weights, 0.0, 100.0)
        parts.append(np.stack([said[rows], base[rows], record.values[rows], np.full(rows.sum(), float(number))]))
    model, plain, truth, which = np.concatenate(parts, axis=1)
    return _Trial(model, plain, truth, which.astype(np.int64))


def _solve(rows: Floats, change: Floats) -> Floats:
    """Weights (FEATURES,) that say how much an hour differs from its baseline."""
    penalty = np.full(FEATURES, PENALTY)
    penalty[-1] = 1e-9
    return np.asarray(np.linalg.solve(rows.T @ rows + np.diag(penalty), rows.T @ change))


def _errors(level: Floats, truth: Floats) -> Errors:
    every, part = np.sort(truth - level), _part(level)
    held = [np.sort((truth - level)[part == number]) for number in range(len(_LEVELS) + 1)]
    return Errors(tuple(one if len(one) >= _FEWEST else every for one in held))


def _part(level: Floats) -> NDArray[np.int64]:
    return np.asarray(np.searchsorted(_LEVELS, level, "right"), np.int64)


def _error(said: Floats, came: Floats) -> float:
    return float(np.mean(np.abs(said - came)))
