"""What an owner offers: own offers with what is booked of them, the form for another one, and taking one back."""

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from citybrain.brain.act import Wanted
from citybrain.doors.pages import booking_facts as told
from citybrain.doors.pages import frame, typed
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.bookings import HOLDING, Offer
from citybrain.kernel.errors import BadInputError, ConflictError, ForbiddenError, NotFoundError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import HOUR, Instant, local_date, midnight
from citybrain.kernel.text import Text
from citybrain.web.booking_views import (
    OwnerPage,
    OwnOffer,
)
from citybrain.web.desk_views import Option

_DAYS: Final = 7


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


@get("/offers/mine", opt=frame.opens("page.bookings"), sync_to_thread=True)
def mine(request: Call, parts: Parts) -> Response[str]:
    """What the caller or the caller's unit offers, and the form for another offer."""
    frame.signed_in(request)
    today = local_date(parts.clock.city())
    given = {"since": today.isoformat(), "until": (today + timedelta(days=_DAYS)).isoformat()}
    return frame.shown(parts, request, shown(parts, request, given))


@post("/offers", opt=frame.opens("page.bookings"), sync_to_thread=True)
def publish(request: Call, parts: Parts, data: URLEncodedBody[Offering]) -> Response[str] | Redirect:
    """Publish an offer; a refusal shows the form again with what was typed and what is wrong."""
    frame.own_form(request, data.csrf)
    try:
        wanted = _wanted(parts, data)
        owner = parts.offers.terms.owner(parts.offers.terms.thing(wanted.entity))
        told.require(request, parts, "offer.create", wanted.entity, {"recipient": owner})
        parts.offers.publish(wanted, owner, data.key or new_id())
    except (BadInputError, ConflictError, ForbiddenError, NotFoundError) as error:
        given = {
            name: str(getattr(data, name)) for name in ("entity", "units", "since", "until", "opens", "closes", "price", "words")
        }
        view = msgspec.structs.replace(
            shown(parts, request, given), chosen=tuple(map(str, data.days)), errors=(told.wrong(error, "entity"),), key=new_id()
        )
        return frame.shown(parts, request, view, status=error.status)
    return Redirect("/offers/mine?done=offered", status_code=303)


@post("/offers/{name:str}/withdrawal", opt=frame.opens("page.bookings"), sync_to_thread=True)
def withdraw(request: Call, parts: Parts, name: FromPath[str], data: URLEncodedBody[Withdrawal]) -> Response[str] | Redirect:
    """Withdraw an offer; those whose bookings end with it are told why."""
    frame.own_form(request, data.csrf)
    told.require(request, parts, "offer.write", name, {"recipient": parts.offers.offer(name).owner})
    try:
        parts.offers.withdraw(name, data.version, data.why)
    except (BadInputError, ConflictError) as error:
        view = msgspec.structs.replace(shown(parts, request, {}), errors=(told.wrong(error, f"why-{name}"),))
        return frame.shown(parts, request, view, status=error.status)
    return Redirect("/offers/mine?done=withdrawn", status_code=303)


def shown(parts: PageParts, request: Call, given: dict[str, str]) -> OwnerPage:
    """What the caller or the caller's unit offers, with the form as it was typed."""
    own = tuple(_own(parts, offer) for offer in parts.offers.owned(told.owners(request)))
    days = tuple(Option(str(number), words) for number, words in enumerate(told.WEEK, 1))
    return OwnerPage(own, told.own_things(parts, request), days, new_id(), given)


def _own(parts: PageParts, offer: Offer) -> OwnOffer:
    found = parts.bookings.on(offer.id)
    waiting = {one.id for one in found if one.state in HOLDING or one.appeal == "asked"}
    items = {one.id: told.booking(parts, one, owner=True) for one in found}
    return OwnOffer(
        id=offer.id,
        title=offer.title,
        when=told.when(offer),
        units=told.units(parts, offer),
        price=told.price(parts, offer),
        version=offer.version,
        notice=round(parts.offers.terms.fairness(offer.kind).notice / HOUR),
        withdrawn=offer.state == "withdrawn",
        held=tuple(item for key, item in items.items() if key in waiting),
        past=tuple(item for key, item in items.items() if key not in waiting),
        demo=offer.origin != "real",
    )


def _wanted(parts: PageParts, data: Offering) -> Wanted:
    since, until = _date(data.since, "since"), _date(data.until, "until")
    now = parts.clock.city()
    first = Instant(-(-max(midnight(since), now) // HOUR) * HOUR)
    return Wanted(
        data.entity,
        whole(data.units, "units"),
        first,
        midnight(until + timedelta(days=1)),
        data.days or tuple(range(1, 8)),
        typed.minute(data.opens, "opens"),
        typed.minute(data.closes, "closes"),
        _fen(data.price),
        data.words.strip()[:500],
    )


def _date(said: str, field: str) -> date:
    try:
        found = date.fromisoformat(said)
    except ValueError:
        raise BadInputError(Text("请选择日期。", "Choose a date."), field=field) from None
    if not 2000 <= found.year <= 2999:
        raise BadInputError(Text("请选择日期。", "Choose a date."), field=field)
    return found


def whole(said: str, field: str) -> int:
    """A whole number as it was typed; raises BadInputError."""
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


HANDLERS = (mine, publish, withdraw)
