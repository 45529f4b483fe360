"""Map layers: nothing enters from the wrong coordinate system, and each wrong feature says why."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry import mapping

from citybrain.app import layers
from citybrain.app.city import City
from citybrain.app.cli import main
from citybrain.kernel.coordinates import System, bd09_from_gcj02, gcj02_from_wgs84
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Text
from tests.app.conftest import furnished

SHARED = Path(__file__).parents[3] / "shared" / "data"
STATIONS = {f"s{number}": (117.1 + number / 50, 39.05 + number / 40) for number in range(5)}


def told(lon: float, lat: float, system: System) -> tuple[float, float]:
    """A WGS 84 point as a map of that system writes it."""
    x, y = np.array([lon]), np.array([lat])
    if system in ("GCJ02", "BD09"):
        x, y = gcj02_from_wgs84(x, y)
    if system == "BD09":
        x, y = bd09_from_gcj02(x, y)
    return float(x[0]), float(y[0])


def point(name: str, lon: float, lat: float, **more: object) -> dict[str, object]:
    geometry = {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "id": name, "geometry": geometry, "properties": {"name": f"站{name}", "en": name, **more}}


def layer(folder: Path, *features: object) -> Path:
    file = folder / "stations.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return file


def control(folder: Path, points: dict[str, tuple[float, float]] = STATIONS) -> Path:
    file = folder / "control.csv"
    lines = [f"{name},{lon},{lat}" for name, (lon, lat) in points.items()]
    file.write_text("\n".join(["id,lon,lat", *lines]), encoding="utf-8")
    return file


@pytest.mark.parametrize("system", ["WGS84", "CGCS2000", "GCJ02", "BD09"])
def test_a_layer_enters_at_its_true_place_from_every_system(city: City, tmp_path: Path, system: System) -> None:
    file = layer(tmp_path, *(point(name, *told(*place, system)) for name, place in STATIONS.items()))
    report = layers.bring_in(city, file, "air_station", system, control(tmp_path))
    assert report.taken == tuple(STATIONS)
    assert report.refused == ()
    assert report.metres < 1
    station = city.registry.entity("s1")
    assert station.place is not None
    assert (station.place.lon, station.place.lat) == pytest.approx(STATIONS["s1"], abs=1e-6)
    assert (station.title, station.area, station.origin) == (Text("站s1", "s1"), "990104001", "real")


@pytest.mark.parametrize(("true", "declared"), [("GCJ02", "WGS84"), ("BD09", "GCJ02"), ("WGS84", "GCJ02"), ("GCJ02", "CGCS2000")])
def test_a_layer_in_another_system_than_declared_is_refused_whole_and_the_true_one_is_named(
    city: City, tmp_path: Path, true: System, declared: System
) -> None:
    file = layer(tmp_path, *(point(name, *told(*place, true)) for name, place in STATIONS.items()))
    with pytest.raises(BadInputError, match=f"probably {true}"):
        layers.bring_in(city, file, "air_station", declared, control(tmp_path))
    assert [entity.id for entity in city.registry.entities("air_station")] == ["air-01"]


def test_a_layer_from_elsewhere_and_one_without_enough_control_points_are_refused(city: City, tmp_path: Path) -> None:
    file = layer(tmp_path, *(point(name, lon + 0.1, lat) for name, (lon, lat) in STATIONS.items()))
    with pytest.raises(BadInputError, match="no known system"):
        layers.bring_in(city, file, "air_station", "WGS84", control(tmp_path))
    few = control(tmp_path, {"s0": STATIONS["s0"], "s1": STATIONS["s1"]})
    with pytest.raises(BadInputError, match="Only 2 features"):
        layers.bring_in(city, file, "air_station", "WGS84", few)


def test_each_wrong_feature_is_refused_with_its_reason_and_the_others_enter(city: City, tmp_path: Path) -> None:
    good = [point(name, *place) for name, place in STATIONS.items()]
    bad = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [117.1, 39.1]}, "properties": {}},
        {"type": "Feature", "id": "x", "geometry": None, "properties": {"name": "无"}},
        {"type": "Feature", "id": "y", "geometry": {"type": "Point", "coordinates": ["a"]}, "properties": {"name": "坏"}},
        point("s0", 117.1, 39.1),
        point("far", 118.5, 39.1),
        {**point("shape", 0, 0), "geometry": mapping(shapely.box(117.1, 39.1, 117.2, 39.15))},
        point("seen", 117.11, 39.11, colour="red"),
    ]
    report = layers.bring_in(city, layer(tmp_path, *good, *bad), "air_station", "WGS84", control(tmp_path))
    assert report.taken == (*STATIONS, "seen")
    assert [one.row for one in report.refused] == [5, 6, 7, 8, 9, 10]
    reasons = ["no id or no name", "no geometry", "cannot be read", "twice", "outside the district", "points"]
    assert all(reason in one.why.en for reason, one in zip(reasons, report.refused, strict=True))
    assert report.aside == ("colour",)
    before = city.registry.entity("s1")
    layers.bring_in(city, layer(tmp_path, *good), "air_station", "WGS84", control(tmp_path))
    assert city.registry.entity("s1") == before


def test_outlines_of_areas_enter_by_their_code_and_a_bowtie_is_refused(city: City, tmp_path: Path) -> None:
    boxes = {f"99010400{number}": shapely.box(117 + number / 20, 39, 117.05 + number / 20, 39.2) for number in (2, 3, 4)}
    outlines = [
        {"type": "Feature", "geometry": mapping(box), "properties": {"code": code, "name": f"{code}街道"}}
        for code, box in boxes.items()
    ]
    bowtie = shapely.Polygon([(117, 39), (117.1, 39.1), (117.1, 39), (117, 39.1)])
    wrong = {"type": "Feature", "geometry": mapping(bowtie), "properties": {"code": "990104009", "name": "领结"}}
    centres = {code: (box.centroid.x, box.centroid.y) for code, box in boxes.items()}
    report = layers.bring_in(city, layer(tmp_path, *outlines, wrong), "area", "CGCS2000", control(tmp_path, centres))
    assert report.taken == tuple(boxes)
    assert "Self-intersection" in report.refused[0].why.en
    area = city.areas.area("990104003")
    assert (area.level, area.parent, area.origin) == ("subdistrict", "990104", "surveyed")


def test_the_command_says_what_was_taken_and_what_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "var"
    with furnished(state):
        pass
    file = layer(tmp_path, *(point(name, *place) for name, place in STATIONS.items()), point("far", 118.5, 39.1))
    ask = ["import", str(file), "--state", str(state)]
    assert main(ask) == 2
    assert "--control" in capsys.readouterr().err
    ask += ["--kind", "air_station", "--crs", "WGS84", "--control", str(control(tmp_path))]
    assert main(ask) == 0
    said = capsys.readouterr()
    assert "taken=5 refused=1 control=0.0 m" in said.out
    assert "5: 位于本区之外" in said.err


@pytest.mark.skipif(not SHARED.exists(), reason="the judging data is not on this machine")
def test_the_metro_of_the_city_is_found_to_be_in_gcj02(city: City, tmp_path: Path) -> None:
    with (SHARED / "geo_metro" / "stations_near_nankai_check.csv").open(encoding="utf-8-sig", newline="") as lines:
        known = {row["station"]: (float(row["lng_wgs84"]), float(row["lat_wgs84"])) for row in csv.DictReader(lines)}
    file = SHARED / "geo_metro" / "tianjin-station_amap2020.geojson"
    with pytest.raises(BadInputError, match="probably"):
        layers.bring_in(city, file, "air_station", "BD09", control(tmp_path, known))


@pytest.mark.skipif(not SHARED.exists(), reason="the judging data is not on this machine")
def test_the_districts_outline_turned_from_gcj02_covers_the_independent_one() -> None:
    """IoU 0.948 after the turn, 0.726 before (the catalogue's known answer)."""

    def outline(name: str, code: str) -> shapely.Geometry:
        features = json.loads((SHARED / "geo_nankai" / name).read_text("utf-8"))["features"]
        found = next(each for each in features if code in json.dumps(each["properties"]))
        return shapely.from_geojson(json.dumps(found["geometry"]))

    theirs = outline("tianjin_districts_wgs84_tianditu.geojson", "120104")
    ours = outline("nankai_boundary_gcj02.geojson", "120104")
    turned = layers.turned(ours, "GCJ02")
    assert turned.intersection(theirs).area / turned.union(theirs).area == pytest.approx(0.948, abs=0.002)
    assert ours.intersection(theirs).area / ours.union(theirs).area == pytest.approx(0.726, abs=0.002)
