"""What hangs on a new entity comes along with it: all of it in one commit, or nothing."""

from typing import Any

import pytest

from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_bringing import BARE, TWO
from tests.doors.sensorthings.test_describing import device, features
from tests.doors.sensorthings.test_featuring import POND, reading, results
from tests.doors.sensorthings.test_making import LEVEL, PLACE, SENSOR, STREAM, posted, said
from tests.doors.sensorthings.test_multi_making import WIND
from tests.doors.sensorthings.test_together import of_group, status

GAUGE: dict[str, Any] = {"Thing": {"@iot.id": "gauge-1"}}
PAST = {"time": "2026-11-20T00:00:00Z", "Locations": [{**PLACE, "name": "South pier"}]}


def without(whole: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: one for key, one in whole.items() if key != name}


async def test_a_sensor_brings_its_datastreams_and_multidatastreams(sta: World) -> None:
    single, joint = without(STREAM, "Sensor") | GAUGE, without(WIND, "Sensor") | GAUGE
    async with sta.client("admin") as client:
        await posted(client, "/Things", BARE)
        deep = single | {"ObservedProperty": {**LEVEL, "name": "Depth"}}
        version = sta.parts.registry.version
        at = await posted(client, "/Sensors", {**SENSOR, "Datastreams": [single, deep], "MultiDatastreams": [joint]})
        assert sta.parts.registry.version == version + 1
        found = Desk(client)
        assert await found.ids(f"{at}/MultiDatastreams") == ["gauge-1.wind"]
        streams = ["gauge-1.bearing", "gauge-1.depth", "gauge-1.gust", "gauge-1.speed", "gauge-1.water-level"]
        assert await found.ids(f"{at}/Datastreams") == streams


async def test_an_observed_property_brings_its_datastreams(sta: World) -> None:
    stream = without(STREAM, "ObservedProperty") | {"Thing": {**BARE, "Datastreams": [STREAM]}}
    async with sta.client("admin") as client:
        at = await posted(client, "/ObservedProperties", {**LEVEL, "name": "Depth", "Datastreams": [stream]})
        assert await Desk(client).ids(f"{at}/Datastreams") == ["gauge-1.depth"]
        assert await Desk(client).ids("/Things('gauge-1')/Datastreams") == ["gauge-1.depth", "gauge-1.water-level"]


async def test_a_feature_brings_the_observations_that_are_about_it(sta: World) -> None:
    brought = [without(reading(minute, float(minute)), "FeatureOfInterest") for minute in (50, 51)]
    async with sta.client("device") as client:
        device(sta, client)
        for bad, code in ((reading(52, "much", None), 400), (reading(52, 1.0, "well-1"), 400), ({"result": 1}, 400)):
            whole = {**POND, "@iot.id": "pond", "Observations": [*brought, bad]}
            answer = await client.post(f"{ROOT}/FeaturesOfInterest", json=whole)
            assert answer.status_code == code, answer.text
        assert sta.series.latest().num_rows == 0
        at = await posted(client, "/FeaturesOfInterest", {**POND, "@iot.id": "pond", "Observations": brought})
    async with sta.client("dispatcher") as client:
        assert await features(client) == ["pond"]
        assert await results(client, f"{at}/Observations") == [51.0, 50.0]
    async with sta.client("admin") as client:
        answer = await client.post(f"{ROOT}/FeaturesOfInterest", json={**POND, "Observations": brought})
        assert (answer.status_code, "may not write" in answer.json()["message"]) == (403, True)


