"""Ridge regression of 24 hours at once on standardised features and fixed random hinges, solved from sums of products."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from citybrain.services.livelihood.air.scale import Floats

HORIZONS = 24
HINGES = 128
PENALTY = 0.01
"""Share of the rows; with HINGES chosen on 2014-09 to 2015-02 after learning from the months before."""
SEED = 20150301
_FAR = 6.0


@dataclass(frozen=True, slots=True)
class Basis:
    """Standardises features (n, k) and bends them: centre (k,), spread (k,), hinges (k, h) with offsets (h,)."""

    centre: Floats
    spread: Floats
    slopes: Floats
    offsets: Floats

    def expand(self, features: Floats) -> Floats:
        """Features (n, k) to (n, k + 1 + h); a missing feature counts as its mean, an extreme one as six spreads."""
        plain = np.clip(np.nan_to_num((features - self.centre) / self.spread), -_FAR, _FAR)
        return np.concatenate([plain, np.ones((len(plain), 1)), np.maximum(plain @ self.slopes + self.offsets, 0.0)], axis=1)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of products over rows: features by features (p, p), features by targets (p, HORIZONS), number of rows."""

    gram: Floats
    cross: Floats
    rows: int


def basis(blocks: Iterable[Floats]) -> Basis:
    """The basis of feature blocks (n, k): means and spreads over what is known, hinges drawn from a fixed seed."""
    count, total, square = 0.0, 0.0, 0.0
    for block in blocks:
        known = np.where(np.isnan(block), 0.0, block)
        count, total, square = count + (~np.isnan(block)).sum(axis=0), total + known.sum(axis=0), square + (known**2).sum(axis=0)
    centre = np.asarray(total / np.maximum(count, 1.0))
    spread = np.sqrt(np.maximum(square / np.maximum(count, 1.0) - centre**2, 0.0))
    spread[spread < 1e-6] = 1.0
    generator = np.random.default_rng(SEED)
    slopes = generator.normal(scale=1.5 / np.sqrt(len(centre)), size=(len(centre), HINGES))
    return Basis(centre, spread, slopes, generator.normal(scale=0.7, size=HINGES))


def nothing(columns: int) -> Sums:
    """Sums over no rows, for features of so many columns."""
    return Sums(np.zeros((columns, columns)), np.zeros((columns, HORIZONS)), 0)


def add(sums: Sums, expanded: Floats, targets: Floats) -> Sums:
    """The sums with more rows: expanded features (n, p) and targets (n, HORIZONS) without NaN."""
    return Sums(sums.gram + expanded.T @ expanded, sums.cross + expanded.T @ targets, sums.rows + len(expanded))


def merge(parts: Iterable[Sums]) -> Sums:
    """The sums of several parts together."""
    held = list(parts)
    gram, cross = np.sum([part.gram for part in held], axis=0), np.sum([part.cross for part in held], axis=0)
    return Sums(gram, cross, sum(part.rows for part in held))


def solve(sums: Sums) -> Floats:
    """Weights (p, HORIZONS); the constant is not penalised, and features without any rows get no weight."""
    constant = len(sums.gram) - HINGES - 1
    penalty = np.full(len(sums.gram), PENALTY * max(sums.rows, 1))
    penalty[constant] = 1e-9
    return np.asarray(np.linalg.solve(sums.gram + np.diag(penalty), sums.cross))
