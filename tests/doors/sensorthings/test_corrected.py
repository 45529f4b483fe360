"""A value that a person corrected says so in its resultQuality; one that was measured, or stands again, has none."""

from citybrain.brain.observe import Corrections, setting
from citybrain.brain.observe import strike as struck_out
from citybrain.kernel.instant import parse
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import desk, fill
from tests.doors.sensorthings.test_feeds import LEVEL, Wire, granted, heard, wire
from tests.doors.sensorthings.test_multi import OBSERVED
from tests.doors.sensorthings.test_multi import fill as fill_masts

__all__ = ["wire"]
SAID = {"nameOfMeasure": "correction", "measureDescription": "由人员更正，不是测得的值 · Set by a person, not measured"}


async def correct(world: World, stream: str, at: str, value: float) -> int:
    """Set the reading of a time of the day; the number of the correction."""
    corrections: Corrections = world.parts.corrections
    whose, change = world.parts.registry.stream(stream), setting(parse(f"2026-11-22T{at}:00Z"), value)
    seen = corrections.preview(whose, change).seen
    return (await corrections.correct(whose, change, seen, "officer", "读数有误")).no


async def test_lists_the_newest_alone_and_data_arrays_all_say_so(sta: World) -> None:
    await fill(sta)
    number = await correct(sta, "well-1.level", "06:59", 12.0)
    async with desk(sta) as asked:
        path = "/Datastreams('well-1.level')/Observations"
        listed = (await asked.get(path, _orderby="phenomenonTime desc"))["value"]
        assert [(each["result"], each.get("resultQuality")) for each in listed] == [(12.0, [SAID]), (11.0, None), (10.0, None)]
        newest = (await asked.get(path, _orderby="phenomenonTime desc", _top="1"))["value"]
        assert newest == listed[:1]
        (array,) = (await asked.get(path, _resultFormat="dataArray"))["value"]
        place = array["components"].index("resultQuality")
        assert [row[place] for row in array["dataArray"]].count([SAID]) == 1
        await sta.parts.corrections.end(sta.parts.registry.stream("well-1.level"), number, "officer", "原来没有错")
        listed = (await asked.get(path, _orderby="phenomenonTime desc"))["value"]
        assert [(each["result"], each.get("resultQuality")) for each in listed] == [(12.5, None), (11.0, None), (10.0, None)]


async def test_those_who_subscribed_are_told_the_corrected_value_with_its_mark(wire: Wire) -> None:
    await fill(wire.world)
    reader = await wire.person("dispatcher")
    assert await granted(reader, LEVEL) == [1]
    await correct(wire.world, "well-1.level", "06:55", 11.5)
    ((_, told),) = await heard(reader, 1)
    assert (told["result"], told["resultQuality"]) == (11.5, [SAID])
    async with desk(wire.world) as asked:
        assert told == await asked.get(f"/Observations('{told['@iot.id']}')")


async def strike(world: World, stream: str, at: str) -> int:
    corrections: Corrections = world.parts.corrections
    whose, change = world.parts.registry.stream(stream), struck_out(parse(f"2026-11-22T{at}:00Z"))
    seen = corrections.preview(whose, change).seen
    return (await corrections.correct(whose, change, seen, "officer", "校准时的试气")).no


async def test_what_is_struck_out_is_not_there_until_that_is_taken_back(sta: World) -> None:
    await fill(sta)
    number = await strike(sta, "well-1.level", "06:59")
    path = "/Datastreams('well-1.level')/Observations"
    async with desk(sta) as asked:
        listed = await asked.get(path, _orderby="phenomenonTime desc", _count="true")
        assert ([each["result"] for each in listed["value"]], listed["@iot.count"]) == ([11.0, 10.0], 2)
        await sta.parts.corrections.end(sta.parts.registry.stream("well-1.level"), number, "officer", "原来没有错")
        listed = (await asked.get(path, _orderby="phenomenonTime desc"))["value"]
        assert [each["result"] for each in listed] == [12.5, 11.0, 10.0]


async def test_those_who_subscribed_are_told_nothing_of_what_is_struck_out(wire: Wire) -> None:
    await fill(wire.world)
    reader = await wire.person("dispatcher")
    assert await granted(reader, LEVEL) == [1]
    await strike(wire.world, "well-1.level", "06:55")
    await correct(wire.world, "well-1.level", "06:59", 11.5)
    ((_, told),) = await heard(reader, 1)
    assert told["result"] == 11.5


async def test_of_readings_side_by_side_the_corrected_fields_are_named(masts: World) -> None:
    await fill_masts(masts)
    await correct(masts, "mast-1.gust", "06:40", 2.5)
    async with desk(masts) as asked:
        found = (await asked.get(OBSERVED))["value"]
    said = {tuple(each["result"]): each.get("resultQuality") for each in found}
    assert said == {(2.0, None, 180.0): None, (None, 2.5, None): [{**SAID, "fields": ["gust"]}], (1.0, 2.0, 90.0): None}
