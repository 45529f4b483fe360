"""Invented offers and bookings of a demonstration (模拟生成), made and kept through the books that everybody's go through.

declared shares → published → each day's stays → booked, arrived, left, missed or cancelled, at their own city times
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

import msgspec
import numpy as np
import structlog

from citybrain.app.city import City
from citybrain.brain import act
from citybrain.kernel.bookings import Booking, Offer, Share, Sharing, Stay
from citybrain.kernel.errors import CityError
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant, local_date, midnight
from citybrain.kernel.pack import Pack
from citybrain.kernel.text import Text

log = structlog.get_logger()

ORIGIN: Final = Text("共享与预订为模拟生成", "offers and bookings are generated")
MARK: Final = "（模拟生成）"
_SEED: Final = 120_104
_DRIVERS: Final = 24
_STANDS: Final = 364 * DAY
_AHEAD: Final = 2
"""Days before the one it begins on that a stay is made, at most."""
_MOVES: Final = 5 * MINUTE
"""After its beginning somebody arrives, and so long before its end leaves."""
Deed: TypeAlias = Literal["book", "arrive", "leave", "cancel", "miss"]


class Step(msgspec.Struct, frozen=True):
    """Something that a driver does, or does not do, at a time."""

    at: Instant
    deed: Deed
    kind: str
    key: str
    share: Share
    stay: Stay
    driver: int


def sampled(packs: Sequence[Pack]) -> tuple[tuple[str, Sharing], ...]:
    """The kinds whose sharing a demonstration plays."""
    return tuple((one.kind, one.sample) for pack in packs for one in pack.bookables if one.sample is not None)


def play(city: City, hold: Callable[[Instant], None], since: Instant, now: Instant) -> None:
    """Publish every share at an instant and take the steps since then as they came, with the city's clock held at each."""
    hold(since)
    for kind, sharing in sampled(city.packs):
        for number, share in enumerate(sharing.shares):
            _publish(city, kind, number, share, since)
    taken = Drivers(city)
    for step in steps(city.packs, since, now):
        hold(step.at)
        taken.take(step)


async def go_on(city: City) -> None:
    """Take, once a wall second, the steps of the city time that has passed; what was not lived through is left out."""
    if not sampled(city.packs):
        return
    taken, last = Drivers(city), city.clock.city()
    while True:
        await asyncio.sleep(1.0)
        now = city.clock.city()
        for step in steps(city.packs, Instant(last + 1), now):
            await asyncio.to_thread(taken.take, step)
        last = now


def steps(packs: Sequence[Pack], since: Instant, until: Instant) -> tuple[Step, ...]:
    """The steps of [since, until], oldest first; the same days always give the same steps."""
    found = (step for kind, sharing in sampled(packs) for step in _of(kind, sharing, since, until) if since <= step.at <= until)
    return tuple(sorted(found, key=lambda step: (step.at, step.key)))


class Drivers:
    """The drivers of a demonstration: its citizens, and others who cannot sign in."""

    def __init__(self, city: City) -> None:
        self._city = city
        known = [account.id for account in city.accounts.all() if "citizen" in account.roles]
        self._drivers = [*known, *(f"demo-driver-{number:02}" for number in range(len(known), _DRIVERS))][:_DRIVERS]

    def take(self, step: Step) -> None:
        """Take a step; a refusal is what any driver would have got, and the step is left out."""
        try:
            self._taken(step)
        except CityError as refused:
            log.debug("sample_refused", deed=step.deed, key=step.key, code=refused.code)

    def _taken(self, step: Step) -> None:
        account = self._drivers[step.driver]
        if step.deed == "miss":
            self._city.bookings.lapse()
            return
        offer = self._offer(step)
        if offer is None:
            return
        if step.deed == "book":
            self._city.bookings.book(offer.id, account, step.stay.begins, step.stay.ends, 1, step.key)
            return
        booked = self._booked(account, offer, step.stay)
        if booked is not None:
            self._city.bookings.move(booked.id, step.deed, booked.version, _why(step))

    def _offer(self, step: Step) -> Offer | None:
        standing = self._city.offers.current(step.kind)
        wanted = (step.share.entity, step.share.days, step.share.opens)
        return next((offer for offer in standing if (offer.entity, offer.days, offer.opens) == wanted), None)

    def _booked(self, account: str, offer: Offer, stay: Stay) -> Booking | None:
        own = self._city.bookings.of(account)
        return next((one for one in own if (one.offer, one.begins, one.ends) == (offer.id, stay.begins, stay.ends)), None)


def _publish(city: City, kind: str, number: int, share: Share, since: Instant) -> None:
    thing = city.registry.entity(share.entity)
    wanted = act.Wanted(
        share.entity,
        share.units,
        since,
        Instant(since + _STANDS),
        share.days,
        share.opens,
        share.closes,
        share.price,
        f"{share.words}{MARK}",
    )
    city.offers.publish(wanted, city.offers.terms.owner(thing), f"sample-{kind}-{number}")


def _of(kind: str, sharing: Sharing, since: Instant, until: Instant) -> Iterator[Step]:
    day, last = midnight(local_date(Instant(since - DAY))), Instant(until + _AHEAD * DAY)
    while day <= last:
        rng = np.random.default_rng([_SEED, day // DAY])
        for number, stay in enumerate(sharing.day(rng, day)):
            driver, key = int(rng.integers(_DRIVERS)), f"sample-{kind}-{day // HOUR}-{number}"
            for at, deed in _deeds(stay):
                yield Step(at, deed, kind, key, sharing.shares[stay.share], stay, driver)
        day = Instant(day + DAY)


def _deeds(stay: Stay) -> tuple[tuple[Instant, Deed], ...]:
    booked: tuple[Instant, Deed] = (stay.made, "book")
    if stay.became == "kept":
        return booked, (Instant(stay.begins + _MOVES), "arrive"), (Instant(stay.ends - _MOVES), "leave")
    if stay.became == "cancelled":
        return booked, (Instant((stay.made + stay.begins) // 2), "cancel")
    return booked, (Instant(stay.begins + HOUR), "miss")


def _why(step: Step) -> str:
    return f"行程有变{MARK}" if step.deed == "cancel" else ""
