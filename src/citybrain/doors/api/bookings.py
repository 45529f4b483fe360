"""What act offers over HTTP for sharing: offers and what is free of them, booking, arriving, cancelling, appealing."""

from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from citybrain.brain.act import OWNERS, BookingMove, Wanted
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.rows import Row, Rows, listed, one
from citybrain.doors.api.versions import Tag, seen
from citybrain.kernel.access import Ask
from citybrain.kernel.bookings import Booking
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import DAY, Duration, Instant, parse, rfc3339
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Origin

_LONGEST_LOOK: Final = Duration(31 * DAY)
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=500)]
Key = Annotated[str | None, HeaderParameter(name="Idempotency-Key", max_length=200)]


class Offering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units of a thing for others to book, from ``since`` to ``until`` (RFC 3339).

    With ``days`` (1 is Monday) only from minute ``opens`` to minute ``closes`` of these days, over midnight where it closes no later
    than it opens. ``price`` in 分 for a unit and hour.
    """

    entity: Short
    units: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    since: Short
    until: Short
    days: tuple[int, ...] = ()
    opens: int = 0
    closes: int = 0
    price: Annotated[int, msgspec.Meta(ge=0, le=100_000_000)] = 0
    words: Words = ""


class Withdrawing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an offer is withdrawn; those whose bookings are cancelled read it."""

    why: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units of an offer for a span (RFC 3339)."""

    offer: Short
    begins: Short
    ends: Short
    units: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A move by its name: cancel, arrive, leave, appeal (with words); the owner's are excuse and uphold (with words)."""

    move: BookingMove
    words: Words = ""


class Slot(msgspec.Struct, frozen=True):
    """A slot of an offer and how many units are free throughout."""

    begins: str
    ends: str
    free: int


class Slots(msgspec.Struct, frozen=True):
    """The slots that can still be booked, oldest first."""

    items: tuple[Slot, ...]


class Ticket(msgspec.Struct, frozen=True):
    """A booking as its account sees it; ``price`` is the whole price in 分, ``moves`` what may be done now."""

    id: str
    code: str
    offer: str
    entity: str
    title: Text
    begins: str
    ends: str
    units: int
    price: int
    state: str
    appeal: str
    words: str
    moves: tuple[str, ...]
    version: int
    origin: Origin


class Tickets(msgspec.Struct, frozen=True):
    """The caller's own bookings, the latest to begin first, at most a hundred."""

    items: tuple[Ticket, ...]


@get("/offers", opt=asks("offer.read", of="offer", columns=True), sync_to_thread=True)
def offers(request: Call, parts: Parts) -> Rows:
    """Offers by any of their columns."""
    return listed(parts, request, "offer")


@get("/offers/{name:str}", opt=asks("offer.read", of="offer"), sync_to_thread=True)
def offer(request: Call, parts: Parts, name: FromPath[str]) -> Response[Row]:
    """One offer; the ETag is its version."""
    row = one(parts, request, "offer", name)
    return Response(row, headers={"ETag": f'"{row["version"]}"'})


@get("/offers/{name:str}/free", opt=asks("offer.read", "since", "until", of="offer"), sync_to_thread=True)
def free(
    parts: Parts,
    name: FromPath[str],
    since: Annotated[str | None, QueryParameter(max_length=40)] = None,
    until: Annotated[str | None, QueryParameter(max_length=40)] = None,
) -> Slots:
    """What is free of an offer, slot by slot: from now on for a day unless said otherwise, at most 31 days."""
    begins = parts.clock.city() if since is None else _instant(since, "since")
    ends = Instant(begins + DAY) if until is None else _instant(until, "until")
    if ends - begins > _LONGEST_LOOK:
        raise BadInputError(Text("一次最多查看 31 天。", "Ask for at most 31 days at once."), parameter="until")
    found = parts.offers.free(name, begins, ends)
    return Slots(tuple(Slot(rfc3339(span.begins), rfc3339(span.ends), span.units) for span in found))


@post("/offers", opt=asks("offer.create"), sync_to_thread=True)
def publish(request: Call, parts: Parts, data: JSONBody[Offering], key: Key = None) -> Response[Row]:
    """Publish an offer of a thing that the caller or the caller's unit owns."""
    owner = parts.offers.terms.owner(parts.offers.terms.thing(data.entity))
    _require(request, parts, "offer.create", data.entity, {"recipient": owner})
    since, until = _instant(data.since, "since"), _instant(data.until, "until")
    wanted = Wanted(data.entity, data.units, since, until, data.days, data.opens, data.closes, data.price, data.words.strip())
    made = parts.offers.publish(wanted, owner, key or new_id())
    headers = {"Location": f"/api/v1/act/offers/{made.id}", "ETag": f'"{made.version}"'}
    return Response(one(parts, request, "offer", made.id), headers=headers)


