"""A process that takes nothing in holds the latest values of the one that does."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citybrain.brain.observe import Following, Latest
from citybrain.kernel.instant import MINUTE, Instant
from tests.brain.observe.conftest import World


async def test_what_another_process_has_made_durable_is_followed_from_where_the_start_had_come(world: World) -> None:
    await world.send(("p1.level", 0, 1.0))
    reached = world.series.last_seq()
    mine = Latest(world.registry, world.series, world.clock)
    following = Following(mine, world.series, reached)
    assert await following.run_once() == 0
    await world.send(("p1.level", 1, 2.0), ("p2.level", 1, 3.0))
    world.clock.set(Instant(world.clock.city() + MINUTE))
    await world.send(("p1.level", 0, 1.5), ("p2.level", 2, 4.0))
    assert await following.run_once() == 4
    assert mine.table().equals(world.latest.table())
    assert mine.mark(1) > 0


@pytest.mark.thorough
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["p1.level", "p2.level"]), st.integers(0, 5), st.integers(0, 3)), max_size=4), max_size=8
    )
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_whoever_follows_holds_what_the_intake_holds(world: World, sent: list[list[tuple[str, int, int]]]) -> None:
    mine = Latest(world.registry, world.series, world.clock)
    following = Following(mine, world.series, world.series.last_seq())
    for rows in sent:
        world.clock.set(Instant(world.clock.city() + MINUTE))
        await world.send(*((name, at, float(value)) for name, at, value in rows))
    await following.run_once()
    assert mine.table().equals(world.latest.table())
