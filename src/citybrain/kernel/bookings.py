"""Offers and bookings: when an offer is open, and how much of it is held. Pure.

The law of capacity: at no instant do bookings hold more units of an offer than it offers.
"""

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

import msgspec
import numpy as np

from citybrain.kernel.instant import DAY, MINUTE, Instant, local_date, midnight
from citybrain.kernel.text import Text
from citybrain.kernel.things import Origin

OfferState: TypeAlias = Literal["open", "withdrawn"]
BookingState: TypeAlias = Literal["booked", "arrived", "done", "no_show", "cancelled"]
Appeal: TypeAlias = Literal["", "asked", "excused", "upheld"]
HOLDING: tuple[BookingState, ...] = ("booked", "arrived")
"""The states in which a booking holds its units."""


class Offer(msgspec.Struct, frozen=True):
    """Units of an entity that its owner lets others book.

    ``owner`` is ``account:<id>`` or ``unit:<id>``. Open from ``since`` to ``until``; with ``days`` (ISO weekdays, 1 is Monday)
    only from ``opens`` to ``closes`` (minutes of the local day) of these days, over midnight where ``closes`` is not later.
    ``price`` is in 分 for a unit and an hour.
    """

    id: str
    entity: str
    kind: str
    title: Text
    area: str | None
    owner: str
    units: int
    since: Instant
    until: Instant
    days: tuple[int, ...]
    opens: int
    closes: int
    price: int
    words: str
    state: OfferState
    version: int
    origin: Origin


class Booking(msgspec.Struct, frozen=True):
    """Units of an offer held by an account from ``begins`` to ``ends``; ``code`` is what is shown on the spot.

    ``price`` is the whole price in 分. ``words`` are the reason of a cancellation or an appeal.
    """

    id: str
    code: str
    offer: str
    entity: str
    kind: str
    title: Text
    area: str | None
    owner: str
    account: str
    begins: Instant
    ends: Instant
    units: int
    price: int
    state: BookingState
    made: Instant
    changed: Instant
    appeal: Appeal
    words: str
    version: int
    origin: Origin


class Span(msgspec.Struct, frozen=True):
    """[begins, ends) with a number of units."""

    begins: Instant
    ends: Instant
    units: int


class Share(msgspec.Struct, frozen=True):
    """An invented offer of a demonstration, as in ``Offer``; it stands for as long as the demonstration runs."""

    entity: str
    units: int
    days: tuple[int, ...]
    opens: int
    closes: int
    price: int
    words: str


class Stay(msgspec.Struct, frozen=True):
    """An invented booking of one unit of a share (by its place among them): when it is made, its span, what becomes of it."""

    share: int
    made: Instant
    begins: Instant
    ends: Instant
    became: Literal["kept", "missed", "cancelled"]


class Sharing(msgspec.Struct, frozen=True):
    """What a demonstration plays of a bookable kind; ``day`` makes the stays that begin on the local day of a midnight."""

    shares: tuple[Share, ...]
    day: Callable[[np.random.Generator, Instant], tuple[Stay, ...]]


def windows(offer: Offer, since: Instant, until: Instant) -> tuple[Span, ...]:
    """When the offer is open within [since, until), oldest first; windows that touch are one."""
    first, last = max(since, offer.since), min(until, offer.until)
    if first >= last:
        return ()
    if not offer.days:
        return (Span(first, last, offer.units),)
    length = (offer.closes - offer.opens) % 1440 or 1440
    joined: list[Span] = []
    # A window may have begun the evening before.
    day = midnight(local_date(Instant(first - DAY)))
    while day < last:
        begins = Instant(day + offer.opens * MINUTE)
        if local_date(day).isoweekday() in offer.days:
            joined = _join(joined, _clip(Span(begins, Instant(begins + length * MINUTE), offer.units), first, last))
        day = Instant(day + DAY)
    return tuple(joined)


def within(offer: Offer, begins: Instant, ends: Instant) -> bool:
    """Whether an offer is open for the whole of a span."""
    return begins < ends and any(span.begins <= begins and ends <= span.ends for span in windows(offer, begins, ends))


def held(spans: Iterable[Span], begins: Instant, ends: Instant) -> int:
    """The most units that spans hold together at any instant of [begins, ends)."""
    touching = [span for span in spans if span.begins < ends and span.ends > begins]
    moments = {max(span.begins, begins) for span in touching}
    return max((sum(span.units for span in touching if span.begins <= at < span.ends) for at in moments), default=0)


def _clip(span: Span, first: Instant, last: Instant) -> Span:
    return Span(max(span.begins, first), min(span.ends, last), span.units)


def _join(spans: list[Span], span: Span) -> list[Span]:
    if span.begins >= span.ends:
        return spans
    if spans and spans[-1].ends >= span.begins:
        return [*spans[:-1], Span(spans[-1].begins, span.ends, span.units)]
    return [*spans, span]
