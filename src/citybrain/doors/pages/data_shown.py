"""A dataset seen: its newest rows on the map where they have places, and how the first figure made of it went."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from citybrain.brain.exchange import placed
from citybrain.doors.pages import figures, report_views, rows
from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.access import Caller
from citybrain.kernel.datasets import Dataset
from citybrain.kernel.text import Json, Text
from citybrain.web.map_views import Map, Point
from citybrain.web.views import Chart

_MOST: Final = 300
_SUBDISTRICT: Final = 9
"""Digits of a subdistrict's code."""
_TITLE: Final = Text("地图", "Map")
_NO_PLACE: Final = Text("最新的记录没有位置", "none of the newest rows has a place")


def on_map(parts: PageParts, caller: Caller, dataset: Dataset, found: Sequence[Mapping[str, Json]]) -> Map | None:
    """The places of the newest rows, within the subdistricts; None for a dataset without places."""
    if not placed(dataset):
        return None
    open_to = bool(parts.map_approval) or caller.known
    points = tuple(point for row in found for point in _point(dataset, row))[:_MOST] if open_to else ()
    drawn = report_views.subdistrict_map(parts, "dataset", _TITLE)
    counted = Counter(str(row.get("area") or "")[:_SUBDISTRICT] for row in found)
    tiles = tuple(msgspec.structs.replace(shape, value=str(counted[shape.id])) for shape in drawn.shapes)
    said = Text(f"最新 {len(points)} 条有位置的记录", f"the newest {len(points)} rows with a place")
    by_area = Text("最新记录条数，按街道", "newest rows by subdistrict")
    return Map(
        "dataset",
        _TITLE,
        shapes=drawn.shapes if open_to else tiles,
        points=points,
        measure=by_area if not open_to else said if points else None,
        tiles=not open_to,
        approval=drawn.approval,
        reason=_NO_PLACE if open_to and not points else None,
        demo=dataset.origin != "real",
    )


def trend(parts: PageParts, dataset: Dataset) -> Chart | None:
    """How the first figure that is made of a dataset went in the last days; None where none is."""
    declared = next((one for one in parts.indicators.all() if dataset.name in map(_table, one.inputs)), None)
    return None if declared is None else figures.trend(parts, declared)


def _table(given: str) -> str:
    """What an input is read from: ``stream:air_station.pm25`` from the kind ``air_station``, ``case`` from itself."""
    return given.removeprefix("stream:").partition(".")[0]


def _point(dataset: Dataset, row: Mapping[str, Json]) -> tuple[Point, ...]:
    lon, lat = rows.number(row.get("lon")), rows.number(row.get("lat"))
    if lon is None or lat is None:
        return ()
    number, key = row.get("number"), str(row.get(dataset.key))
    named = row.get("title") or row.get("because") or row.get("name") or key
    href = f"/desk/{number}" if dataset.name == "case" else f"/alerts/{key}" if dataset.name == "alert" else ""
    return (Point(str(number or key), rows.words(named), lon, lat, href=href),)
