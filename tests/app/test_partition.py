"""The partition of the demo district."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.app.district import read_shape
from citybrain.app.partition import Nested, merged, partition, reading_order

OUTLINE = read_shape(Path(__file__).parents[2] / "data" / "district")
SQUARE = shapely.box(117.10, 39.05, 117.14, 39.08)


def cut(seed: int, shape: shapely.Polygon = OUTLINE) -> Nested:
    return partition(shape, [6, 9, 7, 12], 300.0, np.random.default_rng(seed))


def flat(nested: Nested) -> list[shapely.Polygon]:
    return [block for communities in nested for blocks in communities for block in blocks]


@pytest.mark.thorough
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([OUTLINE, SQUARE]))
def test_blocks_tile_the_shape_without_gap_or_overlap(seed: int, shape: shapely.Polygon) -> None:
    blocks = np.array(flat(cut(seed, shape)))

    assert shapely.coverage_is_valid(blocks)
    assert shapely.area(blocks).sum() == pytest.approx(shape.area, rel=1e-5)
    assert shapely.union_all(blocks).symmetric_difference(shape).area < 1e-5 * shape.area


@pytest.mark.thorough
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_every_piece_is_one_whole_polygon_of_about_the_size_asked_for(seed: int) -> None:
    nested = cut(seed)
    side = np.sqrt(shapely.area(np.array(flat(nested)))) * 111_195 * np.sqrt(np.cos(np.radians(39.1)))

    assert sorted(len(communities) for communities in nested) == [6, 7, 9, 12]
    assert all(shapely.is_valid(merged(blocks)) for communities in nested for blocks in communities)
    assert 150 < side.min() < side.max() < 450


def test_the_same_seed_cuts_the_same_blocks_and_another_does_not() -> None:
    first, again, other = (b"".join(block.wkb for block in flat(cut(seed))) for seed in (7, 7, 8))

    assert first == again
    assert first != other


def test_pieces_are_numbered_from_west_to_east_and_then_southwards() -> None:
    cells = [shapely.box(x, y, x + 1, y + 1) for y in (1, 0, 2) for x in (2, 0, 1)]

    ordered = [cells[at].bounds[:2] for at in reading_order(cells)]

    assert ordered == [(0, 2), (1, 2), (2, 2), (0, 1), (1, 1), (2, 1), (0, 0), (1, 0), (2, 0)]


def test_the_blocks_of_a_community_run_southwards_in_rows() -> None:
    for communities in cut(7):
        for blocks in communities:
            row = np.sqrt(np.mean([block.area for block in blocks]))
            steps = [(one.centroid, other.centroid) for one, other in pairwise(blocks)]
            assert all(other.x > one.x or other.y < one.y + row for one, other in steps)


def test_blocks_that_do_not_hang_together_have_no_outline() -> None:
    with pytest.raises(ValueError, match="hang together"):
        merged([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)])