async def test_a_thing_brings_its_past(sta: World) -> None:
    past = [PAST, {**PAST, "time": "2026-11-19T00:00:00Z"}]
    streams = [{**STREAM, "Observations": TWO}]
    async with sta.client("device") as client:
        device(sta, client)
        version = sta.parts.registry.version
        for bad in ({**PAST, "time": "2027-01-01T00:00:00Z"}, {**PAST, "time": "soon"}, {"time": "2026-11-20T00:00:00Z"}):
            answer = await client.post(f"{ROOT}/Things", json={**BARE, "Locations": [PLACE], "HistoricalLocations": [*past, bad]})
            assert answer.status_code == 400, answer.text
        assert sta.parts.registry.version == version
        await posted(client, "/Things", {**BARE, "Locations": [PLACE], "HistoricalLocations": past, "Datastreams": streams})
        assert sta.parts.registry.version == version + 1
    async with sta.client("admin") as client:
        times = (await said(client, "/Things('gauge-1')/HistoricalLocations", _orderby="time asc"))["value"]
        assert [one["time"] for one in times] == ["2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-22T07:00:00Z"]
        assert (await said(client, "/Things('gauge-1')/Locations"))["value"][0]["name"] == "North pier"
    async with sta.client("dispatcher") as client:
        assert await results(client, "/Things('gauge-1')/Datastreams('gauge-1.water-level')/Observations") == [2.75, 2.5]


async def test_a_location_that_describes_its_thing_is_that_thing_s(sta: World) -> None:
    thing = {**BARE, "Datastreams": [{**STREAM, "Observations": TWO}], "HistoricalLocations": [PAST]}
    async with sta.client("device") as client:
        device(sta, client)
        other = await client.post(f"{ROOT}/Locations", json={**PLACE, "Things": [{**thing, "@iot.id": "well-9"}]})
        assert other.status_code == 403
        assert await posted(client, "/Locations", {**PLACE, "Things": [thing]}) == "/Locations('gauge-1')"
        for things in ([], [{"name": "Well", "description": "No id"}], [{**BARE, "@iot.id": "well-9", "Locations": [PLACE]}]):
            answer = await client.post(f"{ROOT}/Locations", json={**PLACE, "Things": things})
            assert answer.status_code == 403, answer.text
    async with sta.client("admin") as client:
        found = await said(client, "/Things('gauge-1')", _expand="Locations,HistoricalLocations")
        assert [one["name"] for one in found["Locations"]] == ["North pier"]
        assert len(found["HistoricalLocations"]) == 2
        assert (await client.post(f"{ROOT}/Locations", json={**PLACE, "Things": [BARE, BARE]})).status_code == 409


@pytest.mark.parametrize("bad", [{"Thing": {"@iot.id": "none"}}, {"Sensor": SENSOR}, {"name": ""}])
async def test_one_that_cannot_be_made_and_nothing_is(sta: World, bad: dict[str, Any]) -> None:
    stream = without(STREAM, "Sensor") | GAUGE
    async with sta.client("admin") as client:
        await posted(client, "/Things", BARE)
        version = sta.parts.registry.version
        answer = await client.post(f"{ROOT}/Sensors", json={**SENSOR, "Datastreams": [stream, stream | bad]})
        assert answer.status_code in (400, 404), answer.text
        assert sta.parts.registry.version == version
        assert (await client.get(f"{ROOT}/Sensors('ultrasonic-gauge')")).status_code == 404


async def test_in_a_group_what_hangs_stands_or_falls_with_the_rest(sta: World) -> None:
    stream = without(STREAM, "Sensor") | GAUGE
    one = {"method": "post", "url": "Sensors", "body": {**SENSOR, "Datastreams": [stream]}}
    async with sta.client("admin") as client:
        await posted(client, "/Things", BARE)
        bad = {"method": "post", "url": "Sensors", "body": {**SENSOR, "name": ""}}
        assert status(await sent(client, *of_group(one, bad))) == [424, 400]
        assert await Desk(client).ids("/Things('gauge-1')/Datastreams") == []
        assert status(await sent(client, *of_group(one))) == [201]
        assert await Desk(client).ids("/Sensors('ultrasonic-gauge')/Datastreams") == ["gauge-1.water-level"]


