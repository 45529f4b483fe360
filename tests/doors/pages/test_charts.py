"""Charts of streams: what ended is seen to have ended, what stands still is said to, and nothing alive is invisible."""

import re

import numpy as np
import pytest

from citybrain.doors.pages import charts
from citybrain.kernel.access import Role
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Duration, Instant, rfc3339
from citybrain.kernel.things import Contract, Stream
from citybrain.web.views import ChartRow
from tests.doors.pages.conftest import World

ROW = re.compile(
    r'<tr><th scope="row"><time datetime="([^"]+)"[^<]*>[^<]*</time></th><td class="numeric"(?: data-value="([^"]+)")?>'
)


async def page(world: World, stream: Stream, hours: range, values: list[float], role: Role = "data_officer") -> str:
    now = world.city.clock.city()
    times = np.array([now - hour * HOUR for hour in hours], np.int64)
    await world.city.intake.take_columns(np.full(len(times), stream.no, np.int32), times, np.array(values), "api", None)
    async with world.client(role) as client:
        return (await client.get(f"/admin/streams/{stream.id}?lang=en")).text


def stream(world: World, field: str) -> Stream:
    return next(stream for stream in world.city.registry.streams() if stream.field == field)


async def test_a_line_that_ended_goes_on_empty_to_this_moment_and_says_why(world: World) -> None:
    shown = await page(world, stream(world, "wind_speed"), range(10, 5, -1), [1.5, 2.25, 3.0, 0.5, 2.0])
    assert ROW.findall(shown)[-2:] == [
        (rfc3339(Instant(world.city.clock.city() - 6 * HOUR)), "2.0"),
        (rfc3339(world.city.clock.city()), ""),
    ]
    assert "No recent reading: a new reading was due within 3 hours and has not come" in shown
    assert ">2.25<" in shown


async def test_a_line_that_never_moves_is_said_to_be_stuck(world: World) -> None:
    silent = next(one for one in world.city.registry.streams() if one.contract.stuck_after and world.city.latest.of(one.no) is None)
    hours = (silent.contract.stuck_after or 0) // HOUR + 1
    shown = await page(world, silent, range(hours, -1, -1), [7.0] * (hours + 1))
    assert "Stuck: has stood at 7 for longer than" in shown


@pytest.mark.parametrize(("every", "step", "holes"), [(None, DAY, 0), (Duration(DAY), DAY, 0), (Duration(MINUTE), HOUR, 4)])
def test_a_line_stops_where_its_own_interval_does(every: Duration | None, step: int, holes: int) -> None:
    known = [ChartRow(Instant(number * step), seen=1.0) for number in range(5)]
    one = Stream("a.x", 1, "a", "k", "x", "1", Contract(every=every), "test")
    found = charts.with_gaps(known, charts.hole(one, known))
    assert len(found) == 5 + holes
