"""Observations about the place of another Thing than that whose Datastreams they are of."""

import pytest
from httpx import AsyncClient

from citybrain.brain.observe import Featured
from citybrain.doors.sensorthings import hosting
from citybrain.doors.sensorthings.shape import Item
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Instant, rfc3339
from tests.doors.conftest import World, basic
from tests.doors.sensorthings.conftest import ROOT, STANDING, fill
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_featuring import POND, made, reading, results
from tests.doors.sensorthings.test_making import GAUGE, posted, said
from tests.doors.sensorthings.test_together import of_group, status

THERE = "/FeaturesOfInterest('well-2')/Observations"
HERE = "/FeaturesOfInterest('well-1')/Observations"


async def spoken(world: World) -> None:
    """The readings of both wells, and three of the first about the place of the second."""
    await fill(world)
    async with world.client("device") as device:
        for minute in (51, 52, 59):
            await posted(device, "/Observations", reading(minute, float(minute), about="well-2"))


async def walked(client: AsyncClient, path: str, **words: str) -> list[float]:
    """The results of all pages."""
    page, seen = await said(client, path, **words), []
    while True:
        seen += [one["result"] for one in page["value"]]
        if "@iot.nextLink" not in page:
            return seen
        page = (await client.get(page["@iot.nextLink"])).json()


async def test_they_lead_to_it_and_stand_below_it_beside_its_own(sta: World) -> None:
    await spoken(sta)
    async with sta.client("dispatcher") as client:
        (one,) = (await said(client, "/Observations", _filter="result eq 52", _expand="FeatureOfInterest,Datastream"))["value"]
        assert (one["FeatureOfInterest"]["@iot.id"], one["Datastream"]["@iot.id"]) == ("well-2", "well-1.level")
        at = f"('{one['@iot.id']}')"
        assert (await said(client, f"{THERE}{at}"))["result"] == 52
        assert (await client.get(f"{ROOT}{HERE}{at}")).status_code == 404
        for top in ("1", "2", "3", "9"):
            for order, wanted in (("desc", [59, 3, 52, 51]), ("asc", [51, 52, 3, 59])):
                assert await walked(client, THERE, _orderby=f"phenomenonTime {order}", _top=top) == wanted, (top, order)
            assert await walked(client, THERE, _top=top) == [59, 3, 52, 51]
        assert await walked(client, THERE, _orderby="result desc", _top="2") == [59, 52, 51, 3]
        assert await walked(client, THERE, _filter="result gt 51") == [59, 52]
        assert await walked(client, THERE, _filter="Datastream/id eq 'well-1.level'") == [59, 52, 51]
        assert await walked(client, "/Observations", _filter="FeatureOfInterest/id eq 'well-2'") == [59, 3, 52, 51]
        assert (await said(client, THERE, _count="true", _top="1", _skip="3"))["@iot.count"] == 4
        assert sorted(await walked(client, HERE)) == [10, 11]
        expanded = await said(client, "/FeaturesOfInterest('well-2')", _expand="Observations($top=2;$count=true)")
        assert ([one["result"] for one in expanded["Observations"]], expanded["Observations@iot.count"]) == ([59, 3], 4)
    assert Featured(sta.transactions).known() == STANDING.parts.featured.known()
    assert Featured(sta.transactions).known().hosts == {"well-2"}


async def test_words_about_it_are_found_by_their_times(sta: World) -> None:
    await spoken(sta)
    async with sta.client("device") as device:
        await posted(device, "/Observations", {**reading(53, 53.0, about="well-2"), "resultTime": "2026-11-22T06:58:30Z"})
    async with sta.client("dispatcher") as client:
        assert await walked(client, THERE, _filter="resultTime gt 2026-11-22T06:58:00Z") == [59, 53]
        assert await walked(client, THERE, _orderby="resultTime desc") == [59, 53, 3, 52, 51]


async def test_in_arrays_in_groups_and_with_a_multidatastream_they_are_kept_too(masts: World) -> None:
    arrays = [
        {
            "Datastream": {"@iot.id": "well-1.level"},
            "components": ["phenomenonTime", "result", "FeatureOfInterest/id"],
            "dataArray": [["2026-11-22T06:51:00Z", 1, "well-2"], ["2026-11-22T06:52:00Z", 2, "well-9"]],
        }
    ]
    one = {"method": "post", "url": "Observations", "body": reading(53, 3.0, about="mast-1")}
    joint = {"phenomenonTime": "2026-11-22T06:50:00Z", "result": [4, None, 5], "FeatureOfInterest": {"@iot.id": "well-2"}}
    async with masts.client("device") as device:
        device.headers["Authorization"] = basic("all", masts.parts.accounts.devices.create("全部", "all", ["*"]))
        told = (await device.post(f"{ROOT}/CreateObservations", json=arrays)).json()
        assert [each.partition(":")[0] for each in told][1] == "error bad_feature"
        assert status(await sent(device, *of_group(one))) == [201]
        await posted(device, "/MultiDatastreams('mast-1')/Observations", joint)
    async with masts.client("dispatcher") as client:
        assert sorted(await results(client, THERE)) == [1, 4, 5]
        assert await results(client, "/FeaturesOfInterest('mast-1')/Observations") == [3]
        found = await said(client, "/MultiDatastreams('mast-1')/Observations", _expand="FeatureOfInterest")
        assert found["value"][0]["FeatureOfInterest"]["@iot.id"] == "well-2"


