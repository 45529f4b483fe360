"""Places: a point on WGS 84, and the district's areas down to the grid (街道, 社区, 网格)."""

import re
from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Text

AreaLevel: TypeAlias = Literal["district", "subdistrict", "community", "grid"]
LEVELS: tuple[AreaLevel, ...] = ("district", "subdistrict", "community", "grid")
_CODE_LENGTHS: dict[AreaLevel, int] = {"district": 6, "subdistrict": 9, "community": 12, "grid": 15}


class Place(msgspec.Struct, frozen=True):
    """A point in WGS 84 degrees (EPSG:4326, lon then lat)."""

    lon: float
    lat: float


class Area(msgspec.Struct, frozen=True):
    """A piece of the district; its code nests: 6 + 3 + 3 + 3 digits (GB/T 30428.1 unit grid)."""

    code: str
    level: AreaLevel
    name: Text
    parent: str | None
    wkb: bytes
    """Polygon, EPSG:4326 lon-lat."""
    origin: str
    """``surveyed`` or ``generated``; a generated area never routes a real address."""


def level_of(code: str) -> AreaLevel:
    """The level that an area code has; raises BadInputError."""
    for level, length in _CODE_LENGTHS.items():
        if re.fullmatch(rf"[0-9]{{{length}}}", code):
            return level
    what = Text(f"“{code}”不是区划或网格代码（6、9、12 或 15 位数字）。", f"'{code}' is no area code: 6, 9, 12 or 15 digits.")
    raise BadInputError(what, code=code)


def parent_of(code: str) -> str | None:
    """The code one level up, or None for the district."""
    return None if level_of(code) == "district" else code[:-3]
