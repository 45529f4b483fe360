"""The times and the area of a Datastream's own Observations: told, filtered by, and sorted by; relations of times."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.sensorthings.functions import OPERATIONS
from citybrain.doors.sensorthings.nodes import Interval, Value
from citybrain.kernel.access import Caller
from tests.doors.conftest import World, basic
from tests.doors.sensorthings.conftest import ROOT, desk, fill, parts_of
from tests.doors.sensorthings.test_featuring import POND, reading
from tests.doors.sensorthings.test_making import posted, said

LEVEL, SALT = "well-1.level", "well-2.salt"
NORTH = 39.05 + 1 / 100
"""Where well 1 stands."""
AT = "2026-11-22T06:{}:00Z"


def span(since: int, until: int) -> str:
    """An interval of minutes after six o'clock, as it is written."""
    return f"{AT.format(since)}/{AT.format(until)}"


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (f"phenomenonTime gt {AT.format(57)}", [SALT]),
        ("phenomenonTime lt 2026-11-22T06:58:30Z", [SALT]),
        (f"phenomenonTime eq {span(50, 59)}", [LEVEL]),
        (f"resultTime ge {AT.format(50)}", [LEVEL, SALT]),
        (f"overlaps(phenomenonTime, {span(52, 53)})", [LEVEL]),
        (f"overlaps(phenomenonTime, {AT.format(58)})", [LEVEL, SALT]),
        (f"during(phenomenonTime, {span(50, 59)})", [LEVEL, SALT]),
        (f"during(phenomenonTime, {span(51, 59)})", [SALT]),
        (f"before(phenomenonTime, {AT.format(59)})", [SALT]),
        (f"after(phenomenonTime, {span(40, 49)})", [LEVEL, SALT]),
        (f"starts(phenomenonTime, {span(50, 55)})", [LEVEL]),
        (f"finishes(phenomenonTime, {span(55, 59)})", [LEVEL]),
        (f"meets(phenomenonTime, {span(40, 50)})", [LEVEL]),
        (f"not overlaps(phenomenonTime, {span(52, 53)}) and phenomenonTime ne null", [SALT]),
        ("phenomenonTime eq null and id ne 'x'", ["well-1.salt", "well-2.level"]),
    ],
)
async def test_datastreams_are_found_by_the_times_of_their_observations(sta: World, where: str, found: list[str]) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        assert await someone.ids("/Datastreams", _filter=where) == found
        count = (await someone.get("/Datastreams", _filter=where, _count="true", _top="0"))["@iot.count"]
        assert count == len(found)


