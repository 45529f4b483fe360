"""Where a report lies: within the district or refused, in an area that may route it, named in words. A generated area never routes a real one."""

from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.places import Place, level_of, parent_of
from citybrain.kernel.ports import Areas
from citybrain.kernel.text import Text
from citybrain.kernel.things import Origin

_GENERATED = "generated"


def area_for(areas: Areas, place: Place | None, named: str | None, origin: Origin) -> str | None:
    """The area by which a report finds its unit: that of its point by geometry, else the one named.

    Raises BadInputError for a point outside the district, for an area that is none, and where neither is given. None means the
    whole district: its only partition is a generated one, which may not route a real report.
    """
    known = {area.code: area for area in areas.all()}
    found = areas.area_of(place) if place is not None else None
    if place is not None and found is None and any(area.wkb for area in known.values()):
        what = Text(
            "所选位置不在本区范围内，本区不能受理。请检查位置；其他区的问题请拨打 12345。",
            "The place lies outside this district, which cannot take the report. Check the place; for other districts call 12345.",
        )
        raise BadInputError(what, field="place")
    if found is None:
        found = _named(areas, named)
    while found is not None and origin == "real" and known[found].origin == _GENERATED:
        found = parent_of(found)
    return found


def _named(areas: Areas, named: str | None) -> str:
    if not named:
        what = Text(
            "请选择位置：在图上点选，或选择社区、地标。", "Say where it is: click on the map, or choose a community or a landmark."
        )
        raise BadInputError(what, field="place")
    try:
        level_of(named)
        return areas.area(named).code
    except NotFoundError:
        what = Text(f"没有区域“{named}”。请从列表中选择。", f"There is no area '{named}'. Choose one of the list.")
        raise BadInputError(what, field="place") from None
