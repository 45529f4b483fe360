"""A hall of courts that may be booked: a kind of the tests' own, over a real store."""

from dataclasses import dataclass

from citybrain.brain.act import METADATA, Bookings, Offers, Terms, Units, Wanted
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.bookings import Offer
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.instant import DAY, HOUR, Instant, parse
from citybrain.kernel.parties import Unit
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import By, Entity, Field, Kind
from citybrain.sdk import Bookable, Pack, Parameter

NOW = parse("2026-11-22T07:00:00Z")
"""15:00 on a Sunday in the district."""
COURT = Kind(
    "court",
    Text("球场", "Court"),
    (
        Field("places", Text("场地数", "Places"), By.FORM, required=True),
        Field("holder", Text("业主", "Owner"), By.FORM),
    ),
    "sports",
    place="point",
    access="unconditional",
)
PACK = Pack(
    "courts",
    Text("球场", "Courts"),
    "四-3",
    Text("测试用。", "For tests."),
    kinds=(COURT,),
    bookables=(Bookable("court", Text("球场", "Courts"), Text("场", "court"), "places", owner="holder", longest="PT4H"),),
    parameters=(Parameter("booking_no_show_limit", 2.0, "2026-01-01", "test", "local"),),
)
HALLS = {
    "hall-1": Entity("hall-1", "court", same("一号馆"), None, None, {"places": 3}, 1, NOW),
    "hall-2": Entity("hall-2", "court", same("二号馆"), None, None, {"places": 5, "holder": "account:acc-firm"}, 1, NOW),
    "tree-1": Entity("tree-1", "tree", same("树"), None, None, {}, 1, NOW),
}


def at(hours: float) -> Instant:
    """So many hours after 16:00 today."""
    return Instant(round(NOW + HOUR + hours * HOUR))


def hall(entity_id: str) -> Entity:
    """A hall by id, as the registry would give it."""
    if entity_id not in HALLS:
        raise NotFoundError(same(f"No {entity_id}."))
    return HALLS[entity_id]


@dataclass(frozen=True)
class Desk:
    """Offers and bookings of the halls, with the clock that they go by."""

    offers: Offers
    bookings: Bookings
    clock: FixedClock
    store: SqlTransactions

    def published(self, units: int = 3, entity: str = "hall-1", days: int = 20) -> Offer:
        """An offer that is open day and night for some days from 16:00 today."""
        wanted = Wanted(entity, units, at(0), Instant(at(0) + days * DAY))
        return self.offers.publish(wanted, self.offers.terms.owner(hall(entity)), f"k-{entity}-{units}-{days}")


def desk_over(store: SqlTransactions, clock: FixedClock) -> Desk:
    """The desk over a store whose tables it makes."""
    with store.begin() as tx:
        METADATA.create_all(tx.connection)
    units = Units(store)
    units.put(Unit("unit-sports", Text("体育示范科", "Sports Office"), ("sports",), None))
    offers = Offers(store, Terms((PACK,), hall, units, clock), clock, "demo")
    return Desk(offers, Bookings(store, offers, clock), clock, store)
