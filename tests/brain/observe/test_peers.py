"""Streams held against their neighbours: what a stream does on one side says nothing about the other."""

import numpy as np
import pytest

from citybrain.brain.observe import peers
from citybrain.kernel.observations import Floats

FLOOR = peers.floor("ratio", 2.0)


def named(away: float) -> bool:
    """Whether a stream that in one hour of ten stands far below its neighbours is named after a day at ``away`` from its usual."""
    residual: Floats = np.random.default_rng(4).normal(0, 0.15, (11, peers.WEEK + peers.RECENT))
    residual[0, : peers.WEEK : 10] -= 2.5
    residual[0, peers.WEEK :] += away
    none = np.full(11, np.nan)
    found = peers.contradicted(residual, np.zeros(residual.shape, np.bool_), FLOOR, none, none)
    assert not found.beyond[1:].any()
    return bool(found.beyond[0])


@pytest.mark.parametrize(("factor", "wanted"), [(4.0, True), (1 / 4, False), (1.0, False), (1000.0, True), (1 / 1000, True)])
def test_a_stream_that_is_often_far_below_is_still_known_to_stand_above(factor: float, *, wanted: bool) -> None:
    assert named(float(np.log(factor))) is wanted
