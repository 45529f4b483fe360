"""Sharing and booking: what is free when, own bookings and what may be done with them, and what an owner offers."""

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from citybrain.brain.act import MOVE_WORDS, OWNERS, STATE_WORDS, BookingMove, Wanted
from citybrain.doors.pages import frame, rows
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import Ask
from citybrain.kernel.bookings import HOLDING, Booking, BookingState, Offer, Span
from citybrain.kernel.errors import BadInputError, CityError, ConflictError, ForbiddenError, NotFoundError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant, local, local_date, midnight, parse, rfc3339
from citybrain.kernel.text import Json, Text, same
from citybrain.web.booking_views import (
    BookingForm,
    BookingItem,
    BookingList,
    FreeHour,
    OfferItem,
    OfferList,
    OfferPage,
    OwnerPage,
    OwnOffer,
)
from citybrain.web.desk_views import FormError, Option, Tab
from citybrain.web.views import Tone

_SHOWN: Final = 50
_DAYS: Final = 7
_WEEK: Final = tuple(
    Text(f"周{zh}", en) for zh, en in zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True)
)
_TONES: Final[dict[BookingState, Tone]] = {
    "booked": "info",
    "arrived": "good",
    "done": "plain",
    "no_show": "bad",
    "cancelled": "plain",
}
_MOVE_TONES: Final[dict[BookingMove, Tone]] = {"arrive": "good", "excuse": "good", "cancel": "bad"}


class Wish(msgspec.Struct, frozen=True):
    """The form that books, as sent."""

    begins: str
    ends: str
    csrf: str = ""
    key: str = ""
    units: str = "1"


class Turn(msgspec.Struct, frozen=True):
    """The form of a move of a booking, as sent."""

    move: BookingMove
    version: int
    csrf: str = ""
    words: str = ""


class Withdrawal(msgspec.Struct, frozen=True):
    """The form that withdraws an offer, as sent."""

    version: int
    csrf: str = ""
    why: str = ""


class Offering(msgspec.Struct, frozen=True):
    """The form that publishes an offer, as sent; days are check boxes ``day_1`` … ``day_7``."""

    entity: str = ""
    csrf: str = ""
    key: str = ""
    units: str = ""
    since: str = ""
    until: str = ""
    opens: str = ""
    closes: str = ""
    price: str = ""
    words: str = ""
    day_1: str = ""
    day_2: str = ""
    day_3: str = ""
    day_4: str = ""
    day_5: str = ""
    day_6: str = ""
    day_7: str = ""

    @property
    def days(self) -> tuple[int, ...]:
        """The ISO weekdays that are ticked."""
        return tuple(day for day in range(1, 8) if getattr(self, f"day_{day}"))


@get("/offers", opt=frame.opens("page.offers"), sync_to_thread=True)
def offers(request: Call, parts: Parts) -> Response[str]:
    """What is free on a day, by offer and hour."""
    today = local_date(parts.clock.city())
    days = [today + timedelta(days=number) for number in range(_DAYS)]
    wanted = request.query_params.get("day", "")
    day = next((one for one in days if one.isoformat() == wanted), today)
    since, until = midnight(day), midnight(day + timedelta(days=1))
    current = [offer for offer in parts.offers.current() if offer.since < until and offer.until > since]
    items = (_item(parts, offer, parts.offers.free(offer.id, since, until)) for offer in current[:_SHOWN])
    tabs = tuple(Tab(_day(one), f"/offers?day={one.isoformat()}", 0, one == day) for one in days)
    shown = tuple(item for item in items if item.hours)
    return frame.shown(parts, request, OfferList(tabs, shown, bool(_own_things(parts, request)), len(current) > _SHOWN))


@get("/offers/mine", opt=frame.opens("page.bookings"), sync_to_thread=True)
def mine(request: Call, parts: Parts) -> Response[str]:
    """What the caller or the caller's unit offers, and the form for another offer."""
    frame.signed_in(request)
    today = local_date(parts.clock.city())
    typed = {"since": today.isoformat(), "until": (today + timedelta(days=_DAYS)).isoformat()}
    return frame.shown(parts, request, _owner(parts, request, typed))


