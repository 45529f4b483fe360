"""Preview: writes every page in both languages to a folder; ``python -m tests.web.preview OUTDIR``."""

import sys
from pathlib import Path

import msgspec

from citybrain.kernel.text import Lang
from citybrain.web import render
from citybrain.web.map_views import Shape
from tests.web import examples


def geojson(shapes: tuple[Shape, ...]) -> bytes:
    """The areas as the interactive map reads them."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": shape.rings},
            "properties": {
                "id": shape.id,
                "title": shape.title.zh,
                "title_en": shape.title.en,
                "value": shape.value,
                "href": shape.href,
                "colour": shape.level.colour if shape.level else "",
                "level": shape.level.title.zh if shape.level else "",
            },
        }
        for shape in shapes
    ]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def points() -> bytes:
    """The points as the interactive map reads them."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": (point.lon, point.lat)},
            "properties": {
                "id": point.id,
                "title": point.title.zh,
                "title_en": point.title.en,
                "value": point.value,
                "href": point.href,
                "grade": point.grade or 0,
                "colour": point.level.colour if point.level else "",
            },
        }
        for point in examples.POINTS
    ]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def live_fragment(lang: Lang) -> bytes:
    """A fragment as the event stream sends it: the overdue figure, now 4."""
    changed = msgspec.structs.replace(examples.FIGURES[3], value=4)
    return msgspec.json.encode(render.fragment(changed, examples.page(lang)))


def write(folder: Path) -> None:
    """Write all pages, and the layers of the map beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    langs: tuple[Lang, ...] = ("zh", "en")
    for lang in langs:
        for name, (path, view) in examples.PAGES.items():
            (folder / f"{name}.{lang}.html").write_text(render.render(view, examples.page(lang, path)), encoding="utf-8")
    layers = folder / "static" / "examples"
    layers.mkdir(parents=True, exist_ok=True)
    (layers / "areas.geojson").write_bytes(geojson(examples.SHAPES))
    (layers / "points.geojson").write_bytes(points())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
