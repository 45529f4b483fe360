"""Map images: proportions, the schematic that gives nothing away, and colours that can be read."""

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.text import Text, same
from citybrain.web import mapimage, render
from citybrain.web.map_views import Level, Map, Shape
from tests.web import examples


def square(name: str, lon: float, lat: float, size: float = 0.01) -> Shape:
    """A square in degrees, with its south-west corner given."""
    ring = ((lon, lat), (lon + size, lat), (lon + size, lat + size), (lon, lat + size), (lon, lat))
    return Shape(name, same(name), (ring,))


def test_a_degree_of_longitude_is_shortened_by_the_cosine_of_the_latitude() -> None:
    picture = mapimage.draw(Map("m", same("m"), (square("a", 117.0, 60.0),)))
    xs = [float(x) for x in re.findall(r"[ML](\S+) ", picture.areas[0].path)]
    ys = [float(y) for y in re.findall(r" ([\d.]+)", picture.areas[0].path)]
    assert abs((max(xs) - min(xs)) / (max(ys) - min(ys)) - 0.5) < 0.01


def test_north_is_up_and_the_label_stands_in_the_middle() -> None:
    picture = mapimage.draw(Map("m", same("m"), (square("south", 117.0, 39.0), square("north", 117.0, 39.02))))
    south, north = picture.areas
    assert north.y < south.y
    lon, lat = mapimage.middle(square("a", 117.0, 39.0).rings)
    assert abs(lon - 117.005) < 1e-6
    assert abs(lat - 39.005) < 1e-6


def test_a_schematic_gives_no_coordinate_away() -> None:
    html = render.render(examples.PORTAL, examples.page("zh", "/"))
    for shape in examples.SHAPES:
        for lon, lat in shape.rings[0]:
            assert f"{lon:.3f}"[:7] not in html
            assert f"{lat:.3f}"[:6] not in html
    assert "cb-map" not in html
    assert "geojson" not in html


def test_the_schematic_is_the_same_however_large_the_district_is() -> None:
    near = Map("m", same("m"), tuple(square(f"{i}", 117 + i % 3 * 0.02, 39 + i // 3 * 0.02) for i in range(9)), tiles=True)
    far = Map("m", same("m"), tuple(square(f"{i}", 117 + i % 3 * 0.2, 39 + i // 3 * 0.2) for i in range(9)), tiles=True)
    assert [area.path for area in mapimage.draw(near).areas] == [area.path for area in mapimage.draw(far).areas]


@given(st.lists(st.tuples(st.floats(116, 118), st.floats(38, 40)), max_size=40))
def test_every_place_gets_a_seat_of_its_own_and_rows_have_no_hole(spots: list[tuple[float, float]]) -> None:
    seats = mapimage.seats_for([(f"{index}", lon, lat) for index, (lon, lat) in enumerate(spots)])
    assert len(set(seats.values())) == len(spots)
    for row in {row for _, row in seats.values()}:
        columns = sorted(column for column, other in seats.values() if other == row)
        assert columns == list(range(len(columns)))


def test_letters_on_a_level_are_dark_on_yellow_and_light_on_maroon() -> None:
    assert [mapimage.ink(level) for level in examples.LEVELS] == ["dark", "dark", "dark", "dark", "light", "light"]
    assert mapimage.ink(Level(1, same("w"), "#ffffff")) == "dark"


def test_the_list_says_the_same_places_as_the_picture() -> None:
    html = render.fragment(examples.MAP, examples.page()).html
    listed = re.findall(r'<li id="place-([^"]+)"', html)
    assert sorted(listed) == sorted([*(shape.id for shape in examples.MAP.shapes), *(point.id for point in examples.MAP.points)])


def test_an_empty_map_says_why() -> None:
    empty = msgspec.structs.replace(examples.MAP, shapes=(), points=(), reason=Text("尚未导入边界", "no boundary is imported"))
    assert "尚未导入边界" in render.fragment(empty, examples.page()).html
