"""frost-sta-client links what is new to what packs declare, and deletes a feature with the Observations about it, over a socket."""

import pytest

from tests.doors.conftest import PASSWORD, World
from tests.doors.sensorthings.test_client import frost, served, signed_in

__all__ = ["served"]
pytestmark = pytest.mark.filterwarnings("ignore:furl.pathstr is deprecated:DeprecationWarning")


def test_frost_client_links_deletes_and_changes_a_unit(sta: World, served: str) -> None:
    sta.parts.accounts.create("管理和数据", "steward", PASSWORD, ["admin", "data_officer"])
    steward = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("steward", PASSWORD)))
    gauge = frost.Thing(name="Gauge", description="At the well", locations=[frost.Location(id="well-1")])
    steward.create(gauge)
    here = steward.things().find(gauge.id).get_locations().query().list()
    assert [each.id for each in here.entities] == ["well-1"]

    source = sta.parts.registry.stream("well-1.level").source
    model = frost.model.ext
    stream = frost.Datastream(
        name="Level",
        description="Beside the well's own",
        observation_type="http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        unit_of_measurement=model.unitofmeasurement.UnitOfMeasurement(name="Metre", symbol="m", definition="urn:m"),
        thing=frost.Thing(id=gauge.id),
        sensor=frost.Sensor(id=source),
        observed_property=frost.ObservedProperty(name="Water level", definition="urn:level", description="Of the well"),
    )
    steward.create(stream)
    again = steward.datastreams().find(stream.id)
    again.unit_of_measurement = model.unitofmeasurement.UnitOfMeasurement(name="Centimetre", symbol="cm", definition="urn:cm")
    steward.update(again)
    assert steward.datastreams().find(stream.id).unit_of_measurement.symbol == "cm"
    assert (
        steward.datastreams().query().filter(f"Sensor/id eq '{source}' and id eq '{stream.id}'").list().entities[0].name == "Level"
    )

    pond = frost.FeatureOfInterest(
        name="Pond",
        description="Behind the mill",
        encoding_type="application/geo+json",
        feature={"type": "Point", "coordinates": [117.1, 39.1]},
    )
    steward.create(pond)
    probe = frost.SensorThingsService(served, auth_handler=frost.AuthHandler("probe", sta.secret))
    for minute, feature in ((58, {"feature_of_interest": frost.FeatureOfInterest(id=pond.id)}), (59, {})):
        time, level = f"2026-11-22T06:{minute}:00Z", frost.Datastream(id="well-1.level")
        probe.create(frost.Observation(result=float(minute), phenomenon_time=time, datastream=level, **feature))
    steward.delete(steward.features_of_interest().find(pond.id))
    left = steward.observations().query().filter("Datastream/id eq 'well-1.level'").list()
    assert [each.result for each in left.entities] == [59]
    with pytest.raises(Exception, match="404"):
        steward.features_of_interest().find(pond.id)