async def test_they_are_told_of_one_and_where_they_are_selected_and_sorted_by(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        one = await someone.get(f"/Datastreams('{LEVEL}')")
        place = {"type": "Point", "coordinates": [117.1, NORTH]}
        assert (one["phenomenonTime"], one["resultTime"], one["observedArea"]) == (span(50, 59), span(50, 59), place)
        assert await someone.get(f"/Datastreams('{LEVEL}')/phenomenonTime") == {"phenomenonTime": span(50, 59)}
        assert "phenomenonTime" not in await someone.get("/Datastreams('well-1.salt')")
        listed = (await someone.get("/Datastreams"))["value"]
        assert not [each for each in listed if "phenomenonTime" in each or "observedArea" in each]
        some = await someone.get("/Things('well-1')", _expand="Datastreams($select=resultTime)")
        assert [each.get("resultTime") for each in some["Datastreams"]] == [span(50, 59), None]
        newest = await someone.get(
            "/Observations", _top="1", _expand="Datastream($select=phenomenonTime)", _filter="result eq 12.5"
        )
        assert newest["value"][0]["Datastream"] == {"phenomenonTime": span(50, 59)}
        assert await someone.ids("/Datastreams", _orderby="phenomenonTime desc,id", _filter="phenomenonTime ne null") == [
            SALT,
            LEVEL,
        ]
        near = "geography'POLYGON ((117.09 39.05, 117.11 39.05, 117.11 39.065, 117.09 39.065, 117.09 39.05))'"
        assert await someone.ids("/Datastreams", _filter=f"st_within(observedArea, {near})") == [LEVEL]
        one.pop("@iot.selfLink")
        assert (await someone.refused("/Datastreams", _filter="before(phenomenonTime, 7)"))[0] == 400


async def test_intervals_results_and_features_count(sta: World) -> None:
    await fill(sta)
    async with sta.client("device") as client:
        client.headers["Authorization"] = basic("probe", sta.secret)
        about = {"Datastream": {"@iot.id": LEVEL}, "result": 1.0}
        await posted(client, "/Observations", {**about, "phenomenonTime": span(40, 57), "resultTime": AT.format(58)})
        await posted(client, "/Observations", {**about, "phenomenonTime": AT.format(51), "resultTime": "2026-11-22T08:00:00Z"})
    async with sta.client("admin") as client:
        far = {**POND, "@iot.id": "pond", "feature": {"type": "Point", "coordinates": [117.2, 39.0]}}
        await posted(client, "/FeaturesOfInterest", far)
    async with sta.client("device") as client:
        client.headers["Authorization"] = basic("probe", sta.secret)
        await posted(client, "/Observations", {**reading(30, 2.0, "pond"), "Datastream": {"@iot.id": LEVEL}})
    async with sta.client("dispatcher") as client:
        found = await said(client, f"/Datastreams('{LEVEL}')")
        assert found["phenomenonTime"] == span(30, 59)
        assert found["resultTime"] == f"{AT.format(30)}/2026-11-22T08:00:00Z"
        ring = found["observedArea"]["coordinates"][0]
        assert {(lon, lat) for lon, lat in ring} == {(117.1, 39.0), (117.2, 39.0), (117.2, NORTH), (117.1, NORTH)}


async def test_multidatastreams_have_them_too(masts: World) -> None:
    async with masts.client("device") as client:
        secret = masts.parts.accounts.devices.create("塔", "tower", ["mast-1"])
        client.headers["Authorization"] = basic("tower", secret)
        for minute in (30, 40):
            body = {"phenomenonTime": AT.format(minute), "result": [1, None, 90]}
            await posted(client, "/MultiDatastreams('mast-1')/Observations", body)
    async with desk(masts) as someone:
        assert (await someone.get("/MultiDatastreams('mast-1')"))["phenomenonTime"] == span(30, 40)
        where = f"overlaps(phenomenonTime, {span(35, 50)})"
        assert await someone.ids("/MultiDatastreams", _filter=where) == ["mast-1"]


async def test_who_sees_only_some_observations_is_told_nothing_of_them(sta: World) -> None:
    await fill(sta)
    parts = parts_of(sta)
    async with sta.client("admin") as client:
        # Administrators read streams and no observations.
        assert not parts.guard.whole(Caller("x", "x", frozenset({"admin"})), "observation", "")
        found = (await client.get(f"{ROOT}/Datastreams('{LEVEL}')")).json()
        assert found["@iot.id"] == LEVEL
        assert "phenomenonTime" not in found


_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_TIMES = st.integers(0, 6).map(lambda hours: _NOON + timedelta(hours=hours))
_INTERVALS = st.tuples(_TIMES, _TIMES).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: Interval(*pair))


@given(_INTERVALS, _INTERVALS)
def test_of_two_intervals_one_is_before_after_meets_or_overlaps_the_other(one: Interval, two: Interval) -> None:
    def held(name: str, *args: Value) -> bool:
        return OPERATIONS[name][1](args) is True

    assert sum(held(name, one, two) for name in ("before", "after", "meets", "overlaps")) == 1
    assert held("before", one, two) == held("after", two, one)
    assert held("overlaps", one, two) == held("overlaps", two, one)
    assert not held("during", one, two) or held("overlaps", one, two)
    assert (held("starts", one, two) and held("finishes", one, two)) == (one == two)
    assert held("during", one.begin, one) is True
    assert OPERATIONS["before"][1]((None, one)) is None