async def test_a_device_makes_no_sensor_with_what_hangs_on_it(sta: World) -> None:
    stream = without(STREAM, "Sensor") | GAUGE
    async with sta.client("device") as client:
        device(sta, client)
        await posted(client, "/Things", BARE)
        for path, body in (("/Sensors", SENSOR), ("/ObservedProperties", LEVEL)):
            answer = await client.post(ROOT + path, json={**body, "Datastreams": [stream]})
            assert answer.status_code == 403, answer.text


async def test_an_observation_describes_the_datastream_or_multidatastream_that_it_is_of(sta: World) -> None:
    thing = {"Thing": {**BARE, "Locations": [PLACE]}}
    one = {"result": 2.5, "FeatureOfInterest": POND, "Datastream": {**STREAM, **thing, "Observations": TWO}}
    many = {"phenomenonTime": "2026-11-22T06:30:00Z", "result": [1, None, 90], "MultiDatastream": {**WIND, **GAUGE}}
    async with sta.client("device") as client:
        device(sta, client)
        for bad, code in (({"result": "much"}, 400), ({"Datastream": {**STREAM, "Thing": {**BARE, "@iot.id": "well-9"}}}, 403)):
            assert (await client.post(f"{ROOT}/Observations", json=one | bad)).status_code == code
        keyed = await client.post(f"{ROOT}/Observations", json=one, headers={"Idempotency-Key": "k"})
        assert (keyed.status_code, "takes no Idempotency-Key" in keyed.json()["message"]) == (400, True), keyed.text
        assert [entity.id for entity in sta.parts.registry.entities("thing")] == []
        at, joint = await posted(client, "/Observations", one), await posted(client, "/Observations", many)
        nothing = await client.post(f"{ROOT}/Observations", json={"result": 1, "Datastream": {}})
        assert (nothing.status_code, "@iot.id is missing" in nothing.json()["message"]) == (400, True)
    async with sta.client("dispatcher") as client:
        found = await said(client, at, _expand="FeatureOfInterest,Datastream($expand=Thing)")
        assert (found["result"], found["phenomenonTime"]) == (2.5, "2026-11-22T07:00:00Z")
        assert (found["FeatureOfInterest"]["@iot.id"], found["Datastream"]["Thing"]["@iot.id"]) == ("pond", "gauge-1")
        assert await results(client, f"/Datastreams('{found['Datastream']['@iot.id']}')/Observations") == [2.5, 2.75, 2.5]
        assert (await said(client, joint))["result"] == [1, None, 90]


async def test_in_a_group_the_observation_of_a_described_datastream_has_its_address(sta: World) -> None:
    one = {"method": "post", "url": "Observations", "body": {**TWO[0], "Datastream": {**STREAM, "Thing": BARE}}}
    async with sta.client("device") as client:
        device(sta, client)
        (answer,) = await sent(client, *of_group(one))
    async with sta.client("dispatcher") as client:
        assert (await said(client, answer["headers"]["location"].partition(ROOT)[2]))["result"] == 2.5


