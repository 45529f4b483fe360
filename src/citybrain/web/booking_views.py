"""Views of sharing and booking: what is free when, own bookings, and what an owner offers."""

from typing import TypeAlias

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.web.desk_views import FormError, Option, Tab
from citybrain.web.views import Tone


class FreeHour(msgspec.Struct, frozen=True):
    """An hour that may be booked: its local beginning (``18:00``), how many units are free, and where to book; no href when full."""

    at: str
    free: int
    href: str = ""


class OfferItem(msgspec.Struct, frozen=True):
    """An offer on a day; ``where`` is its area, ``price`` in words."""

    title: Text
    where: Text
    units: Text
    price: Text
    words: str
    hours: tuple[FreeHour, ...]
    demo: bool = False


class OfferList(msgspec.Struct, frozen=True):
    """``/offers``: a tab for each of the next days, and on the day chosen what is free."""

    days: tuple[Tab, ...]
    offers: tuple[OfferItem, ...]
    owns: bool = False
    more: bool = False


class OfferPage(msgspec.Struct, frozen=True):
    """``/offers/<id>``: one span to confirm; posted with fields csrf, key, begins, ends and units.

    ``grace`` are the minutes that one may be late.
    """

    title: Text
    action: str
    back: str
    begins: str
    begins_at: Instant
    price: Text
    words: str
    key: str
    ends: tuple[Option, ...]
    free: int
    grace: int
    signed_in: bool
    may_book: bool
    demo: bool = False
    errors: tuple[FormError, ...] = ()


class BookingForm(msgspec.Struct, frozen=True):
    """A move that may be taken now; posted to ``action`` with fields csrf, move, version and words."""

    id: str
    move: str
    title: Text
    action: str
    version: int
    needs_words: bool = False
    tone: Tone = "plain"


class BookingItem(msgspec.Struct, frozen=True):
    """A booking with what may be done; ``words`` are the reason of its cancellation or appeal."""

    code: str
    title: Text
    begins: Instant
    ends: Instant
    units: Text
    price: Text
    state: Text
    tone: Tone
    words: str
    forms: tuple[BookingForm, ...]
    demo: bool = False


class BookingList(msgspec.Struct, frozen=True):
    """``/bookings``: own bookings, the latest to begin first; ``standing`` warns of no-shows that count."""

    bookings: tuple[BookingItem, ...]
    standing: Text | None = None
    errors: tuple[FormError, ...] = ()
    owns: bool = False


class OwnOffer(msgspec.Struct, frozen=True):
    """An own offer: when, how much, what is booked of it, and the form that withdraws it (none once withdrawn).

    ``notice`` are the hours for which bookings are honoured after a withdrawal.
    """

    id: str
    title: Text
    when: Text
    units: Text
    price: Text
    version: int
    notice: int
    withdrawn: bool
    held: tuple[BookingItem, ...]
    """Those that are still to come, are there now, or wait for an answer to an appeal."""
    past: tuple[BookingItem, ...]
    demo: bool = False


class OwnerPage(msgspec.Struct, frozen=True):
    """``/offers/mine``: own offers and the form for another; posted to ``/offers`` with the fields of ``typed``."""

    offers: tuple[OwnOffer, ...]
    things: tuple[Option, ...]
    days: tuple[Option, ...]
    key: str
    typed: dict[str, str]
    chosen: tuple[str, ...] = ()
    errors: tuple[FormError, ...] = ()


BookingView: TypeAlias = OfferList | OfferPage | BookingList | OwnerPage
