"""Sharing and booking: what is free when, and own bookings with what may be done with them."""

from datetime import timedelta
from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from citybrain.brain.act import OWNERS, BookingMove
from citybrain.doors.pages import booking_facts as told
from citybrain.doors.pages import frame, offering
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import MINUTE, Instant, local, local_date, midnight, parse, rfc3339
from citybrain.kernel.text import Json, Text
from citybrain.web.booking_views import (
    BookingList,
    OfferList,
    OfferPage,
)
from citybrain.web.desk_views import Option, Tab

_SHOWN: Final = 50
_DAYS: Final = 7


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


@get("/offers", opt=frame.opens("page.offers"), sync_to_thread=True)
def offers(request: Call, parts: Parts) -> Response[str]:
    """What is free on a day, by offer and hour."""
    today = local_date(parts.clock.city())
    days = [today + timedelta(days=number) for number in range(_DAYS)]
    wanted = request.query_params.get("day", "")
    day = next((one for one in days if one.isoformat() == wanted), today)
    since, until = midnight(day), midnight(day + timedelta(days=1))
    current = [offer for offer in parts.offers.current() if offer.since < until and offer.until > since]
    items = (told.item(parts, offer, parts.offers.free(offer.id, since, until)) for offer in current[:_SHOWN])
    tabs = tuple(Tab(told.day(one), f"/offers?day={one.isoformat()}", 0, one == day) for one in days)
    shown = tuple(item for item in items if item.hours)
    return frame.shown(parts, request, OfferList(tabs, shown, bool(told.own_things(parts, request)), len(current) > _SHOWN))


@get("/offers/{name:str}", opt=frame.opens("page.offers"), sync_to_thread=True)
def offer_page(request: Call, parts: Parts, name: FromPath[str]) -> Response[str]:
    """One beginning of an offer, to be confirmed."""
    return frame.shown(parts, request, _confirm(parts, request, name, _instant(request.query_params.get("begins", ""))))


@post("/offers/{name:str}", opt=frame.opens("page.bookings"), sync_to_thread=True)
def book(request: Call, parts: Parts, name: FromPath[str], data: URLEncodedBody[Wish]) -> Response[str] | Redirect:
    """Book; a refusal shows the page again with what is free now."""
    frame.own_form(request, data.csrf)
    account = request.user.account
    told.require(request, parts, "booking.create", name, {"account": account})
    begins = _instant(data.begins)
    try:
        parts.bookings.book(name, account, begins, _instant(data.ends), offering.whole(data.units, "units"), data.key or new_id())
    except (BadInputError, ConflictError) as error:
        view = msgspec.structs.replace(_confirm(parts, request, name, begins), errors=(told.wrong(error, "ends"),))
        return frame.shown(parts, request, view, status=error.status)
    return Redirect("/bookings?done=booked", status_code=303)


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
    told.require(request, parts, "booking.move" if owners else "booking.write", name, facts)
    try:
        parts.bookings.move(name, data.move, data.version, data.words)
    except (BadInputError, ConflictError) as error:
        view = offering.shown(parts, request, {}) if owners else _list(parts, request)
        wrong = (told.wrong(error, f"{data.move}-{name}"),)
        return frame.shown(parts, request, msgspec.structs.replace(view, errors=wrong), status=error.status)
    return Redirect(f"{'/offers/mine' if owners else '/bookings'}?done=moved", status_code=303)


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
        ends.append(Option(rfc3339(reach), told.until(reach, begins)))
    return OfferPage(
        title=offer.title,
        action=f"/offers/{offer.id}",
        back=f"/offers?day={local_date(begins).isoformat()}",
        begins=rfc3339(begins),
        begins_at=begins,
        price=told.price(parts, offer),
        words=offer.words,
        key=new_id(),
        ends=tuple(ends),
        free=free,
        grace=round(parts.offers.terms.fairness(offer.kind).grace / MINUTE),
        signed_in=request.user.known,
        may_book=parts.policy.decide(told.ask(request, "booking.create", name, {"account": request.user.account})).allowed,
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
    items = tuple(told.booking(parts, one, owner=False) for one in found)
    return BookingList(items, standing, owns=bool(told.own_things(parts, request)))


def _instant(said: str) -> Instant:
    try:
        return parse(said.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise BadInputError(Text("所选时段有误，请重新选择。", "That span cannot be read. Choose again."), field="ends") from None


HANDLERS = (offers, offer_page, book, bookings, move)
