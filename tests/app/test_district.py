"""The demo district, and the beginning of a real one."""

import csv
from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import shapely

from citybrain.app import district
from citybrain.app.settings import load
from citybrain.kernel.access import Role
from citybrain.kernel.errors import ConflictError, NotFoundError
from citybrain.kernel.places import Area

SOURCE = Path(__file__).parents[2] / "data" / "district"
AREAS = district.demo_areas(district.read_shape(SOURCE), np.random.default_rng(7))


def polygon(area: Area) -> shapely.Polygon:
    found = shapely.from_wkb(area.wkb)
    assert isinstance(found, shapely.Polygon)
    return found


def test_the_demo_district_has_all_four_levels_in_their_numbers() -> None:
    levels = Counter(area.level for area in AREAS)
    communities = Counter(area.parent for area in AREAS if area.level == "community")

    assert (levels["district"], levels["subdistrict"]) == (1, 12)
    assert set(communities.values()) <= set(range(6, 16))
    assert 1_500 <= levels["grid"] <= 2_500
    assert AREAS[0].code == "990104"


def test_every_area_lies_in_its_parent_and_the_children_fill_it() -> None:
    size = {area.code: polygon(area).area for area in AREAS}
    children: dict[str, list[float]] = {}
    for area in AREAS:
        if area.parent is not None:
            children.setdefault(area.parent, []).append(size[area.code])

    assert all(sum(parts) == pytest.approx(size[code], rel=1e-9) for code, parts in children.items())
    assert set(children) == {area.code for area in AREAS if area.level != "grid"}


def test_numbers_run_from_one_without_a_hole() -> None:
    serials: dict[str, list[int]] = {}
    for area in AREAS:
        if area.parent is not None:
            serials.setdefault(area.parent, []).append(int(area.code[-3:]))

    assert all(found == list(range(1, len(found) + 1)) for found in serials.values())


def test_the_first_subdistrict_lies_in_the_north_and_the_last_in_the_south() -> None:
    middles = [polygon(area).centroid.y for area in AREAS if area.level == "subdistrict"]

    assert middles[0] > np.median(middles) > middles[-1]


def test_no_name_is_that_of_a_place_in_nankai() -> None:
    with (SOURCE / "120104.csv").open(encoding="utf-8", newline="") as lines:
        real = {row[key].removesuffix("社区居委会") for row in csv.DictReader(lines) for key in ("zh", "en")}
    invented = {name.removesuffix("社区") for area in AREAS for name in (area.name.zh, area.name.en)}

    assert real & invented == set()
    assert {area.origin for area in AREAS} == {"generated"}


def test_names_are_bilingual_and_no_community_has_the_name_of_another() -> None:
    communities = [area.name for area in AREAS if area.level == "community"]

    assert all(area.name.zh and area.name.en.isascii() for area in AREAS)
    assert len({name.zh for name in communities}) == len({name.en for name in communities}) == len(communities)


def test_stations_stand_well_inside_their_subdistrict() -> None:
    points = district.stage(AREAS).subdistricts
    outlines = {area.code: polygon(area) for area in AREAS}

    assert len(points) == 12
    for code, place in points:
        spot = shapely.Point(place.lon, place.lat)
        assert outlines[code].contains(spot)
        assert outlines[code].boundary.distance(spot) > 0.002


def test_every_role_can_sign_in_and_every_unit_named_exists() -> None:
    units = district.demo_units(AREAS)
    accounts = district.demo_accounts()

    assert {account.role for account in accounts} == set(get_args(Role))
    assert {account.unit for account in accounts} - {None} <= {unit.id for unit in units}
    assert len({account.login for account in accounts}) == len(accounts)
    assert {account.login for account in accounts} >= set(get_args(Role))
    assert sum("subdistrict" in unit.duties for unit in units) == 12


def test_a_real_district_begins_with_real_names_no_geometry_and_no_accounts(tmp_path: Path) -> None:
    written = district.init(tmp_path, SOURCE, "120104", force=False)
    settings = load(tmp_path / "citybrain.toml")
    areas = district.read_areas(tmp_path / "areas.json")

    assert sorted(path.name for path in written) == ["areas.json", "citybrain.toml"]
    assert (settings.district, settings.district_name.zh, settings.case_prefix) == ("120104", "南开区", "NK")
    assert Counter(area.level for area in areas) == {"district": 1, "subdistrict": 12, "community": 171}
    assert {(area.wkb, area.origin) for area in areas} == {(b"", "unsurveyed")}
    assert next(area.name.zh for area in areas if area.code == "120104009") == "王顶堤街道"
    assert all(area.name.en.isascii() and area.name.en for area in areas)


def test_beginning_again_writes_nothing(tmp_path: Path) -> None:
    district.init(tmp_path, SOURCE, "120104", force=False)

    assert district.init(tmp_path, SOURCE, "120104", force=False) == ()


def test_what_was_changed_by_hand_is_not_overwritten_unless_forced(tmp_path: Path) -> None:
    district.init(tmp_path, SOURCE, "120104", force=False)
    (tmp_path / "citybrain.toml").write_text('district = "120104"\nport = 9000\n', encoding="utf-8")
    (tmp_path / "areas.json").unlink()

    with pytest.raises(ConflictError, match="citybrain"):
        district.init(tmp_path, SOURCE, "120104", force=False)
    assert not (tmp_path / "areas.json").exists()
    assert len(district.init(tmp_path, SOURCE, "120104", force=True)) == 2
    assert load(tmp_path / "citybrain.toml").port == 8000


@pytest.mark.parametrize("code", ["110101", "120104001"])
def test_a_district_without_names_is_refused_with_those_there_are(tmp_path: Path, code: str) -> None:
    with pytest.raises(NotFoundError, match="There are: 120104"):
        district.init(tmp_path, SOURCE, code, force=False)