async def test_a_thing_that_others_speak_of_is_not_deleted_and_one_that_stands_nowhere_is_no_feature(sta: World) -> None:
    async with sta.client("admin") as admin:
        await posted(admin, "/Things", {**GAUGE, "@iot.id": "river-gauge"})
        await posted(admin, "/Things", {"name": "Bare", "description": "Nothing else", "@iot.id": "bare"})
        await made(sta, POND)
        async with sta.client("device") as device:
            at = await posted(device, "/Observations", reading(51, about="river-gauge"))
            assert (await device.post(f"{ROOT}/Observations", json=reading(52, about="bare"))).status_code == 400
        for path in ("/Things('river-gauge')", "/Locations('river-gauge')"):
            answer = await admin.delete(ROOT + path)
            assert (answer.status_code, "of other Things" in answer.json()["message"]) == (409, True)
        async with sta.client("data_officer") as officer:
            assert (await officer.put(f"{ROOT}{at}/FeatureOfInterest/$ref", json={"@iot.id": "pond"})).status_code == 200
        assert (await admin.delete(f"{ROOT}/Things('river-gauge')")).status_code == 200


async def test_what_was_struck_out_and_what_is_its_own_by_now_hold_no_thing(sta: World) -> None:
    bank = {**GAUGE, "@iot.id": "bank", "name": "Bank", "Datastreams": []}
    async with sta.client("admin") as admin, sta.client("device") as device, sta.client("data_officer") as officer:
        for thing in ({**GAUGE, "@iot.id": "river-gauge"}, bank):
            await posted(admin, "/Things", thing)
        device.headers["Authorization"] = basic("all", sta.parts.accounts.devices.create("全部", "all", ["*"]))
        own = {**reading(50, about="bank"), "Datastream": {"@iot.id": "river-gauge.water-level"}}
        await posted(device, "/Observations", own)
        at = await posted(device, "/Observations", reading(51, 51.0, about="bank"))
        assert (await officer.delete(ROOT + at)).status_code == 200
        assert (await admin.delete(f"{ROOT}/Things('bank')")).status_code == 409, "one of them stands"
        moved = await admin.patch(f"{ROOT}/Datastreams('river-gauge.water-level')", json={"Thing": {"@iot.id": "bank"}})
        assert moved.status_code == 200
        assert (await admin.delete(f"{ROOT}/Things('bank')")).status_code == 200
        back = await officer.post("/api/v1/observe/streams/well-1.level/corrections/1/end", json={"why": "原来没有错"})
        assert back.status_code == 201
        assert (await said(officer, at, _expand="FeatureOfInterest"))["result"] == 51
        assert (await said(officer, f"{at}/FeatureOfInterest"))["@iot.id"] == "well-1"


class Listed:
    """A list of times with pages of a few, as a store gives them."""

    def __init__(self, times: list[int], size: int) -> None:
        self._times = times
        self._size = size

    def page(self, most: int, after: str | None) -> tuple[tuple[Item, ...], str | None]:
        begin = int(after or 0)
        end = begin + min(most, self._size)
        found = tuple(Item("Observations", str(at), {}, {}, {"time": rfc3339(Instant(at))}) for at in self._times[begin:end])
        return found, str(end) if end < len(self._times) else None


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize(("few", "many", "limit"), [(1, 7, 3), (4, 2, 5), (3, 3, 1), (9, 9, 9)])
def test_pages_of_two_lists_hold_each_once_in_order(few: int, many: int, limit: int, *, descending: bool) -> None:
    guests, own = ([*range(0, 60, 7)], [*range(1, 60, 2)])
    if descending:
        guests, own = guests[::-1], own[::-1]
    cursor: str | None = None
    seen: list[int] = []
    others, mine = Listed(guests, few).page, Listed(own, many).page
    while True:
        page, cursor = hosting.merged(others, mine, limit, cursor, descending=descending)
        assert len(page) <= limit
        seen += [int(one.id) for one in page]
        if cursor is None:
            break
    assert seen == sorted([*guests, *own], reverse=descending)
    for wrong in ("1", "x:1|-", "99999:|-"):
        with pytest.raises(BadInputError):
            hosting.merged(others, mine, limit, wrong, descending=descending)
