"""Layers: GeoJSON with latest values, and no geometry for the public without a map approval number."""

import msgspec
import shapely

from citybrain.brain.see import layers
from citybrain.kernel.datasets import Figure
from citybrain.kernel.instant import Instant
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity
from tests.brain.see.conftest import AREAS, NOW, stream, streams

SQUARE = shapely.to_wkb(shapely.box(117.123456789, 39.1, 117.2, 39.2))
AREA = msgspec.structs.replace(AREAS[1], wkb=SQUARE)
STATION = Entity(
    "air-01", "air_station", Text("一号街监测点", "No. 1"), Place(117.1234567, 39.1), AREA.code, {}, 1, Instant(0), None, "demo"
)


class Feature(msgspec.Struct):
    geometry: dict[str, object] | None
    properties: dict[str, object]


def features(layer: layers.Collection) -> list[Feature]:
    return msgspec.convert(layer["features"], list[Feature])


def test_an_area_carries_its_figures_and_a_dead_one_has_its_reason() -> None:
    reason = Text("无监测站", "no station")
    figures = (
        Figure("mean_aqi", 1, AREA.code, None, 0, reason, NOW, NOW, "demo"),
        Figure("mean_aqi", 1, None, 88.0, 1, None, NOW, NOW, "demo"),
    )
    (feature,) = features(layers.areas((AREA,), figures))
    assert feature.geometry is not None
    assert feature.geometry["type"] == "Polygon"
    assert "[117.12346, 39.1]" in str(feature.geometry["coordinates"])
    assert feature.properties["figures"] == {
        "mean_aqi": {"value": None, "unknown": 0, "reason": {"zh": "无监测站", "en": "no station"}, "as_of": "2026-11-22T07:00:00Z"}
    }


def test_a_thing_shows_every_field_with_its_life() -> None:
    rows = streams(stream("air-01.pm25", value=35.0), stream("air-01.no2", "never"))()
    (feature,) = features(layers.things((STATION,), rows))
    assert feature.geometry == {"type": "Point", "coordinates": [117.12346, 39.1]}
    assert feature.properties["demo"] is True
    assert feature.properties["values"] == {
        "pm25": {"value": 35.0, "unit": "ug/m3", "time": "2026-11-22T07:00:00Z", "life": "live"},
        "no2": {"value": None, "unit": "ug/m3", "time": None, "life": "never"},
    }


def test_the_public_gets_no_geometry_until_the_map_is_approved() -> None:
    layer = layers.things((STATION,), streams()())
    bare = layers.public(layer, "")
    assert [feature.geometry for feature in features(bare)] == [None]
    assert bare["note"] == {"zh": "示意，不含地理位置", "en": "Schematic, without positions"}
    assert "117" not in str(bare)
    assert layers.public(layer, "津S（2026）001")["features"] == layer["features"]
