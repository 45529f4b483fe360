"""The regression finds what is there, in parts or whole."""

import numpy as np

from citybrain.services.livelihood.air import ridge


def test_a_linear_law_is_found_and_sums_of_parts_give_the_same_weights_as_the_whole() -> None:
    generator = np.random.default_rng(11)
    features = generator.normal(size=(6_000, 5)) * [1, 10, 100, 1, 1] + [0, 5, 1000, 0, 0]
    targets = features[:, :1] * np.linspace(0.5, 1.5, ridge.HORIZONS) + 0.05 * features[:, 1:2] + 3
    basis = ridge.basis([features[:1_000], features[1_000:]])
    expanded = basis.expand(features)
    parts = [ridge.add(ridge.nothing(expanded.shape[1]), expanded[at::3], targets[at::3]) for at in range(3)]
    whole = ridge.add(ridge.nothing(expanded.shape[1]), expanded, targets)
    assert np.allclose(ridge.solve(ridge.merge(parts)), ridge.solve(whole))
    assert np.abs(expanded @ ridge.solve(whole) - targets).mean() < 0.03


def test_a_missing_feature_counts_as_its_mean() -> None:
    features = np.random.default_rng(3).normal(4.0, 2.0, size=(500, 3))
    basis = ridge.basis([features])
    hole = features[:1].copy()
    hole[0, 1] = np.nan
    mean = hole.copy()
    mean[0, 1] = features[:, 1].mean()
    assert np.allclose(basis.expand(hole), basis.expand(mean))
