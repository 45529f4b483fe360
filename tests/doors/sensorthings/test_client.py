"""A client that others wrote drives the door: frost-sta-client, over a socket."""

import importlib
import socket
import threading
from collections.abc import Iterator, Sequence

import pytest
import uvicorn
from requests import PreparedRequest

from tests.doors.conftest import PASSWORD, World
from tests.doors.sensorthings.conftest import ROOT
from tests.doors.sensorthings.test_multipart import KIND, asking, mixed
from tests.doors.sensorthings.worded import RESULTS, TYPES, alike, at

# By name: it has no types, and nothing of it is typed here.
frost = importlib.import_module("frost_sta_client")
pytestmark = pytest.mark.filterwarnings("ignore:furl.pathstr is deprecated:DeprecationWarning")


@pytest.fixture
def served(sta: World) -> Iterator[str]:
    """The address of the door, served."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(sta.app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{ROOT}"
        server.should_exit = True
        thread.join()


def arrayed(stream: object, also: Sequence[str], *observations: object) -> object:
    """Observations of a Datastream as a document of data arrays with times, results, and the components named ``also``."""
    rows = frost.model.ext.data_array_value.DataArrayValue()
    rows.datastream = stream
    rows.components = {rows.Property[name] for name in ("PHENOMENON_TIME", "RESULT", *also)}
    for one in observations:
        rows.add_observation(one)
    document = frost.model.ext.data_array_document.DataArrayDocument()
    document.add_data_array_value(rows)
    return document


def test_frost_client_writes_and_reads(sta: World, served: str) -> None:
    probe = frost.SensorThingsService(served, auth_handler=frost.AuthHandler("probe", sta.secret))
    stream = frost.Datastream(id="well-1.level")
    one = frost.Observation(result=12.5, phenomenon_time="2026-11-22T06:59:00Z", datastream=stream)
    probe.create(one)
    assert one.id.startswith("1.")

    pairs = ((57, 10.0), (58, 11.0))
    document = arrayed(
        stream, (), *(frost.Observation(result=value, phenomenon_time=f"2026-11-22T06:{at}:00Z") for at, value in pairs)
    )
    assert len(probe.observations().create(document)) == 2

    sta.parts.accounts.create("派遣员", "desk", PASSWORD, ["dispatcher"])
    desk = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("desk", PASSWORD)))
    things = desk.things().query().filter("properties/kind eq 'well'").orderby("id", "ASC").count().list()
    assert (things.count, [thing.id for thing in things.entities]) == (2, ["well-1", "well-2"])
    found = desk.datastreams().find("well-1.level")
    assert (found.name, found.unit_of_measurement.symbol, found.properties["life"]) == ("井1 · 水位", "m", "live")
    newest = found.get_observations().query().orderby("phenomenonTime", "DESC").top(2).list()
    assert [each.result for each in newest.entities[:2]] == [12.5, 11.0]
    assert [each.result for each in found.get_observations().query().top(1).list()] == [12.5, 11.0, 10.0]
    assert desk.observations().find(one.id).result == 12.5


def test_frost_client_makes_changes_and_deletes(sta: World, served: str) -> None:
    sta.parts.accounts.create("管理员", "house", PASSWORD, ["admin"])
    house = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("house", PASSWORD)))
    model = frost.model.ext
    unit = model.unitofmeasurement.UnitOfMeasurement(name="Metre", symbol="m", definition="https://ucum.org")
    stream = frost.Datastream(
        name="Level at the bridge",
        description="Every ten minutes",
        observation_type="http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        unit_of_measurement=unit,
        sensor=frost.Sensor(name="Gauge U-7", description="Ultrasonic", encoding_type="text/plain", metadata="U-7"),
        observed_property=frost.ObservedProperty(name="Water level", definition="urn:level", description="Of the river"),
    )
    place = frost.Location(
        name="North pier",
        description="Third arch",
        encoding_type="application/geo+json",
        location={"type": "Point", "coordinates": [117.1, 39.1]},
    )
    gauge = frost.Thing(
        name="River gauge", description="A gauge", properties={"owner": "water"}, locations=[place], datastreams=[stream]
    )
    house.create(gauge)
    assert gauge.id == "river-gauge"

    found = house.things().query().filter("id eq 'river-gauge'").expand("Datastreams($expand=Sensor),Locations").list()
    (whole,) = found.entities
    assert [one.id for one in whole.datastreams.entities] == ["river-gauge.water-level"]
    assert whole.datastreams.entities[0].sensor.metadata == "U-7"
    assert whole.locations.entities[0].location["coordinates"] == [117.1, 39.1]

    # The client says the @iot.id of what it changes, in PUT and in PATCH.
    again = house.things().find("river-gauge")
    again.name = "River gauge 2"
    house.update(again)
    house.patch(
        again,
        [{"op": "replace", "path": "/properties/owner", "value": "roads"}, {"op": "test", "path": "/name", "value": again.name}],
    )
    now = house.things().find("river-gauge")
    assert (now.name, now.properties) == ("River gauge 2", {"owner": "roads"})
    answer = house.execute("patch", f"{served}/Things('river-gauge')", json={"@iot.id": "river-gauge", "description": "Moved"})
    assert answer.status_code == 200
    assert house.things().find("river-gauge").description == "Moved"

    kept = house.datastreams().find("river-gauge.water-level")
    kept.description = "Every five minutes"
    house.update(kept)
    assert house.datastreams().find("river-gauge.water-level").description == "Every five minutes"
    house.delete(kept)
    assert house.things().find("river-gauge").get_datastreams().query().list().entities == []
    house.delete(now)
    with pytest.raises(Exception, match="404"):
        house.things().find("river-gauge")


def test_frost_client_writes_the_past_of_a_place(sta: World, served: str) -> None:
    sta.parts.accounts.create("管理员", "house", PASSWORD, ["admin"])
    house = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("house", PASSWORD)))
    geojson = {"type": "Point", "coordinates": [117.1, 39.1]}
    place = frost.Location(name="Old pier", description="Third arch", encoding_type="application/geo+json", location=geojson)
    gauge = frost.Thing(name="Gauge", description="A gauge")
    house.create(gauge)
    past = frost.HistoricalLocation(time="2026-11-20T00:00:00Z", thing=frost.Thing(id=gauge.id), locations=[place])
    house.create(past)
    # The first place that a thing has is where it stands.
    (now,) = house.things().find("gauge").get_locations().query().list().entities
    assert (now.id, now.name, now.location["coordinates"]) == ("gauge", "Old pier", [117.1, 39.1])
    place.name, past.time = "Older pier", "2026-11-19T00:00:00Z"
    house.create(past)
    found = house.historical_locations().find(past.id)
    found.time = "2026-11-18T12:00:00Z"
    house.update(found)
    house.patch(found, [{"op": "replace", "path": "/time", "value": "2026-11-18T00:00:00Z"}])
    assert house.historical_locations().find(past.id).time == "2026-11-18T00:00:00Z"
    house.delete(found)
    with pytest.raises(Exception, match="404"):
        house.historical_locations().find(past.id)


def test_frost_client_has_several_things_at_one_location(sta: World, served: str) -> None:
    sta.parts.accounts.create("管理员", "house", PASSWORD, ["admin"])
    house = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("house", PASSWORD)))
    pier = frost.Location(
        name="Pier",
        description="North",
        encoding_type="application/geo+json",
        location={"type": "Point", "coordinates": [117.1, 39.1]},
    )
    house.create(pier)
    assert pier.id == "pier"
    for name in ("One", "Two"):
        house.create(frost.Thing(name=name, description="A gauge", locations=[frost.Location(id=pier.id)]))
    found = house.locations().find("pier")
    assert [one.id for one in found.get_things().query().list()] == ["one", "two"]
    found.location = {"type": "Point", "coordinates": [117.15, 39.1]}
    house.update(found)
    (now,) = house.things().find("two").get_locations().query().list().entities
    assert (now.id, now.location["coordinates"]) == ("pier", [117.15, 39.1])
    house.delete(found)
    assert house.things().find("two").get_locations().query().list().entities == []


def test_frost_client_makes_a_feature_and_observes_it(sta: World, served: str) -> None:
    sta.parts.accounts.create("管理员", "house", PASSWORD, ["admin"])
    house = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("house", PASSWORD)))
    geojson = {"type": "Point", "coordinates": [117.1, 39.1]}
    pond = frost.FeatureOfInterest(
        name="Pond", description="Behind the mill", encoding_type="application/geo+json", feature=geojson
    )
    house.create(pond)
    assert pond.id == "pond"
    probe = frost.SensorThingsService(served, auth_handler=frost.AuthHandler("probe", sta.secret))
    one = frost.Observation(
        result=12.5,
        phenomenon_time="2026-11-22T06:59:00Z",
        datastream=frost.Datastream(id="well-1.level"),
        feature_of_interest=frost.FeatureOfInterest(id=pond.id),
    )
    probe.create(one)
    sta.parts.accounts.create("派遣员", "desk", PASSWORD, ["dispatcher"])
    desk = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("desk", PASSWORD)))
    found = desk.observations().query().filter("Datastream/id eq 'well-1.level'").expand("FeatureOfInterest").list()
    assert [(each.result, each.feature_of_interest.name) for each in found.entities] == [(12.5, "Pond")]
    assert [each.result for each in desk.features_of_interest().find("pond").get_observations().query().list()] == [12.5]
    again = house.features_of_interest().find("pond")
    again.description = "Behind the old mill"
    house.update(again)
    assert house.features_of_interest().find("pond").description == "Behind the old mill"


def test_frost_client_describes_a_feature_within_an_observation(sta: World, served: str) -> None:
    secret = sta.parts.accounts.devices.create("塔", "scout", ["well-1", "+mill-*"])
    scout = frost.SensorThingsService(served, auth_handler=frost.AuthHandler("scout", secret))
    geojson = {"type": "Point", "coordinates": [117.1, 39.1]}
    for minute, result in ((58, 12.5), (59, 13.5)):
        pond = frost.FeatureOfInterest(
            name="Mill pond", description="Behind the mill", encoding_type="application/geo+json", feature=geojson
        )
        stream = frost.Datastream(id="well-1.level")
        time = f"2026-11-22T06:{minute}:00Z"
        scout.create(frost.Observation(result=result, phenomenon_time=time, datastream=stream, feature_of_interest=pond))

    third = frost.Observation(result=14.5, phenomenon_time="2026-11-22T06:57:00Z")
    third.feature_of_interest = frost.FeatureOfInterest(id="mill-pond")
    document = arrayed(frost.Datastream(id="well-1.level"), ("FEATURE_OF_INTEREST",), third)
    assert len(scout.observations().create(document)) == 1

    sta.parts.accounts.create("派遣员", "desk", PASSWORD, ["dispatcher"])
    desk = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("desk", PASSWORD)))
    (found,) = desk.features_of_interest().query().filter("name eq 'Mill pond'").list().entities
    assert (found.id, found.description, found.feature["coordinates"]) == ("mill-pond", "Behind the mill", [117.1, 39.1])
    assert [each.result for each in found.get_observations().query().list()] == [13.5, 12.5, 14.5]


def test_frost_client_says_when_a_result_was_and_how(sta: World, served: str) -> None:
    device = frost.SensorThingsService(served, auth_handler=frost.AuthHandler("probe", sta.secret))
    hour = "2026-11-22T05:00:00Z/2026-11-22T06:00:00Z"
    told = {"result_time": "2026-11-22T06:58:30Z", "parameters": {"by": "hand"}, "result_quality": "good", "valid_time": hour}
    level = frost.Datastream(id="well-1.level")
    device.create(frost.Observation(result=12.5, phenomenon_time="2026-11-22T06:58:00Z", datastream=level, **told))
    device.create(frost.Observation(result=11.5, phenomenon_time=hour, datastream=level))

    third = frost.Observation(result=14.5, phenomenon_time="2026-11-22T06:57:00Z", result_time="2026-11-22T06:59:00Z")
    third.parameters = {"by": "car"}
    assert len(device.observations().create(arrayed(level, ("RESULT_TIME", "PARAMETERS"), third))) == 1

    sta.parts.accounts.create("派遣员", "desk", PASSWORD, ["dispatcher"])
    desk = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("desk", PASSWORD)))
    found = list(desk.datastreams().find("well-1.level").get_observations().query().orderby("resultTime", "DESC").list())
    assert [(each.result, (each.parameters or {}).get("by")) for each in found] == [(14.5, "car"), (12.5, "hand"), (11.5, None)]
    assert (found[1].result_quality, found[2].phenomenon_time) == ("good", hour)


@pytest.mark.thorough
def test_frost_client_changes_and_deletes_an_observation(sta: World, served: str) -> None:
    probe = frost.SensorThingsService(served, auth_handler=frost.AuthHandler("probe", sta.secret))
    for minute, result in ((58, 12.5), (59, 99.0)):
        time, stream = f"2026-11-22T06:{minute}:00Z", frost.Datastream(id="well-1.level")
        probe.create(frost.Observation(result=result, phenomenon_time=time, datastream=stream))
    sta.parts.accounts.create("数据员", "office", PASSWORD, ["data_officer"])
    office = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("office", PASSWORD)))
    level = office.datastreams().find("well-1.level")
    (wrong, _) = level.get_observations().query().orderby("phenomenonTime", "DESC").list().entities
    # The client sends all that it read, the correction's own mark too once there is one.
    for result in (9.0, 9.5):
        wrong.result = result
        office.update(wrong)
        wrong = office.observations().find(wrong.id)
        assert (wrong.result, wrong.result_quality[0]["nameOfMeasure"]) == (result, "correction")
    office.patch(wrong, [{"op": "replace", "path": "/result", "value": 9.9}])
    assert office.observations().find(wrong.id).result == 9.9
    office.delete(wrong)
    assert [each.result for each in level.get_observations().query().list()] == [12.5]
    for late in (office.delete, office.update):
        with pytest.raises(Exception, match="404"):
            late(wrong)
    with pytest.raises(Exception, match="403"):
        probe.delete(wrong)


def test_frost_client_sends_a_change_set(sta: World, served: str) -> None:
    sta.parts.accounts.create("管理员", "house", PASSWORD, ["admin"])
    house = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("house", PASSWORD)))
    made = asking("POST Things HTTP/1.1", {"name": "Gauge", "description": "A gauge"}, "1")
    body = mixed([made, asking("PATCH $1 HTTP/1.1", {"description": "Changed"}, "2")])
    answer = house.execute("post", f"{served}/$batch", data=body.encode(), headers={"Content-Type": KIND})
    assert answer.headers["Content-Type"].startswith("multipart/mixed; boundary=")
    assert house.things().find("gauge").description == "Changed"


def signed_in(token: str) -> object:
    """What signs the client's requests with a session's token."""

    def sign(request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    handler = frost.AuthHandler()
    handler.add_auth_header = lambda: sign
    return handler


def test_frost_client_writes_words_and_reads_them(sta: World, served: str) -> None:
    sta.parts.accounts.create("管理员", "house", PASSWORD, ["admin"])
    house = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("house", PASSWORD)))
    unit = frost.model.ext.unitofmeasurement.UnitOfMeasurement(name="", symbol="", definition="")
    streams = [
        frost.Datastream(
            name=name,
            description=name,
            observation_type=kind,
            unit_of_measurement=unit,
            sensor=frost.Sensor(name=name, description=name, encoding_type="text/plain", metadata=name),
            observed_property=frost.ObservedProperty(name=name, definition=f"urn:{name}", description=name),
        )
        for name, kind in TYPES.items()
    ]
    house.create(frost.Thing(name="Box", description="A box", properties={}, datastreams=streams))
    secret = sta.parts.accounts.devices.create("盒", "box", ["box"])
    box = frost.SensorThingsService(served, auth_handler=frost.AuthHandler("box", secret))
    for name, results in RESULTS.items():
        own = frost.Datastream(id=f"box.{name}")
        for minute, result in enumerate(results[:2], 10):
            box.create(frost.Observation(result=result, phenomenon_time=at(minute), datastream=own))
        pairs = enumerate(results[2:], 12)
        rows = arrayed(own, (), *(frost.Observation(result=one, phenomenon_time=at(minute)) for minute, one in pairs))
        assert len(box.observations().create(rows)) == 2
    sta.parts.accounts.create("派遣员", "desk", PASSWORD, ["dispatcher"])
    desk = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("desk", PASSWORD)))
    for name, results in RESULTS.items():
        found = desk.datastreams().find(f"box.{name}")
        assert found.observation_type == TYPES[name]
        listed = found.get_observations().query().orderby("phenomenonTime", "ASC").list()
        assert alike([one.result for one in listed.entities], results)
    rain = desk.datastreams().find("box.sky").get_observations().query().filter("result eq 'rain'").count().list()
    assert (rain.count, [one.result for one in rain.entities]) == (2, ["rain", "rain"])
