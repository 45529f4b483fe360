"""Observations by ``resultTime``, where results come later than what they are of: the same as by looking at all of them."""

import random
from typing import Any

import pytest

from citybrain.brain.observe import Featured, Lags
from citybrain.doors.sensorthings import lagging, search
from citybrain.kernel.instant import MINUTE, SECOND, Instant, rfc3339
from tests.doors.conftest import NOW, World
from tests.doors.sensorthings.conftest import desk
from tests.doors.sensorthings.test_reading import PROPERTIES
from tests.doors.sensorthings.test_tabled import sent_arrays

COUNT = 400
STREAMS = ("well-1.level", "well-1.salt")


@pytest.fixture
async def told(sta: World) -> list[tuple[str, int, int]]:
    """Observations of two streams, a third of them with a result that is earlier or later, as (result, time, time of the result)."""
    chance = random.Random(5)
    found: list[tuple[str, int, int]] = []
    arrays: list[dict[str, Any]] = []
    for number, stream in enumerate(STREAMS):
        rows: list[list[object]] = []
        for place in range(COUNT):
            time = NOW - (place * 2 + number) * MINUTE
            lag = 0 if chance.random() < 0.66 else chance.randrange(-600, 3600) * SECOND
            found.append((str(number * COUNT + place), time, time + lag))
            said = [rfc3339(Instant(time)), number * COUNT + place, rfc3339(Instant(time + lag))]
            rows.append(said)
        names = ["phenomenonTime", "result", "resultTime"]
        arrays.append({"Datastream": {"@iot.id": stream}, "components": names, "dataArray": rows})
    async with sta.client("device") as client:
        assert not [one for one in await sent_arrays(client, *arrays) if one.startswith("error")]
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_by_result_time_hold_what_sorting_all_gives(sta: World, told: list[tuple[str, int, int]], order: str) -> None:
    wanted = sorted((result for _, _, result in told), reverse=order == "desc")
    async with desk(sta) as someone:
        page = await someone.get("/Observations", _orderby=f"resultTime {order}", _top="75", _select="resultTime", _count="true")
        assert page["@iot.count"] == len(told)
        seen = [one["resultTime"] for one in page["value"]]
        while "@iot.nextLink" in page:
            page = (await someone.client.get(page["@iot.nextLink"])).json()
            seen += [one["resultTime"] for one in page["value"]]
        assert seen == [rfc3339(Instant(one)) for one in wanted]
        own = [result for key, _, result in told if int(key) < COUNT]
        path = f"/Datastreams?$filter=id eq '{STREAMS[0]}'&$expand=Observations($orderby=resultTime {order};$top=1)"
        (stream,) = (await someone.client.get(f"/sta/v1.1{path}")).json()["value"]
        best = max(own) if order == "desc" else min(own)
        assert [one["resultTime"] for one in stream["Observations"]] == [rfc3339(Instant(best))]


async def test_conditions_on_result_time_find_what_looking_at_all_gives(sta: World, told: list[tuple[str, int, int]]) -> None:
    edge = Instant(sorted(result for _, _, result in told)[COUNT])
    signs = {"gt": int.__gt__, "ge": int.__ge__, "lt": int.__lt__, "le": int.__le__, "eq": int.__eq__}
    async with desk(sta) as someone:
        for sign, holds in signs.items():
            where = f"resultTime {sign} {rfc3339(edge)} and result lt {COUNT * 2}"
            found = await someone.get("/Observations", _filter=where, _top="1000", _select="result")
            wanted = sorted(int(key) for key, _, result in told if holds(result, int(edge)))
            assert sorted(int(one["result"]) for one in found["value"]) == wanted
            counted = await someone.get("/Observations", _filter=f"resultTime {sign} {rfc3339(edge)}", _count="true", _top="0")
            assert counted["@iot.count"] == len(wanted)
        both = f"resultTime ge {rfc3339(edge)} and not (phenomenonTime lt {rfc3339(edge)})"
        found = await someone.get("/Observations", _filter=both, _top="1000", _select=",".join(PROPERTIES))
        assert len(found["value"]) == len([1 for _, time, result in told if result >= edge and time >= edge])


async def test_of_more_than_can_be_sorted_the_first_are_found_all_the_same(
    sta: World, told: list[tuple[str, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_SORTED", 400)
    monkeypatch.setattr(search, "_PAGE", 200)
    newest = max(result for _, _, result in told)
    async with desk(sta) as someone:
        found = await someone.get("/Observations", _orderby="resultTime desc", _top="1")
        assert [one["resultTime"] for one in found["value"]] == [rfc3339(Instant(newest))]
        assert (await someone.refused("/Observations", _orderby="resultTime desc", _skip="500"))[0] == 501
        monkeypatch.setattr(lagging, "_MOST", 1)
        assert (await someone.refused("/Observations", _orderby="resultTime desc", _top="1"))[0] == 501


async def test_lags_are_those_of_the_streams_that_are_asked_for(sta: World, told: list[tuple[str, int, int]]) -> None:
    lags = [result - time for key, time, result in told if int(key) < COUNT]
    featured = Featured(sta.transactions)
    assert featured.lags([sta.parts.registry.stream(STREAMS[0]).no]) == Lags(min(lags), max(lags), 0)
    assert featured.lags([999]) == Lags(0, 0, 0)
    async with sta.client("device") as client:
        hour = f"{rfc3339(Instant(NOW - 60 * MINUTE))}/{rfc3339(NOW)}"
        names = ["phenomenonTime", "result"]
        await sent_arrays(client, {"Datastream": {"@iot.id": STREAMS[1]}, "components": names, "dataArray": [[hour, 1]]})
    assert featured.lags([sta.parts.registry.stream(STREAMS[1]).no]).longest == 60 * MINUTE