@post("/offers", opt=frame.opens("page.bookings"), sync_to_thread=True)
def publish(request: Call, parts: Parts, data: URLEncodedBody[Offering]) -> Response[str] | Redirect:
    """Publish an offer; a refusal shows the form again with what was typed and what is wrong."""
    frame.own_form(request, data.csrf)
    try:
        wanted = _wanted(parts, data)
        owner = parts.offers.terms.owner(parts.offers.terms.thing(wanted.entity))
        _require(request, parts, "offer.create", wanted.entity, {"recipient": owner})
        parts.offers.publish(wanted, owner, data.key or new_id())
    except (BadInputError, ConflictError, ForbiddenError, NotFoundError) as error:
        typed = {
            name: str(getattr(data, name)) for name in ("entity", "units", "since", "until", "opens", "closes", "price", "words")
        }
        view = msgspec.structs.replace(
            _owner(parts, request, typed), chosen=tuple(map(str, data.days)), errors=(_wrong(error, "entity"),), key=new_id()
        )
        return frame.shown(parts, request, view, status=error.status)
    return Redirect("/offers/mine?done=offered", status_code=303)


@get("/offers/{name:str}", opt=frame.opens("page.offers"), sync_to_thread=True)
def offer_page(request: Call, parts: Parts, name: FromPath[str]) -> Response[str]:
    """One beginning of an offer, to be confirmed."""
    return frame.shown(parts, request, _confirm(parts, request, name, _instant(request.query_params.get("begins", ""))))


@post("/offers/{name:str}", opt=frame.opens("page.bookings"), sync_to_thread=True)
def book(request: Call, parts: Parts, name: FromPath[str], data: URLEncodedBody[Wish]) -> Response[str] | Redirect:
    """Book; a refusal shows the page again with what is free now."""
    frame.own_form(request, data.csrf)
    account = request.user.account
    _require(request, parts, "booking.create", name, {"account": account})
    begins = _instant(data.begins)
    try:
        parts.bookings.book(name, account, begins, _instant(data.ends), _whole(data.units, "units"), data.key or new_id())
    except (BadInputError, ConflictError) as error:
        view = msgspec.structs.replace(_confirm(parts, request, name, begins), errors=(_wrong(error, "ends"),))
        return frame.shown(parts, request, view, status=error.status)
    return Redirect("/bookings?done=booked", status_code=303)


@post("/offers/{name:str}/withdrawal", opt=frame.opens("page.bookings"), sync_to_thread=True)
def withdraw(request: Call, parts: Parts, name: FromPath[str], data: URLEncodedBody[Withdrawal]) -> Response[str] | Redirect:
    """Withdraw an offer; those whose bookings end with it are told why."""
    frame.own_form(request, data.csrf)
    _require(request, parts, "offer.write", name, {"recipient": parts.offers.offer(name).owner})
    try:
        parts.offers.withdraw(name, data.version, data.why)
    except (BadInputError, ConflictError) as error:
        view = msgspec.structs.replace(_owner(parts, request, {}), errors=(_wrong(error, f"why-{name}"),))
        return frame.shown(parts, request, view, status=error.status)
    return Redirect("/offers/mine?done=withdrawn", status_code=303)


@get("/bookings", opt=frame.opens("page.bookings"), sync_to_thread=True)
def bookings(request: Call, parts: Parts) -> Response[str]:
    """The caller's own bookings."""
    frame.signed_in(request)
    return frame.shown(parts, request, _list(parts, request))


@post("/bookings/{name:str}/moves", opt=frame.opens("page.bookings"), sync_to_thread=True)
def move(request: Call, parts: Parts, name: FromPath[str], data: URLEncodedBody[Turn]) -> Response[str] | Redirect:
    """Take a move of a booking: who booked all but the answer to an appeal, which is the owner's."""
    frame.own_form(request, data.csrf)
    found = parts.bookings.booking(name)
    owners = data.move in OWNERS
    facts: dict[str, Json] = {"recipient": found.owner} if owners else {"account": found.account}
    _require(request, parts, "booking.move" if owners else "booking.write", name, facts)
    try:
        parts.bookings.move(name, data.move, data.version, data.words)
    except (BadInputError, ConflictError) as error:
        view = _owner(parts, request, {}) if owners else _list(parts, request)
        wrong = (_wrong(error, f"{data.move}-{name}"),)
        return frame.shown(parts, request, msgspec.structs.replace(view, errors=wrong), status=error.status)
    return Redirect(f"{'/offers/mine' if owners else '/bookings'}?done=moved", status_code=303)


def _item(parts: PageParts, offer: Offer, slots: tuple[Span, ...]) -> OfferItem:
    """An offer on a day; of the slots those that begin an hour, or the first of an hour that has begun."""
    seen: set[int] = set()
    hours = []
    for slot in slots:
        hour = slot.begins // HOUR
        if hour in seen:
            continue
        seen.add(hour)
        href = f"/offers/{offer.id}?begins={rfc3339(slot.begins)}" if slot.units > 0 else ""
        hours.append(FreeHour(f"{local(slot.begins):%H:%M}", slot.units, href))
    return OfferItem(
        offer.title,
        rows.area(parts, offer.area),
        _units(parts, offer),
        _price(parts, offer),
        offer.words,
        tuple(hours),
        offer.origin != "real",
    )