@post("/offers/{name:str}/withdrawal", opt=asks("offer.write"), sync_to_thread=True, status_code=200)
def withdraw(request: Call, parts: Parts, name: FromPath[str], data: JSONBody[Withdrawing], version: Tag = None) -> Response[Row]:
    """Withdraw an offer: bookings that begin within the notice are honoured, later ones cancelled and told."""
    found = parts.offers.offer(name)
    _require(request, parts, "offer.write", name, {"recipient": found.owner})
    changed = parts.offers.withdraw(name, seen(version, found.version), data.why)
    return Response(one(parts, request, "offer", name), headers={"ETag": f'"{changed.version}"'})


@get("/bookings", opt=asks("booking.read"), sync_to_thread=True)
def mine(request: Call, parts: Parts) -> Tickets:
    """The caller's own bookings."""
    return Tickets(tuple(_ticket(parts, one) for one in parts.bookings.of(request.user.account)))


@get("/bookings/held", opt=asks("booking.read", of="booking", columns=True), sync_to_thread=True)
def held(request: Call, parts: Parts) -> Rows:
    """Spans and codes of what is booked on things that the caller owns; who booked is masked."""
    return listed(parts, request, "booking")


@get("/bookings/{name:str}", opt=asks("booking.read"), sync_to_thread=True)
def booking(request: Call, parts: Parts, name: FromPath[str]) -> Response[Ticket]:
    """One of the caller's own bookings; the ETag is its version."""
    return _answer(parts, _own(request, parts, name))


@post("/bookings", opt=asks("booking.create"), sync_to_thread=True)
def book(request: Call, parts: Parts, data: JSONBody[Wish], key: Key = None) -> Response[Ticket]:
    """Book for oneself; the same Idempotency-Key gives the same booking."""
    account = request.user.account
    _require(request, parts, "booking.create", data.offer, {"account": account})
    begins, ends = _instant(data.begins, "begins"), _instant(data.ends, "ends")
    made = parts.bookings.book(data.offer, account, begins, ends, data.units, key or new_id())
    return _answer(parts, made, {"Location": f"/api/v1/act/bookings/{made.id}"})


@post("/bookings/{name:str}/moves", opt=asks("booking.write"), sync_to_thread=True, status_code=200)
def move(request: Call, parts: Parts, name: FromPath[str], data: JSONBody[Turn], version: Tag = None) -> Response[Ticket]:
    """Cancel, arrive, leave or appeal; If-Match names the version that was seen."""
    if data.move in OWNERS:
        what = Text("业主处理申诉请用 …/appeal。", "Owners decide appeals under …/appeal.")
        raise BadInputError(what, move=data.move)
    found = _own(request, parts, name)
    _require(request, parts, "booking.write", found.id, {"account": found.account})
    return _answer(parts, parts.bookings.move(found.id, data.move, seen(version, found.version), data.words))


@post("/bookings/{name:str}/appeal", opt=asks("booking.move"), sync_to_thread=True, status_code=200)
def decide(request: Call, parts: Parts, name: FromPath[str], data: JSONBody[Turn], version: Tag = None) -> Response[Row]:
    """Decide an appeal against a no-show on a thing that the caller owns: excuse, or uphold with the reason."""
    if data.move not in OWNERS:
        raise BadInputError(Text("申诉只能同意（excuse）或维持（uphold）。", "Excuse or uphold an appeal."), move=data.move)
    found = parts.bookings.booking(name)
    _require(request, parts, "booking.move", name, {"recipient": found.owner})
    changed = parts.bookings.move(name, data.move, seen(version, found.version), data.words)
    return Response(one(parts, request, "booking", name), headers={"ETag": f'"{changed.version}"'})


def _require(request: Call, parts: ApiParts, action: str, resource: str, facts: dict[str, Json]) -> None:
    parts.guard.require(Ask(request.user, action, resource, purpose(request), facts))


def _own(request: Call, parts: ApiParts, name: str) -> Booking:
    """A booking of the caller's; raises NotFoundError all the same for somebody else's."""
    found = parts.bookings.booking(name)
    if found.account != request.user.account:
        raise NotFoundError(Text(f"没有预订“{name}”。", f"There is no booking '{name}'."), booking=name)
    return found


def _answer(parts: ApiParts, found: Booking, headers: dict[str, str] | None = None) -> Response[Ticket]:
    return Response(_ticket(parts, found), headers={"ETag": f'"{found.version}"', **(headers or {})})


def _ticket(parts: ApiParts, found: Booking) -> Ticket:
    shared = ("id", "code", "offer", "entity", "title", "units", "price", "state", "appeal", "words", "version", "origin")
    moves = tuple(move for move in parts.bookings.moves_for(found) if move not in OWNERS)
    span = {"begins": rfc3339(found.begins), "ends": rfc3339(found.ends)}
    return msgspec.convert({name: getattr(found, name) for name in shared} | span | {"moves": moves}, Ticket)


def _instant(said: str, field: str) -> Instant:
    try:
        return parse(said)
    except (ValueError, OverflowError):
        what = Text(
            f"“{said}”不是 RFC 3339 时间，例如 2026-11-22T18:00:00+08:00。",
            f"'{said}' is no RFC 3339 time, such as 2026-11-22T18:00:00+08:00.",
        )
        raise BadInputError(what, field=field) from None


HANDLERS = (offers, offer, free, publish, withdraw, mine, held, booking, book, move, decide)
