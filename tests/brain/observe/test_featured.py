"""What observations are about, kept beside them."""

import numpy as np

from citybrain.brain.observe import About, Featured
from citybrain.kernel.instant import Instant
from tests.brain.observe.conftest import World


def about(stream: int, time: int, feature: str | None = "pond") -> About:
    return About(stream, Instant(time), feature)


def test_what_is_kept_is_listed_by_time_and_stream_and_found_by_its_observation(world: World) -> None:
    featured = Featured(world.transactions)
    assert featured.streams() == frozenset()
    before = featured.put([about(1, 20), about(2, 10), about(1, 10), about(2, 30, "spring")])
    assert before == (about(1, 20, None), about(2, 10, None), about(1, 10, None), about(2, 30, None))
    newest = featured.listed("pond", None, 10, descending=True)
    assert newest == (about(1, 20), about(1, 10), about(2, 10))
    assert featured.listed("pond", None, 10, descending=False) == (about(1, 10), about(2, 10), about(1, 20))
    for descending in (True, False):
        whole, seen = featured.listed("pond", None, 10, descending=descending), list[About]()
        while page := featured.listed("pond", seen[-1] if seen else None, 1, descending=descending):
            seen += page
        assert tuple(seen) == whole
    assert featured.of([1, 2], 10, 20) == {"1.10": "pond", "1.20": "pond", "2.10": "pond"}
    assert featured.of([2], 11, 30) == {"2.30": "spring"}


def test_what_is_said_anew_replaces_what_was_and_can_be_put_back(world: World) -> None:
    featured = Featured(world.transactions)
    featured.put([about(1, 10)])
    before = featured.put([about(1, 10, "spring"), about(1, 11)])
    assert featured.of([1], 0, 99) == {"1.10": "spring", "1.11": "pond"}
    featured.put(before)
    assert featured.of([1], 0, 99) == {"1.10": "pond"}
    featured.put([about(1, 10, None)])
    assert featured.listed("pond", None, 1, descending=True) == ()


def test_another_process_knows_of_the_streams(world: World) -> None:
    here, there = Featured(world.transactions), Featured(world.transactions)
    here.put([about(1, 10)])
    assert here.streams() == there.streams() == {1}
    there.put([about(2, 10)])
    here.put([about(3, 10)])
    assert here.streams() == there.streams() == {1, 2, 3}
    assert Featured(world.transactions).streams() == {1, 2, 3}


def test_what_deleted_observations_were_about_is_forgotten_with_them(world: World) -> None:
    featured = Featured(world.transactions)
    featured.put([about(1, 10), about(1, 20), about(2, 10)])
    assert featured.forget(np.array([1, 3], np.int32), Instant(20)) == 1
    assert featured.listed("pond", None, 9, descending=False) == (about(2, 10), about(1, 20))
