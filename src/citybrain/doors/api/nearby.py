"""What observe and detect offer to those under way: the nearest things with room, and plain signs for boards along the road."""

from typing import Annotated, Final, TypeAlias

import msgspec
from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from citybrain.brain.observe import WALK_BASIS, Found
from citybrain.doors.api import asking
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.kernel.access import Ask
from citybrain.kernel.datasets import Reliability
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from citybrain.kernel.pack import Nearby
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import LIFE_WORDS, Life, Origin

_USUAL: Final = 5
_MOST: Final = 20
_KEPT: Final = {"Cache-Control": "max-age=15"}
_DASH: Final = Text("—", "—")
Degrees: TypeAlias = Annotated[float | None, QueryParameter()]
Word: TypeAlias = Annotated[str | None, QueryParameter(max_length=40)]


class Spot(msgspec.Struct, frozen=True):
    """A thing on the way: metres and minutes to walk, what is free now (null: unknown, see ``life``), the chance of room on arrival."""

    id: str
    title: Text
    metres: int
    minutes: int
    free: int | None
    life: Life
    time: str | None
    chance: float | None
    origin: Origin


class Spots(msgspec.Struct, frozen=True):
    """The nearest first; ``chance_of`` says what the chance is of, ``reliability`` how such chances held on unseen time."""

    items: tuple[Spot, ...]
    arrival: str
    walk: Text
    chance_of: Text | None
    reliability: tuple[Reliability, ...]


class Sign(msgspec.Struct, frozen=True):
    """What a sign shows of a thing: the number free, the word for full, or a dash where nobody knows, with the reason in ``life``."""

    id: str
    title: Text
    show: Text
    free: int | None
    life: Life
    why: Text | None
    time: str | None
    origin: Origin


class Signs(msgspec.Struct, frozen=True):
    """Every sign of a kind; ``now`` is the city's time."""

    now: str
    unit: Text
    items: tuple[Sign, ...]


@get("/nearby", opt=asks("catalogue.read"), sync_to_thread=False)
def looked_for(parts: Parts) -> dict[str, Text]:
    """What can be looked for nearby: name and title."""
    return {one.name: one.title for one in parts.nearest.declared()}


@get("/nearby/{name:str}", opt=asks("observation.read", "lon", "lat", "at", "limit"), sync_to_thread=True)
def nearest(
    request: Call, parts: Parts, name: FromPath[str], lon: Degrees = None, lat: Degrees = None, at: Word = None, limit: Word = None
) -> Spots:
    """The nearest to a place in WGS 84 degrees, for an arrival ``at`` (RFC 3339; by default in a quarter of an hour)."""
    one = _declared(request, parts, name)
    place, count = _place(lon, lat), _count(limit)
    arrival = Instant(parts.clock.city() + 15 * MINUTE) if at is None else asking.instant(at, "at")
    found = parts.nearest.around(one, place, count)
    outlook = parts.forecasts.outlook(one, [each.entity.id for each in found], arrival)
    items = tuple(_spot(each, outlook.chances.get(each.entity.id)) for each in found)
    return Spots(items, rfc3339(arrival), WALK_BASIS, outlook.of, outlook.reliability)


@get("/nearby/{name:str}/signs", opt=asks("observation.read"), sync_to_thread=True)
def signs(request: Call, parts: Parts, name: FromPath[str]) -> Response[Signs]:
    """Every sign along the road, as plain JSON: what to show, and whether that is alive."""
    one = _declared(request, parts, name)
    items = tuple(_sign(one, each) for each in parts.nearest.signs(one))
    return Response(Signs(rfc3339(parts.clock.city()), one.unit, items), headers=_KEPT)


def _declared(request: Call, parts: ApiParts, name: str) -> Nearby:
    """What is looked for by a name, if the caller may see its counts; raises NotFoundError, ForbiddenError."""
    one = next((each for each in parts.nearest.declared() if each.name == name), None)
    if one is None:
        known = ", ".join(each.name for each in parts.nearest.declared()) or "-"
        raise NotFoundError(Text(f"没有“{name}”。可查：{known}。", f"There is no '{name}'. There are: {known}."), name=name)
    facts: dict[str, Json] = {"access": parts.catalogue.describe(one.kind).access}
    parts.guard.require(Ask(request.user, "observation.read", one.kind, purpose(request), facts))
    return one


def _place(lon: float | None, lat: float | None) -> Place:
    if lon is None or lat is None or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        what = Text(
            "请给出出发地或目的地的经纬度 lon、lat（WGS 84，十进制度）。",
            "Give the place as lon and lat in decimal degrees (WGS 84).",
        )
        raise BadInputError(what, parameter="lon" if lon is None or not -180 <= lon <= 180 else "lat")
    return Place(lon, lat)


def _count(said: str | None) -> int:
    if said is None:
        return _USUAL
    if not (said.isascii() and said.isdigit() and len(said) < 4 and 1 <= int(said) <= _MOST):
        what = Text(f"limit 须为 1 至 {_MOST} 的整数。", f"limit is a whole number from 1 to {_MOST}.")
        raise BadInputError(what, parameter="limit")
    return int(said)


def _spot(found: Found, chance: float | None) -> Spot:
    reading, free = found.reading, found.free
    return Spot(
        id=found.entity.id,
        title=found.entity.title,
        metres=10 * round(found.metres / 10),
        minutes=found.walk // MINUTE,
        free=None if free is None else int(free),
        life=found.life,
        time=None if reading is None else rfc3339(reading.time),
        chance=chance,
        origin=found.entity.origin,
    )


def _sign(one: Nearby, found: Found) -> Sign:
    free, reading = found.free, found.reading
    shown = _DASH if free is None else one.full if free < 1 else Text(f"{free:.0f}", f"{free:.0f}")
    return Sign(
        id=found.entity.id,
        title=found.entity.title,
        show=shown,
        free=None if free is None else int(free),
        life=found.life,
        why=LIFE_WORDS[found.life] if free is None else None,
        time=None if reading is None else rfc3339(reading.time),
        origin=found.entity.origin,
    )


HANDLERS = (looked_for, nearest, signs)
