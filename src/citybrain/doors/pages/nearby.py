"""The nearest things with room for somebody under way: where from, when there, and how likely there is room on arrival."""

from typing import Final

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from shapely import from_wkb

from citybrain.brain.observe import WALK_BASIS, Found
from citybrain.doors.pages import boards, frame
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.doors.pages.together import reading
from citybrain.kernel.access import Ask
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import MINUTE, Instant
from citybrain.kernel.pack import Board, Nearby
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import LIFE_WORDS
from citybrain.web.desk_views import FormError, Option
from citybrain.web.nearby_views import NearbyPage, Spot, Step

_SHOWN: Final = 8
_AHEAD: Final = (0, 15, 30, 60, 120, 240)
"""Minutes until arrival that can be chosen."""
_USUAL: Final = 15
_FROM: Final = ("subdistrict", "community")


def handlers(parts: PageParts) -> tuple[HTTPRouteHandler, ...]:
    """A page ``/<name>`` for each kind that packs let people look for."""
    return tuple(_page(one) for one in parts.nearest.declared())


def _page(one: Nearby) -> HTTPRouteHandler:
    @get(f"/{one.name}", opt=frame.opens("page.nearby"), sync_to_thread=True, name=f"nearby-{one.name}")
    def page(request: Call, parts: Parts) -> Response[str]:
        """Where from and when, and below it the nearest."""
        said = dict(request.query_params.items())
        try:
            place, minutes = _place(parts, said), _minutes(said)
        except BadInputError as error:
            wrong = FormError(str(error.fields.get("field", "from")), error.what)
            return frame.shown(parts, request, _view(parts, one, said, (), (wrong,)), status=error.status)
        if place is None:
            return frame.shown(parts, request, _view(parts, one, said, ()))
        facts: dict[str, Json] = {"access": parts.catalogue.describe(one.kind).access}
        parts.guard.require(Ask(request.user, "observation.read", one.kind, facts=facts))
        arrival = Instant(parts.clock.city() + minutes * MINUTE)
        return frame.shown(parts, request, _answer(parts, one, said, place, arrival))

    return page


def _answer(parts: PageParts, one: Nearby, said: dict[str, str], place: Place, arrival: Instant) -> NearbyPage:
    found = parts.nearest.around(one, place, _SHOWN)
    outlook = parts.forecasts.outlook(one, [each.entity.id for each in found], arrival)
    board = next((board for where in ("portal", "cockpit") for board in parts.boards(where) if board.kind == one.kind), None)
    spots = tuple(_spot(parts, one, board, each, outlook.chances.get(each.entity.id)) for each in found)
    steps = tuple(Step(_share(step.low, step.high), step.said, step.came, step.cases) for step in outlook.reliability)
    return _view(parts, one, said, spots, arrival=arrival, chance_of=outlook.of, steps=steps)


def _view(
    parts: PageParts,
    one: Nearby,
    said: dict[str, str],
    spots: tuple[Spot, ...],
    errors: tuple[FormError, ...] = (),
    *,
    arrival: Instant | None = None,
    chance_of: Text | None = None,
    steps: tuple[Step, ...] = (),
) -> NearbyPage:
    places = tuple(Option(area.code, area.name) for area in parts.areas.all() if area.level in _FROM and area.wkb)
    times = tuple(Option(str(minutes), _in(minutes)) for minutes in _AHEAD)
    typed = {name: said.get(name, "") for name in ("from", "lon", "lat")} | {"in": said.get("in") or str(_USUAL)}
    return NearbyPage(
        title=one.title,
        action=f"/{one.name}",
        places=places,
        times=times,
        typed=typed,
        spots=spots,
        arrival=arrival,
        walk=WALK_BASIS,
        chance_of=chance_of,
        steps=steps,
        errors=errors,
    )


def _spot(parts: PageParts, one: Nearby, board: Board | None, found: Found, chance: float | None) -> Spot:
    free, newest = found.free, found.reading
    level = None
    if board is not None and free is not None:
        value = reading(parts, found.entity, board.field)[0]
        level = None if value is None else boards.level(board.level(value))
    return Spot(
        title=found.entity.title,
        metres=10 * round(found.metres / 10),
        minutes=found.walk // MINUTE,
        free=None if free is None else Text(f"空余 {free:.0f} {one.unit.zh}", f"{free:.0f} {one.unit.en} free"),
        full=free is not None and free < 1,
        why=None if free is not None else LIFE_WORDS[found.life],
        at=None if newest is None or free is None else newest.time,
        chance=None if chance is None else round(100 * chance),
        level=level,
        demo=found.entity.origin != "real",
    )


def _place(parts: PageParts, said: dict[str, str]) -> Place | None:
    """The place that was said: degrees before an area; None where nothing was."""
    lon, lat, code = (said.get(name, "").strip() for name in ("lon", "lat", "from"))
    if lon or lat:
        return Place(_degrees(lon, "lon", 180.0), _degrees(lat, "lat", 90.0))
    if not code:
        return None
    area = next((area for area in parts.areas.all() if area.code == code and area.level in _FROM and area.wkb), None)
    if area is None:
        raise BadInputError(Text("没有这个地点，请从列表中选择。", "There is no such place. Choose one of the list."), field="from")
    inner = from_wkb(area.wkb).representative_point()
    return Place(float(inner.x), float(inner.y))


def _degrees(said: str, field: str, most: float) -> float:
    try:
        found = float(said)
    except ValueError:
        found = float("nan")
    if not -most <= found <= most:
        what = Text("请填写十进制度数，如 117.15 和 39.10。", "Give decimal degrees, such as 117.15 and 39.10.")
        raise BadInputError(what, field=field)
    return found


def _minutes(said: dict[str, str]) -> int:
    chosen = said.get("in") or str(_USUAL)
    if chosen not in map(str, _AHEAD):
        raise BadInputError(Text("请从列表中选择到达时间。", "Choose the time of arrival from the list."), field="in")
    return int(chosen)


def _in(minutes: int) -> Text:
    if not minutes:
        return Text("现在", "now")
    if minutes % 60:
        return Text(f"{minutes} 分钟后", f"in {minutes} minutes")
    hours = minutes // 60
    return Text(f"{hours} 小时后", f"in {hours} hour{'' if hours == 1 else 's'}")


def _share(low: float, high: float) -> Text:
    return Text(f"{low:.0%} 至 {high:.0%}", f"{low:.0%} to {high:.0%}")