def _confirm(parts: PageParts, request: Call, name: str, begins: Instant) -> OfferPage:
    """One span to confirm: ends are offered as far as the same units are free, at most to the longest booking."""
    offer = parts.offers.offer(name)
    term = parts.offers.terms.of(offer.kind)
    ends: list[Option] = []
    free, reach = 0, begins
    for slot in parts.offers.free(name, begins, Instant(begins + term.longest)):
        if slot.begins != reach or slot.units < 1:
            break
        free, reach = (slot.units if reach == begins else min(free, slot.units)), slot.ends
        ends.append(Option(rfc3339(reach), _until(reach, begins)))
    return OfferPage(
        title=offer.title,
        action=f"/offers/{offer.id}",
        back=f"/offers?day={local_date(begins).isoformat()}",
        begins=rfc3339(begins),
        begins_at=begins,
        price=_price(parts, offer),
        words=offer.words,
        key=new_id(),
        ends=tuple(ends),
        free=free,
        grace=round(parts.offers.terms.fairness(offer.kind).grace / MINUTE),
        signed_in=request.user.known,
        may_book=parts.policy.decide(_ask(request, "booking.create", name, {"account": request.user.account})).allowed,
        demo=offer.origin != "real",
    )


def _list(parts: PageParts, request: Call) -> BookingList:
    account = request.user.account
    found = parts.bookings.of(account)
    standing = None
    for kind in sorted({one.kind for one in found}):
        held = parts.bookings.standing(account, kind)
        if held.until is not None:
            when = local(held.until)
            standing = Text(
                f"近期有 {held.no_shows} 次预订未到，{when:%Y-%m-%d} 前只能临近预订。",
                f"{held.no_shows} bookings were not kept lately; until {when:%Y-%m-%d} you may book at short notice only.",
            )
    items = tuple(_booking(parts, one, owner=False) for one in found)
    return BookingList(items, standing, owns=bool(_own_things(parts, request)))


def _owner(parts: PageParts, request: Call, typed: dict[str, str]) -> OwnerPage:
    own = tuple(_own(parts, offer) for offer in parts.offers.owned(_owners(request)))
    days = tuple(Option(str(number), words) for number, words in enumerate(_WEEK, 1))
    return OwnerPage(own, _own_things(parts, request), days, new_id(), typed)


def _own(parts: PageParts, offer: Offer) -> OwnOffer:
    found = parts.bookings.on(offer.id)
    waiting = {one.id for one in found if one.state in HOLDING or one.appeal == "asked"}
    items = {one.id: _booking(parts, one, owner=True) for one in found}
    return OwnOffer(
        id=offer.id,
        title=offer.title,
        when=_when(offer),
        units=_units(parts, offer),
        price=_price(parts, offer),
        version=offer.version,
        notice=round(parts.offers.terms.fairness(offer.kind).notice / HOUR),
        withdrawn=offer.state == "withdrawn",
        held=tuple(item for key, item in items.items() if key in waiting),
        past=tuple(item for key, item in items.items() if key not in waiting),
        demo=offer.origin != "real",
    )


def _booking(parts: PageParts, one: Booking, *, owner: bool) -> BookingItem:
    moves = [move for move in parts.bookings.moves_for(one) if (move in OWNERS) is owner]
    forms = tuple(
        BookingForm(
            id=f"{move}-{one.id}",
            move=move,
            title=MOVE_WORDS[move],
            action=f"/bookings/{one.id}/moves",
            version=one.version,
            needs_words=move in ("appeal", "uphold"),
            tone=_MOVE_TONES.get(move, "plain"),
        )
        for move in moves
    )
    unit = parts.offers.terms.of(one.kind).declared.unit
    units = Text(f"{one.units} 个{unit.zh}", f"{one.units} × {unit.en}")
    whole = _yuan(one.price)
    price = Text(f"共 {whole} 元", f"¥{whole} in all") if one.price else Text("免费", "Free")
    state, tone = STATE_WORDS[one.state], _TONES[one.state]
    return BookingItem(one.code, one.title, one.begins, one.ends, units, price, state, tone, one.words, forms, one.origin != "real")


def _own_things(parts: PageParts, request: Call) -> tuple[Option, ...]:
    """The things that the caller or the caller's unit may offer."""
    owners, terms = _owners(request), parts.offers.terms
    found = []
    for declared in terms.kinds() if owners else ():
        for entity in parts.registry.entities(declared.kind):
            try:
                owned = terms.owner(entity) in owners
            except NotFoundError:
                # Nobody answers for the thing: then nobody may offer it.
                continue
            if owned:
                found.append(Option(entity.id, entity.title))
    return tuple(found)


