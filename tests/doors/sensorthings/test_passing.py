"""Pages of Observations where most Datastreams have none: they hold what there is, whoever is silent before it."""

import pytest

from citybrain.doors.sensorthings import spans
from citybrain.kernel.pack import Planted
from citybrain.kernel.places import Place
from citybrain.kernel.text import same
from tests.doors.conftest import NOW, World
from tests.doors.sensorthings.conftest import ROOT, desk, entrusted

AT = (
    ("well-080.salt", "06:10", 1.0),
    ("well-150.level", "06:20", 2.0),
    ("well-150.level", "06:30", 3.0),
    ("well-150.salt", "06:40", 4.0),
)


async def sparse(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """A hundred and fifty wells more, of which two were ever heard, asked for one Datastream at a time; how their device signs in."""
    wells = [Planted(f"well-{n:03}", "well", same(f"井{n}"), Place(117.1, 39.1), "120104", {}) for n in range(1, 151)]
    world.parts.registry.plant(wells, "test", "demo", NOW)
    async with world.client("device") as device:
        entrusted(world, device, "well-*")
        for stream, at, value in AT:
            row = {"Datastream": {"@iot.id": stream}, "phenomenonTime": f"2026-11-22T{at}:00Z", "result": value}
            assert (await device.post(f"{ROOT}/Observations", json=row)).status_code == 201
        monkeypatch.setattr(spans, "MOST", 1)
        return device.headers["Authorization"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", [1.0, 3.0, 2.0, 4.0]),
        ("phenomenonTime lt 2026-11-22T06:25:00Z", [1.0, 2.0]),
        ("phenomenonTime ge 2026-11-22T06:15:00Z and phenomenonTime lt 2026-11-22T06:35:00Z and result gt 2", [3.0]),
        ("phenomenonTime gt 2026-11-22T06:40:00Z", []),
        ("length(Datastream/name) gt 0 and result ne 2", [1.0, 3.0, 4.0]),
    ],
)
async def test_the_first_page_holds_what_there_is_however_many_silent_datastreams_come_before(
    sta: World, monkeypatch: pytest.MonkeyPatch, condition: str, expected: list[float]
) -> None:
    await sparse(sta, monkeypatch)
    words = {"_filter": condition} if condition else {}
    async with desk(sta) as someone:
        found = await someone.get("/Observations", **words)
        assert ([one["result"] for one in found["value"]], "@iot.nextLink" in found) == (expected, False)
        seen, page = [], await someone.get("/Observations", **words, _top="1")
        while True:
            seen += [one["result"] for one in page["value"]]
            if "@iot.nextLink" not in page:
                break
            assert len(page["value"]) == 1, "no page is empty but the last"
            page = (await someone.client.get(page["@iot.nextLink"])).json()
        assert seen == expected


async def test_a_datastream_that_is_heard_for_the_first_time_moves_no_page(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    signs = await sparse(sta, monkeypatch)
    async with desk(sta) as someone:
        page = await someone.get("/Observations", _top="2")
        async with sta.client("device") as device:
            device.headers["Authorization"] = signs
            row = {"Datastream": {"@iot.id": "well-001.level"}, "phenomenonTime": "2026-11-22T06:50:00Z", "result": 9.0}
            assert (await device.post(f"{ROOT}/Observations", json=row)).status_code == 201
        rest = (await someone.client.get(page["@iot.nextLink"])).json()
        assert [one["result"] for one in (*page["value"], *rest["value"])] == [1.0, 3.0, 2.0, 4.0]