async def test_whatever_is_described_within_brings_what_hangs_on_it(sta: World) -> None:
    deep = without(STREAM, "Sensor") | GAUGE | {"ObservedProperty": {**LEVEL, "name": "Depth"}}
    salt = without(STREAM, "ObservedProperty") | GAUGE | {"Sensor": {**SENSOR, "name": "Salt meter"}}
    sensor = {**SENSOR, "name": "Radar", "Datastreams": [deep]}
    whole = {**STREAM, "Sensor": sensor, "ObservedProperty": {**LEVEL, "Datastreams": [salt]}}
    wind = {**WIND, "Sensor": {**SENSOR, "name": "Vane", "Datastreams": [{**deep, "name": "Deeper"}]}}
    thing = {**BARE, "HistoricalLocations": [PAST], "Locations": [PLACE]}
    async with sta.client("admin") as client:
        version, found = sta.parts.registry.version, Desk(client)
        bad = {**whole, "Thing": thing, "Sensor": {**sensor, "Datastreams": [deep, {**deep, "name": ""}]}}
        assert (await client.post(f"{ROOT}/Datastreams", json=bad)).status_code == 400
        assert sta.parts.registry.version == version
        assert await posted(client, "/Datastreams", {**whole, "Thing": thing}) == "/Datastreams('gauge-1.water-level')"
        assert sta.parts.registry.version == version + 1
        assert await found.ids("/Sensors('radar')/Datastreams") == ["gauge-1.depth", "gauge-1.water-level"]
        both = ["gauge-1.water-level", "gauge-1.water-level-2"]
        assert await found.ids("/ObservedProperties('thing.water-level')/Datastreams") == both
        assert len(await found.ids("/Things('gauge-1')/HistoricalLocations")) == 2
        foam = {**LEVEL, "name": "Foam", "Datastreams": [{**salt, "Sensor": {"@iot.id": "radar"}}]}
        second = {**whole, "Sensor": {**sensor, "name": "Sonar"}, "ObservedProperty": foam}
        other = {"name": "Gauge 2", "description": "2", "Datastreams": [STREAM, second], "MultiDatastreams": [wind]}
        await posted(client, "/Things", other)
        assert "gauge-2.foam" in await found.ids("/Sensors('sonar')/Datastreams")
        assert len(await found.ids("/Sensors('sonar')/Datastreams")) == 2
        assert len(await found.ids("/Sensors('vane')/Datastreams")) == 4
        assert len(await found.ids("/ObservedProperties('thing.foam')/Datastreams")) == 2
    async with sta.client("device") as client:
        device(sta, client)
        # What hangs on a new sensor is of another's Thing.
        mine = {**STREAM, **GAUGE, "Sensor": {**SENSOR, "name": "Mine"}}
        theirs = {**deep, "Thing": {"@iot.id": "well-9"}}
        for more, code in (([theirs], 403), ([without(deep, "Thing")], 403), ([], 201)):
            body = {**mine, "Sensor": {**SENSOR, "name": "Mine", "Datastreams": more}}
            answer = await client.post(f"{ROOT}/Datastreams", json=body)
            assert answer.status_code == code, answer.text


async def test_locations_within_a_thing_bring_others_that_stand_there(sta: World) -> None:
    two: dict[str, Any] = {"name": "Two", "description": "2"}
    three: dict[str, Any] = {"name": "Three", "description": "3"}
    deep = {**two, "Datastreams": [{**STREAM, "Observations": TWO}]}
    quay = {**PLACE, "name": "Quay"}
    own = {**PLACE, "@iot.id": "gauge-1", "Things": [three]}
    async with sta.client("admin") as client:
        everyone = Desk(client)
        await posted(client, "/Things", {"name": "Four", "description": "4"})
        body = {**BARE, "Locations": [{**PLACE, "name": "Hall", "Things": [two]}, {**quay, "Things": [{"@iot.id": "four"}]}, own]}
        version = sta.parts.registry.version
        bad = {**body, "Locations": [*body["Locations"], {**PLACE, "name": "Bad", "Things": [{"@iot.id": "none"}]}]}
        assert (await client.post(f"{ROOT}/Things", json=bad)).status_code == 404
        # Who brings no observations needs no right to write any.
        refused = await client.post(f"{ROOT}/Things", json={**BARE, "Locations": [{**PLACE, "Things": [deep]}]})
        assert (refused.status_code, sta.parts.registry.version) == (403, version)
        at = await posted(client, "/Things", body)
        assert (at, sta.parts.registry.version) == ("/Things('gauge-1')", version + 1)
        for place, things in (("hall", ["gauge-1", "two"]), ("quay", ["four", "gauge-1"]), ("gauge-1", ["gauge-1", "three"])):
            assert await everyone.ids(f"/Locations('{place}')/Things") == things
    async with sta.client("device") as client:
        device(sta, client)
        for other in ("well-9", "four"):
            stranger = {**BARE, "@iot.id": "gauge-2", "Locations": [{**PLACE, "Things": [{**two, "@iot.id": other}]}]}
            assert (await client.post(f"{ROOT}/Things", json=stranger)).status_code == 403


