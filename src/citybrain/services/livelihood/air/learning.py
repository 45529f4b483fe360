"""How a forecast is learnt: ridge from all weeks, errors from fits that had not seen the week they are judged on.

Time is cut into blocks of 14 days dealt to five folds; each fold is forecast by a fit to the other four. The first and last day
of a block are left out of the errors, so that no judged hour overlaps a learnt one.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from citybrain.sdk import Skill
from citybrain.services.livelihood.air import bands, features, ridge
from citybrain.services.livelihood.air.bands import Bands
from citybrain.services.livelihood.air.features import Record
from citybrain.services.livelihood.air.ridge import HORIZONS, Basis, Sums
from citybrain.services.livelihood.air.scale import Flags, Floats, Whole

Blocks: TypeAlias = list[NDArray[np.float32]]
"""Features (t, k) of each station, held short to spare memory."""

FOLDS = 5
BLOCK = 14 * 24
LEAST_ROWS = 1_500
"""Usable hours over all stations below which nothing is learnt."""
_EDGE = HORIZONS
_EVERY = 3


@dataclass(frozen=True, slots=True)
class Learnt:
    """Basis, weights (p, 24), bands and skill per horizon, and where the ridge beats persistence (24,)."""

    basis: Basis
    weights: Floats
    bands: tuple[Bands, ...]
    by_model: Flags
    skills: tuple[Skill, ...]


@dataclass(frozen=True, slots=True)
class _Trial:
    """Hours judged by fits that had not seen them, in cube roots: last known (n,), forecast and truth (n, 24), fold (n,)."""

    own: Floats
    level: Floats
    truth: Floats
    fold: Whole


def learn(record: Record) -> Learnt:
    """Learn from a record; raises ValueError where it holds too little."""
    seen = [features.features(record, station).astype(np.float32) for station in range(record.level.shape[1])]
    basis = ridge.basis(block.astype(np.float64) for block in seen)
    fold = record.hours // BLOCK % FOLDS
    sums = _sums(record, seen, basis, fold)
    whole = ridge.merge(sums)
    if whole.rows < LEAST_ROWS or any(part.rows == 0 for part in sums):
        raise ValueError(
            f"{whole.rows} usable hours are too few to learn a forecast from: {LEAST_ROWS} over at least {BLOCK * FOLDS // 24} days are needed."
        )
    apart = [ridge.solve(ridge.merge(sums[:out] + sums[out + 1 :])) for out in range(FOLDS)]
    trial = _trial(record, seen, basis, fold, apart)
    judged = [_horizon(trial, ahead) for ahead in range(HORIZONS)]
    by_model = np.array([skill.serves == "model" for _, skill in judged])
    return Learnt(basis, ridge.solve(whole), tuple(band for band, _ in judged), by_model, tuple(skill for _, skill in judged))


def ahead_of(level: Floats) -> Floats:
    """What came 1 to 24 hours after each hour: values (t,) to (t, 24), NaN past the end."""
    padded = np.concatenate([level[1:], np.full(HORIZONS, np.nan)])
    return np.lib.stride_tricks.sliding_window_view(padded, HORIZONS)[: len(level)]


def _sums(record: Record, seen: Blocks, basis: Basis, fold: Whole) -> list[Sums]:
    width = len(basis.centre) + 1 + len(basis.offsets)
    sums = [ridge.nothing(width) for _ in range(FOLDS)]
    for station, block in enumerate(seen):
        change = ahead_of(record.level[:, station]) - block[:, :1]
        usable = ~np.isnan(change).any(axis=1)
        for number in range(FOLDS):
            rows = usable & (fold == number)
            sums[number] = ridge.add(sums[number], basis.expand(block[rows].astype(np.float64)), change[rows])
    return sums


def _trial(record: Record, seen: Blocks, basis: Basis, fold: Whole, apart: list[Floats]) -> _Trial:
    place = record.hours % BLOCK
    inner = (place >= _EDGE) & (place < BLOCK - _EDGE) & (record.hours % _EVERY == 0)
    parts = []
    for station, block in enumerate(seen):
        truth = ahead_of(record.level[:, station])
        for number in range(FOLDS):
            rows = inner & (fold == number) & ~np.isnan(block[:, 0])
            held = block[rows].astype(np.float64)
            level = held[:, :1] + basis.expand(held) @ apart[number]
            parts.append(_Trial(held[:, 0], level, truth[rows], fold[rows]))
    return _Trial(
        own=np.concatenate([part.own for part in parts]),
        level=np.concatenate([part.level for part in parts]),
        truth=np.concatenate([part.truth for part in parts]),
        fold=np.concatenate([part.fold for part in parts]),
    )


def _horizon(trial: _Trial, ahead: int) -> tuple[Bands, Skill]:
    known = ~np.isnan(trial.truth[:, ahead])
    own, level, truth = trial.own[known], trial.level[known, ahead], trial.truth[known, ahead]
    came = truth**3
    fitted = bands.calibrate(level, truth)
    error, baseline = _error(fitted.around(level)[:, 1], came), _error(own**3, came)
    serves = level if error < baseline else own
    held = trial.fold[known] % 2 == 0
    edges = bands.calibrate(serves[held], truth[held]).around(serves[~held])
    coverage = float(np.mean((edges[:, 0] <= came[~held]) & (came[~held] <= edges[:, 2])))
    calibrated = fitted if error < baseline else bands.calibrate(own, truth)
    skill = Skill(ahead + 1, error, baseline, coverage, "model" if error < baseline else "baseline", len(came))
    return calibrated, skill


def _error(forecast: Floats, came: Floats) -> float:
    return float(np.mean(np.abs(forecast - came)))