def _owners(request: Call) -> tuple[str, ...]:
    """The names under which the caller owns things."""
    caller = request.user
    if not caller.known:
        return ()
    unit = (f"unit:{caller.unit}",) if caller.unit is not None and "handler" in caller.roles else ()
    return (f"account:{caller.account}", *unit)


def _wanted(parts: PageParts, data: Offering) -> Wanted:
    since, until = _date(data.since, "since"), _date(data.until, "until")
    now = parts.clock.city()
    first = Instant(-(-max(midnight(since), now) // HOUR) * HOUR)
    return Wanted(
        data.entity,
        _whole(data.units, "units"),
        first,
        midnight(until + timedelta(days=1)),
        data.days or tuple(range(1, 8)),
        _minute(data.opens, "opens"),
        _minute(data.closes, "closes"),
        _fen(data.price),
        data.words.strip()[:500],
    )


def _ask(request: Call, action: str, resource: str, facts: dict[str, Json]) -> Ask:
    return Ask(request.user, action, resource, "", facts)


def _require(request: Call, parts: PageParts, action: str, resource: str, facts: dict[str, Json]) -> None:
    parts.guard.require(_ask(request, action, resource, facts))


def _wrong(error: CityError, otherwise: str) -> FormError:
    return FormError(str(error.fields.get("field", otherwise)), error.what)


def _units(parts: PageParts, offer: Offer) -> Text:
    unit = parts.offers.terms.of(offer.kind).declared.unit
    return Text(f"{offer.units} 个{unit.zh}", f"{offer.units} × {unit.en}")


def _price(parts: PageParts, offer: Offer) -> Text:
    whole, unit = _yuan(offer.price), parts.offers.terms.of(offer.kind).declared.unit
    return Text(f"每{unit.zh}每小时 {whole} 元", f"¥{whole} per {unit.en} and hour") if offer.price else Text("免费", "Free")


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _when(offer: Offer) -> Text:
    since, until = local_date(offer.since), local_date(Instant(offer.until - 1))
    span = f"{since.isoformat()} – {until.isoformat()}"
    if not offer.days:
        return same(span)
    hours = f"{_clock(offer.opens)} – {_clock(offer.closes)}"
    zh, en = "、".join(_WEEK[day - 1].zh for day in offer.days), ", ".join(_WEEK[day - 1].en for day in offer.days)
    return Text(f"{span}，{zh} {hours}", f"{span}, {en}, {hours}")


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _day(day: date) -> Text:
    words = _WEEK[day.weekday()]
    return Text(f"{day.month}月{day.day}日 {words.zh}", f"{words.en} {day.day}.{day.month}.")


def _until(ends: Instant, begins: Instant) -> Text:
    hours = (ends - begins) / HOUR
    clock = f"{local(ends):%H:%M}" if local_date(ends) == local_date(begins) else f"{local(ends):%m-%d %H:%M}"
    return Text(f"{clock}（{hours:g} 小时）", f"{clock} ({hours:g} h)")


def _instant(said: str) -> Instant:
    try:
        return parse(said.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise BadInputError(Text("所选时段有误，请重新选择。", "That span cannot be read. Choose again."), field="ends") from None


def _date(said: str, field: str) -> date:
    try:
        found = date.fromisoformat(said)
    except ValueError:
        raise BadInputError(Text("请选择日期。", "Choose a date."), field=field) from None
    if not 2000 <= found.year <= 2999:
        raise BadInputError(Text("请选择日期。", "Choose a date."), field=field)
    return found


def _minute(said: str, field: str) -> int:
    hours, _, minutes = said.partition(":")
    if not (hours.isascii() and hours.isdigit() and minutes[:2].isascii() and minutes[:2].isdigit()):
        raise BadInputError(Text("请填写时刻，例如 18:00。", "Give a time such as 18:00."), field=field)
    return min(int(hours) * 60 + int(minutes[:2]), DAY // MINUTE)


def _whole(said: str, field: str) -> int:
    if not (said.isascii() and said.isdigit() and len(said) < 7):
        raise BadInputError(Text("请填写整数。", "Give a whole number."), field=field)
    return int(said)


def _fen(said: str) -> int:
    try:
        fen = Decimal(said.strip() or "0") * 100
    except InvalidOperation:
        fen = Decimal(-1)
    if not fen.is_finite() or fen < 0 or fen != fen.to_integral_value() or fen > 100_000_000:
        raise BadInputError(Text("价格为元，最多两位小数。", "A price in yuan, with two decimals at most."), field="price")
    return int(fen)


HANDLERS = (offers, mine, publish, offer_page, book, withdraw, bookings, move)