async def test_locations_bring_the_past_of_things_that_stood_there(sta: World) -> None:
    once = {"time": "2026-11-20T00:00:00Z", "Thing": {"@iot.id": "four"}}
    new = {"time": "2026-11-20T00:00:00Z", "Thing": {"name": "Five", "description": "5"}}
    async with sta.client("admin") as client:
        everyone = Desk(client)
        await posted(client, "/Things", {"name": "Four", "description": "4", "Locations": [PLACE]})
        quay = await posted(client, "/Locations", {**PLACE, "name": "Quay", "HistoricalLocations": [once, new]})
        (four, five) = await everyone.ids(f"{quay}/HistoricalLocations")
        assert [key.partition("@")[0] for key in (four, five)] == ["five", "four"]
        assert await everyone.ids(f"{quay}/Things") == ["five"]
        hall = {**PLACE, "name": "Hall", "HistoricalLocations": [{**once, "time": "2026-11-20T01:00:00Z"}]}
        await posted(client, "/Things", {**BARE, "Locations": [hall, {**PLACE, "name": "Room"}]})
        assert len(await everyone.ids("/Locations('hall')/HistoricalLocations")) == 2
        at = await posted(client, f"{quay}/HistoricalLocations", {**once, "time": "2026-11-20T02:00:00Z"})
        assert (await said(client, at, _expand="Thing"))["Thing"]["@iot.id"] == "four"
        assert await everyone.ids(f"{at}/Locations") == ["quay"]
        both = {
            **PLACE,
            "name": "Own",
            "Things": [{"@iot.id": "five"}],
            "HistoricalLocations": [{**once, "time": "2026-11-20T03:00:00Z"}],
        }
        own = await posted(client, "/Locations", both)
        assert (await everyone.ids(f"{own}/Things"), len(await everyone.ids(f"{own}/HistoricalLocations"))) == (["five"], 2)
    async with sta.client("device") as client:
        device(sta, client)
        for body in ({**PLACE, "HistoricalLocations": [once]}, {**PLACE, "Things": [BARE], "HistoricalLocations": [once]}):
            assert (await client.post(f"{ROOT}/Locations", json=body)).status_code == 403
        thing = {**BARE, "@iot.id": "gauge-2", "Locations": [{**PLACE, "HistoricalLocations": [once]}]}
        assert (await client.post(f"{ROOT}/Things", json=thing)).status_code == 403
        assert (await client.post(f"{ROOT}{quay}/HistoricalLocations", json=once)).status_code == 403


async def test_a_historical_location_brings_its_thing(sta: World) -> None:
    thing = {**BARE, "Locations": [PLACE], "HistoricalLocations": [PAST], "Datastreams": [STREAM]}
    async with sta.client("admin") as client:
        body = {"time": "2026-11-19T00:00:00Z", "Locations": [{**PLACE, "name": "Old"}], "Thing": thing}
        version = sta.parts.registry.version
        at = await posted(client, "/HistoricalLocations", body)
        assert sta.parts.registry.version == version + 1
        found = await said(client, at, _expand="Thing($expand=Datastreams),Locations")
        assert (found["time"], found["Thing"]["@iot.id"], found["Locations"][0]["name"]) == (
            "2026-11-19T00:00:00Z",
            "gauge-1",
            "Old",
        )
        assert len(found["Thing"]["Datastreams"]) == 1
        assert len(await Desk(client).ids("/Things('gauge-1')/HistoricalLocations")) == 3
        bare: dict[str, Any] = {**body, "Thing": {**BARE, "@iot.id": "gauge-2"}}
        assert (await said(client, await posted(client, "/HistoricalLocations", bare), _expand="Thing"))["Thing"][
            "@iot.id"
        ] == "gauge-2"
        # The only place that a thing had is where it stands.
        assert (await said(client, "/Things('gauge-2')/Locations"))["value"][0]["name"] == "Old"


