"""An atomicityGroup of ``$batch``: all of it takes place, or nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from httpx import AsyncClient

from citybrain.brain.observe import AreaBook, MadeThing, Making, Registry, Verdict
from citybrain.kernel.errors import StorageFullError
from citybrain.kernel.observations import Refusal
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import Entity, Stream
from tests.doors.conftest import World, basic
from tests.doors.sensorthings.conftest import Desk
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_making import GAUGE, LEVEL, PLACE, SENSOR, STREAM, posted, said

LINKS: dict[str, Any] = {"Sensor": {"@iot.id": "$s"}, "ObservedProperty": {"@iot.id": "$p"}}
READING: dict[str, Any] = {"phenomenonTime": "2026-11-22T06:50:00Z", "result": 2.5}


def of_group(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    """Requests of one group, numbered where they have no id."""
    return [{"id": str(number), "atomicityGroup": "g"} | one for number, one in enumerate(requests)]


THING: dict[str, Any] = {"id": "t", "method": "post", "url": "Things", "body": {"name": "Gauge", "description": "A gauge"}}
WHOLE = of_group(
    THING,
    {"id": "s", "method": "post", "url": "Sensors", "body": SENSOR},
    {"id": "p", "method": "post", "url": "ObservedProperties", "body": LEVEL},
    {"id": "d", "method": "post", "url": "$t/Datastreams", "body": {**STREAM, **LINKS}},
)


def status(answers: Sequence[dict[str, Any]]) -> list[int]:
    return [one["status"] for one in answers]


def standing(world: World) -> tuple[object, ...]:
    """All that the register and the store hold of what was made, but versions."""
    registry = Registry(world.transactions, (), AreaBook(world.transactions))
    here = world.parts.registry
    assert (registry.streams(), registry.made) == (here.streams(), here.made)
    return here.streams(), here.made, here.entities("thing")


async def test_the_requests_of_a_group_see_one_another_and_are_one_commit(sta: World) -> None:
    version = sta.parts.registry.version
    async with sta.client("admin") as client:
        answers = await sent(client, *WHOLE, {"id": "r", "method": "get", "url": "$t?$expand=Datastreams($expand=Sensor)"})
    assert status(answers) == [201, 201, 201, 201, 200]
    assert [one.get("atomicityGroup") for one in answers] == ["g", "g", "g", "g", None]
    (stream,) = answers[4]["body"]["Datastreams"]
    assert (stream["@iot.id"], stream["Sensor"]["metadata"]) == ("gauge.water-level", "type U-7")
    assert sta.parts.registry.version == version + 1
    standing(sta)


async def test_one_that_fails_undoes_those_before_it_and_keeps_those_after_from_being_done(sta: World) -> None:
    before = standing(sta)
    bad = {"id": "x", "method": "post", "url": "Things", "body": {"name": "No description"}}
    async with sta.client("admin") as client:
        answers = await sent(
            client, *of_group(*WHOLE[:2], bad, WHOLE[2]), {**THING, "id": "alone", "body": {**THING["body"], "name": "Alone"}}
        )
    assert status(answers) == [424, 424, 400, 424, 201]
    assert "'x' of this group failed" in answers[0]["body"]["message"]
    made = [one.id for one in sta.parts.registry.entities("thing")]
    assert made == ["alone"]
    assert standing(sta)[:2] == (before[0], sta.parts.registry.made)
    assert not sta.parts.registry.made.sensors


async def test_changes_and_ends_of_a_group_are_undone_with_it(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        before = standing(sta)
        changes = (
            {"method": "patch", "url": at, "body": {"name": "Other"}},
            {
                "method": "post",
                "url": f"{at}/Locations",
                "body": {**PLACE, "location": {"type": "Point", "coordinates": [117.15, 39.15]}},
            },
            {"method": "delete", "url": "Datastreams('river-gauge.water-level')"},
        )
        answers = await sent(client, *of_group(*changes, {"method": "delete", "url": "Things('none')"}))
        assert status(answers) == [424, 424, 424, 404]
        assert standing(sta) == before
        assert status(await sent(client, *of_group(*changes))) == [200, 201, 200]
        assert (await said(client, at))["name"] == "Other"
        assert await Desk(client).ids(f"{at}/Datastreams") == []


async def test_what_depends_on_what_failed_is_not_done(sta: World) -> None:
    bad = {"id": "x", "method": "post", "url": "Things", "body": {"name": "No description"}}
    async with sta.client("admin") as client:
        answers = await sent(
            client,
            *of_group({**THING, "id": "t"}, bad),
            {**THING, "id": "a", "dependsOn": ["g"]},
            {**THING, "id": "b", "dependsOn": ["a"]},
            {**THING, "id": "c"},
            {**THING, "id": "d", "dependsOn": ["c"]},
        )
    assert status(answers) == [424, 400, 424, 424, 201, 201]
    assert "'g', on which this depends" in answers[2]["body"]["message"]


async def test_observations_of_a_group_are_stored_all_or_none(sta: World) -> None:
    one = {"method": "post", "url": "Datastreams('well-1.level')/Observations", "body": READING}
    two = {"method": "post", "url": "Observations", "body": {**READING, "Datastream": {"@iot.id": "well-1.salt"}}}
    array = {
        "Datastream": {"@iot.id": "well-1.level"},
        "components": ["phenomenonTime", "result"],
        "dataArray": [["2026-11-22T06:51:00Z", 3]],
    }
    many = {"method": "post", "url": "CreateObservations", "body": [array]}
    strange = {
        "method": "post",
        "url": "CreateObservations",
        "body": [{**array, "dataArray": [["2026-11-22T06:52:00Z", 3], ["2027-11-22T06:52:00Z", 3]]}],
    }
    barred = {"method": "post", "url": "Datastreams('well-2.level')/Observations", "body": READING}
    async with sta.client("device") as device:
        for bad, code in ((strange, 422), (barred, 403)):
            assert status(await sent(device, *of_group(one, two, many, bad))) == [424, 424, 424, code]
            assert sta.series.latest().num_rows == 0
        keyed = {**two, "headers": {"Idempotency-Key": "k"}}
        assert status(await sent(device, *of_group(one, keyed))) == [424, 400]
        answers = await sent(device, *of_group(one, two, many))
        assert status(answers) == [201, 201, 201]
        assert sta.series.latest().num_rows == 2
    async with sta.client("dispatcher") as client:
        at = answers[1]["headers"]["location"].partition("/sta/v1.1")[2]
        assert (await said(client, at))["result"] == 2.5


@asynccontextmanager
async def maker(world: World) -> AsyncIterator[AsyncClient]:
    """A device that may make things of its own, and write to them."""
    async with world.client("device") as device:
        device.headers["Authorization"] = basic("maker", world.parts.accounts.devices.create("自建", "maker", ["+gauge-*"]))
        yield device


OWN = of_group(
    {"id": "t", "method": "post", "url": "Things", "body": {**GAUGE, "@iot.id": "gauge-1"}},
    {"id": "o", "method": "post", "url": "Datastreams('gauge-1.water-level')/Observations", "body": READING},
)


async def test_what_is_made_and_what_is_observed_of_it_stand_in_one_group(sta: World) -> None:
    early = {**OWN[1], "id": "e", "body": {**READING, "phenomenonTime": "1999-01-01T00:00:00Z"}}
    before = standing(sta)
    async with maker(sta) as device:
        assert status(await sent(device, *OWN, early)) == [424, 424, 400]
        assert standing(sta) == before
        assert status(await sent(device, *OWN)) == [201, 201]
    async with sta.client("dispatcher") as client:
        found = await said(client, "/Datastreams('gauge-1.water-level')/Observations")
        assert [one["result"] for one in found["value"]] == [2.5]


@pytest.mark.parametrize(("why", "code"), [("the store is full", 507), ("refused after all", 400)])
async def test_a_store_that_takes_no_observation_has_the_entities_taken_back(
    sta: World, monkeypatch: pytest.MonkeyPatch, why: str, code: int
) -> None:
    async def full(*_: object) -> Verdict:
        if code == 400:
            return Verdict(0, 0, (Refusal(0, "expired", Text("已过保存期。", "The day is over.")),))
        raise StorageFullError(same(why))

    moved = {
        "method": "post",
        "url": "Things('gauge-0')/Locations",
        "body": {**PLACE, "location": {"type": "Point", "coordinates": [117.15, 39.15]}},
    }
    async with maker(sta) as device:
        await posted(device, "/Things", {"@iot.id": "gauge-0", "name": "Gauge 0", "description": "First", "Locations": [PLACE]})
        with monkeypatch.context() as patched:
            patched.setattr(sta.parts.intake, "take", full)
            assert status(await sent(device, *OWN, *of_group(moved))) == [code] * 3
        assert [one.id for one in sta.parts.registry.entities("thing")] == ["gauge-0"]
        standing(sta)
        async with sta.client("admin") as client:
            assert (await said(client, "/Things('gauge-0')/Locations"))["value"][0]["location"] == PLACE["location"]
            assert await Desk(client).ids("/Sensors", _filter="id ne 'test'") == []
        assert status(await sent(device, *OWN, *of_group(moved))) == [201] * 3


async def test_a_group_is_tried_again_where_the_register_has_moved(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = sta.parts.registry
    enter, others, making = Registry.change, iter(["first"]), Making(registry, AreaBook(sta.transactions), sta.clock)

    def meanwhile(
        self: Registry,
        entities: Sequence[Entity],
        streams: Sequence[Stream],
        words: Sequence[Any],
        freed: Sequence[str] = (),
        since: int | None = None,
        known: Mapping[str, int] | None = None,
    ) -> None:
        for name in others:
            making.thing(name, MadeThing("", "A thing", {}), (), ())
        enter(self, entities, streams, words, freed, since, known)

    monkeypatch.setattr(Registry, "change", meanwhile)
    async with sta.client("admin") as client:
        answers = await sent(client, *WHOLE)
    assert status(answers) == [201] * 4
    assert [one.id for one in registry.entities("thing")] == ["first", "gauge"]
