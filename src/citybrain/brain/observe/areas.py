"""The areas of the district, and which of them holds a place, by geometry."""

from collections.abc import Sequence

import shapely
from sqlalchemy import Connection, delete, insert, select

from citybrain.brain.observe.store import AREA, area_of, area_row
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.places import LEVELS, Area, Place, level_of
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Text


class AreaBook:
    """Areas in the store, with a spatial index of them in memory; implements the port ``Areas``."""

    def __init__(self, transactions: Transactions[Connection]) -> None:
        self._transactions = transactions
        self._load()

    def put(self, areas: Sequence[Area]) -> None:
        """Enter areas, replacing those of the same code; raises BadInputError for a code, level or outline that is wrong.

        An area that nobody has surveyed has no outline: it has a name and a place in the district, and holds no point.
        """
        for area in areas:
            _check(area)
        with self._transactions.begin() as tx:
            for area in areas:
                tx.connection.execute(delete(AREA).where(AREA.c.code == area.code))
                tx.connection.execute(insert(AREA).values(area_row(area)))
        self._load()

    def all(self) -> tuple[Area, ...]:
        """All areas, district first, then by code."""
        return self._areas

    def subdistricts(self) -> tuple[Area, ...]:
        """The subdistricts (街道), by code."""
        return self._subdistricts

    def area(self, code: str) -> Area:
        """An area by code; raises NotFoundError."""
        try:
            return self._codes[code]
        except KeyError:
            what = Text(f"没有代码为“{code}”的区域。", f"There is no area with the code '{code}'.")
            raise NotFoundError(what, code=code) from None

    def area_of(self, place: Place) -> str | None:
        """The code of the smallest area that holds a place, its border included; None outside the district."""
        found = self._tree.query(shapely.Point(place.lon, place.lat), predicate="intersects")
        holding = [self._surveyed[int(index)] for index in found]
        if not holding:
            return None
        return min(holding, key=lambda area: (-LEVELS.index(area.level), area.code)).code

    def _load(self) -> None:
        with self._transactions.read() as connection:
            areas = [area_of(row) for row in connection.execute(select(AREA))]
        self._areas = tuple(sorted(areas, key=lambda area: (LEVELS.index(area.level), area.code)))
        self._subdistricts = tuple(area for area in self._areas if area.level == "subdistrict")
        self._codes = {area.code: area for area in self._areas}
        self._surveyed = tuple(area for area in self._areas if area.wkb)
        self._tree = shapely.STRtree(shapely.from_wkb([area.wkb for area in self._surveyed]))


def _check(area: Area) -> None:
    outline = shapely.from_wkb(area.wkb, on_invalid="ignore") if area.wkb else shapely.Polygon()
    if level_of(area.code) != area.level or outline is None or outline.geom_type not in ("Polygon", "MultiPolygon"):
        what = Text(
            f"区域 {area.code} 有误：代码须与层级相符，边界须为面。",
            f"Area {area.code} is wrong: its code must fit its level and its outline must be a polygon.",
        )
        raise BadInputError(what, code=area.code)
