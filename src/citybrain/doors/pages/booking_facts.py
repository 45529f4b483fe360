"""Offers and bookings as people read them, and what every page of them asks: who owns, who may, what was wrong."""

from datetime import date
from typing import Final

from citybrain.brain.act import MOVE_WORDS, OWNERS, STATE_WORDS, BookingMove
from citybrain.doors.pages import rows, typed
from citybrain.doors.pages.parts import Call, PageParts
from citybrain.kernel.access import Ask
from citybrain.kernel.bookings import Booking, BookingState, Offer, Span
from citybrain.kernel.errors import CityError, NotFoundError
from citybrain.kernel.instant import HOUR, Instant, local, local_date, rfc3339
from citybrain.kernel.text import Json, Text, same
from citybrain.web.booking_views import (
    BookingForm,
    BookingItem,
    FreeHour,
    OfferItem,
)
from citybrain.web.desk_views import FormError, Option
from citybrain.web.views import Tone

WEEK: Final = tuple(
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


def item(parts: PageParts, offer: Offer, slots: tuple[Span, ...]) -> OfferItem:
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
        units(parts, offer),
        price(parts, offer),
        offer.words,
        tuple(hours),
        offer.origin != "real",
    )


def booking(parts: PageParts, one: Booking, *, owner: bool) -> BookingItem:
    """A booking with the moves that its driver, or its owner, may take."""
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


def own_things(parts: PageParts, request: Call) -> tuple[Option, ...]:
    """The things that the caller or the caller's unit may offer."""
    mine, terms = owners(request), parts.offers.terms
    found = []
    for declared in terms.kinds() if mine else ():
        for entity in parts.registry.entities(declared.kind):
            try:
                owned = terms.owner(entity) in mine
            except NotFoundError:
                # Nobody answers for the thing: then nobody may offer it.
                continue
            if owned:
                found.append(Option(entity.id, entity.title))
    return tuple(found)


def owners(request: Call) -> tuple[str, ...]:
    """The names under which the caller owns things."""
    caller = request.user
    if not caller.known:
        return ()
    unit = (f"unit:{caller.unit}",) if caller.unit is not None and "handler" in caller.roles else ()
    return (f"account:{caller.account}", *unit)


def ask(request: Call, action: str, resource: str, facts: dict[str, Json]) -> Ask:
    """What is asked of policy."""
    return Ask(request.user, action, resource, "", facts)


def require(request: Call, parts: PageParts, action: str, resource: str, facts: dict[str, Json]) -> None:
    """Raises ForbiddenError, or UnauthenticatedError for nobody."""
    parts.guard.require(ask(request, action, resource, facts))


def wrong(error: CityError, otherwise: str) -> FormError:
    """An error beside the field that it is of."""
    return FormError(str(error.fields.get("field", otherwise)), error.what)


def units(parts: PageParts, offer: Offer) -> Text:
    """How much an offer gives away."""
    unit = parts.offers.terms.of(offer.kind).declared.unit
    return Text(f"{offer.units} 个{unit.zh}", f"{offer.units} × {unit.en}")


def price(parts: PageParts, offer: Offer) -> Text:
    """What it costs."""
    whole, unit = _yuan(offer.price), parts.offers.terms.of(offer.kind).declared.unit
    return Text(f"每{unit.zh}每小时 {whole} 元", f"¥{whole} per {unit.en} and hour") if offer.price else Text("免费", "Free")


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def when(offer: Offer) -> Text:
    """From when to when, on which days, at which hours."""
    since, until = local_date(offer.since), local_date(Instant(offer.until - 1))
    span = f"{since.isoformat()} – {until.isoformat()}"
    if not offer.days:
        return same(span)
    hours = f"{typed.clock(offer.opens)} – {typed.clock(offer.closes)}"
    zh, en = "、".join(WEEK[day - 1].zh for day in offer.days), ", ".join(WEEK[day - 1].en for day in offer.days)
    return Text(f"{span}，{zh} {hours}", f"{span}, {en}, {hours}")


def day(day: date) -> Text:
    """A day as people say it."""
    words = WEEK[day.weekday()]
    return Text(f"{day.month}月{day.day}日 {words.zh}", f"{words.en} {day.day}.{day.month}.")


def until(ends: Instant, begins: Instant) -> Text:
    """An end, and how long that is."""
    hours = (ends - begins) / HOUR
    clock = f"{local(ends):%H:%M}" if local_date(ends) == local_date(begins) else f"{local(ends):%m-%d %H:%M}"
    return Text(f"{clock}（{hours:g} 小时）", f"{clock} ({hours:g} h)")