async def test_a_feature_within_an_observation_brings_observations_with_their_datastreams(sta: World) -> None:
    other = {"phenomenonTime": "2026-11-22T06:40:00Z", "result": 4.0, "Datastream": {**STREAM, "Thing": BARE}}
    more = [without(reading(52, 2.0), "FeatureOfInterest"), other, {**other, "phenomenonTime": "2026-11-22T06:41:00Z"}]
    more[2] = {**more[2], "Datastream": {"@iot.id": "gauge-1.water-level"}}
    pond = {**POND, "@iot.id": "pond", "Observations": more}
    async with sta.client("device") as client:
        device(sta, client)
        version = sta.parts.registry.version
        early = {**more[0], "phenomenonTime": "1999-01-01T00:00:00Z"}
        elsewhere = {**more[0], "FeatureOfInterest": {"@iot.id": "well-2"}}
        for bad in ("one", 7, early, elsewhere, {**other, "Datastream": {**STREAM, "Thing": {**BARE, "@iot.id": "other-1"}}}):
            answer = await client.post(f"{ROOT}/Observations", json=reading(51, 1.0, {**pond, "Observations": [*more, bad]}))
            assert answer.status_code in (400, 403), (bad, answer.text)
        assert (await client.post(f"{ROOT}/Observations", json=reading(51, 1.0, {**pond, "Observations": 1}))).status_code == 400
        assert (sta.parts.registry.version, sta.series.latest().num_rows) == (version, 0)
        at = await posted(client, "/Observations", reading(51, 1.0, pond))
        assert sta.parts.registry.version == version + 1
        keyed = await client.post(f"{ROOT}/Observations", json=reading(51, 1.0, pond), headers={"Idempotency-Key": "k"})
        assert keyed.status_code == 400
    async with sta.client("dispatcher") as client:
        assert (await said(client, f"{at}/FeatureOfInterest"))["name"] == "Pond"
        found = await said(client, "/FeaturesOfInterest('pond')/Observations", _expand="Datastream")
        assert [(one["result"], one["Datastream"]["@iot.id"]) for one in found["value"]] == [
            (2, "well-1.level"),
            (1, "well-1.level"),
            (4, "gauge-1.water-level"),
            (4, "gauge-1.water-level"),
        ]


async def test_it_brings_them_however_deep_it_stands_and_in_a_change_set(sta: World) -> None:
    more = [without(reading(minute, float(minute)), "FeatureOfInterest") for minute in (52, 53)]
    pond = {**POND, "@iot.id": "pond", "Observations": more}
    described = {**TWO[0], "FeatureOfInterest": pond}
    thing = {**BARE, "Datastreams": [{**STREAM, "Observations": [described]}]}
    async with sta.client("device") as client:
        device(sta, client)
        await posted(client, "/Things", thing)
        spring = {**pond, "@iot.id": "pond-2", "name": "Spring", "Observations": [without(reading(54, 5.0), "FeatureOfInterest")]}
        one = {"id": "o", "method": "post", "url": "Observations", "body": reading(55, 6.0, spring)}
        bad = {**one, "id": "b", "body": reading(56, "much")}
        assert status(await sent(client, *of_group(one, bad))) == [424, 400]
        assert status(await sent(client, *of_group(one))) == [201]
    async with sta.client("dispatcher") as client:
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [53, 52, TWO[0]["result"]]
        assert await results(client, "/FeaturesOfInterest('pond-2')/Observations") == [6, 5]


async def test_a_feature_brings_an_observation_with_its_datastream(sta: World) -> None:
    brought = {"phenomenonTime": "2026-11-22T06:40:00Z", "result": 4.0, "Datastream": {**STREAM, "Thing": BARE}}
    async with sta.client("device") as client:
        device(sta, client)
        at = await posted(client, "/FeaturesOfInterest", {**POND, "@iot.id": "pond", "Observations": [brought]})
    async with sta.client("dispatcher") as client:
        (one,) = (await said(client, f"{at}/Observations", _expand="Datastream/Thing"))["value"]
        assert (one["result"], one["Datastream"]["Thing"]["@iot.id"]) == (4, "gauge-1")
