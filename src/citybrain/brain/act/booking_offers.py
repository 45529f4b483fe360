"""Offers: an owner publishes units of a thing for some hours, and may withdraw them with notice.

A withdrawal ends an offer after the notice; bookings that begin before are honoured in full, later ones are cancelled and told.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from citybrain.brain.act import booking_records as records
from citybrain.brain.act.booking_store import BOOKING, OFFER
from citybrain.brain.act.booking_terms import Terms
from citybrain.kernel.bookings import HOLDING, Booking, Offer, Span, held, windows
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, ConflictError, FullError, PastError
from citybrain.kernel.events import Event
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import DAY, MINUTE, Duration, Instant
from citybrain.kernel.ports import Transactions, Tx
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity, Origin

PUBLISHED = "citybrain.act.offer.published.v1"
WITHDRAWN = "citybrain.act.offer.withdrawn.v1"
BOOKED = "citybrain.act.booking.made.v1"
CHANGED = "citybrain.act.booking.changed.v1"
_LONGEST = Duration(366 * DAY)
_ALL = 1_000_000
"""Whether there is room is asked of every other offer, however many there are."""


class Wanted(msgspec.Struct, frozen=True):
    """What an owner asks to publish; as in ``Offer``."""

    entity: str
    units: int
    since: Instant
    until: Instant
    days: tuple[int, ...] = ()
    opens: int = 0
    closes: int = 0
    price: int = 0
    words: str = ""


class Offers:
    """All offers of the district."""

    def __init__(self, transactions: Transactions[Connection], terms: Terms, clock: Clock, origin: Origin = "real") -> None:
        self.terms = terms
        self._transactions = transactions
        self._clock = clock
        self._origin = origin

    def publish(self, wanted: Wanted, owner: str, key: str) -> Offer:
        """Publish an offer for an owner; the same key gives the offer it made.

        Raises NotFoundError, BadInputError, PastError, ConflictError for a key used otherwise, and FullError where the thing has
        not so many units to give beside its other offers.
        """
        entity = self.terms.thing(wanted.entity)
        self._check(wanted, entity)
        with self._transactions.begin() as tx:
            known = records.offers(tx.connection, OFFER.c.key == f"{owner}:{key}")
            if known:
                return _same(known[0], wanted)
            made = Offer(
                id=new_id(),
                kind=entity.kind,
                title=entity.title,
                area=entity.area,
                owner=owner,
                state="open",
                version=1,
                origin=self._origin,
                **msgspec.structs.asdict(wanted),
            )
            others = records.offers(tx.connection, OFFER.c.entity == entity.id, OFFER.c.until > made.since, limit=_ALL)
            _fits(made, others, self.terms.capacity(entity))
            records.insert_offer(tx.connection, made, f"{owner}:{key}")
            tx.emit(Event(new_id(), PUBLISHED, made.id, self._clock.city(), {"offer": msgspec.to_builtins(made)}))
        return made

    def withdraw(self, offer_id: str, version: int, why: str) -> Offer:
        """Take an offer back: no new bookings from now on, and none that begins after the notice stands.

        Raises NotFoundError, StaleError, ConflictError where it was withdrawn already, BadInputError for no reason.
        """
        if not why.strip():
            what = Text("请写明撤回原因，已预订的人会看到。", "Say why: those who have booked will read it.")
            raise BadInputError(what, field="why")
        now = self._clock.city()
        with self._transactions.begin() as tx:
            found = records.offer(tx.connection, offer_id)
            if found.version != version:
                raise records.stale(found.version, version)
            if found.state == "withdrawn":
                raise ConflictError(Text("该项目已撤回。", "This offer was withdrawn already."), offer=offer_id)
            end = Instant(now + self.terms.fairness(found.kind).notice)
            kept = self._cancel(tx, found, end, why.strip())
            until = min(found.until, max(end, *(booking.ends for booking in kept), found.since))
            changed = msgspec.structs.replace(found, until=until, state="withdrawn", version=version + 1)
            records.replace_offer(tx.connection, changed, version)
            before = {"since": found.since, "until": found.until}
            body = {"offer": msgspec.to_builtins(changed), "before": before}
            tx.emit(Event(new_id(), WITHDRAWN, found.id, now, body))
        return changed

    def offer(self, offer_id: str) -> Offer:
        """An offer by id; raises NotFoundError."""
        with self._transactions.read() as connection:
            return records.offer(connection, offer_id)

    def current(self, kind: str | None = None) -> tuple[Offer, ...]:
        """Open offers that have not ended, those that end first at the front."""
        conditions = [OFFER.c.state == "open", OFFER.c.until > self._clock.city()]
        if kind is not None:
            conditions.append(OFFER.c.kind == kind)
        with self._transactions.read() as connection:
            return records.offers(connection, *conditions)

    def owned(self, owners: Sequence[str]) -> tuple[Offer, ...]:
        """Offers of these owners that have not ended, withdrawn ones too."""
        with self._transactions.read() as connection:
            return records.offers(connection, OFFER.c.owner.in_(owners), OFFER.c.until > self._clock.city())

    def free(self, offer_id: str, since: Instant, until: Instant) -> tuple[Span, ...]:
        """The slots of an open offer within [since, until) that have not begun, each with the units that are free throughout."""
        with self._transactions.read() as connection:
            found = records.offer(connection, offer_id)
            taken = records.spans(connection, offer_id, since, until)
        if found.state != "open":
            return ()
        slot = self.terms.of(found.kind).slot
        now, slots = self._clock.city(), []
        for window in windows(found, since, until):
            begins = Instant(-(-window.begins // slot) * slot)
            while begins + slot <= window.ends:
                ends = Instant(begins + slot)
                if begins >= now:
                    slots.append(Span(begins, ends, found.units - held(taken, begins, ends)))
                begins = ends
        return tuple(slots)

    def _check(self, wanted: Wanted, entity: Entity) -> None:
        self.terms.on_slot(entity.kind, wanted.since, wanted.until)
        self.terms.on_slot(entity.kind, Instant(wanted.opens * MINUTE), Instant(wanted.closes * MINUTE))
        wrong = _wrong(wanted)
        if wrong is not None:
            raise BadInputError(wrong[1], field=wrong[0])
        if wanted.until <= self._clock.city():
            raise PastError(Text("开放时段已经过去。", "The span of the offer has gone by."), field="until")

    def _cancel(self, tx: Tx[Connection], found: Offer, end: Instant, why: str) -> tuple[Booking, ...]:
        """Cancel what begins at or after the end of the notice; returns what is honoured."""
        standing = records.bookings(tx.connection, BOOKING.c.offer == found.id, BOOKING.c.state.in_(HOLDING), limit=100_000)
        now = self._clock.city()
        for booking in standing:
            if booking.begins < end:
                continue
            words = f"业主撤回：{why}"
            gone = msgspec.structs.replace(booking, state="cancelled", changed=now, words=words, version=booking.version + 1)
            records.replace_booking(tx.connection, gone, booking.version)
            told = Text(
                f"您的预订 {booking.code}（{booking.title.zh}）因业主撤回而取消：{why}",
                f"Your booking {booking.code} ({booking.title.en}) was cancelled, for the owner withdrew the offer: {why}",
            )
            records.tell(tx.connection, self._clock, f"account:{booking.account}", gone, told)
            tx.emit(event(gone, CHANGED))
        return tuple(booking for booking in standing if booking.begins < end)


def event(booking: Booking, kind: str) -> Event:
    """The event of a booking as it is now; who booked and what they wrote stay out of it."""
    plain = msgspec.structs.replace(booking, account="", words="")
    return Event(new_id(), kind, booking.id, booking.changed, {"booking": msgspec.to_builtins(plain)})


def _same(known: Offer, wanted: Wanted) -> Offer:
    if any(getattr(known, name) != value for name, value in msgspec.structs.asdict(wanted).items()):
        what = Text("该 Idempotency-Key 已用于另一项目。", "This Idempotency-Key was used for another offer.")
        raise ConflictError(what, offer=known.id)
    return known


def _wrong(wanted: Wanted) -> tuple[str, Text] | None:
    """The first thing that is wrong with an offer by itself: its field, and what to do."""
    span = wanted.until - wanted.since
    found = (
        (wanted.units < 1, "units", Text("数量至少为 1。", "Offer at least one unit.")),
        (span <= 0, "until", Text("结束须晚于开始。", "The end must be after the beginning.")),
        (span > _LONGEST, "until", Text("一次最多开放 366 天。", "An offer lasts at most 366 days.")),
        (
            not set(wanted.days) <= set(range(1, 8)),
            "days",
            Text("星期为 1（周一）至 7（周日）。", "Days are 1 (Monday) to 7 (Sunday)."),
        ),
        (len(set(wanted.days)) != len(wanted.days), "days", Text("星期有重复。", "A day stands twice.")),
        (not 0 <= wanted.opens < DAY // MINUTE, "opens", Text("开始时刻有误。", "The opening minute is 0 to 1439.")),
        (not 0 <= wanted.closes <= DAY // MINUTE, "closes", Text("结束时刻有误。", "The closing minute is 0 to 1440.")),
        (wanted.price < 0, "price", Text("价格不得为负。", "A price is not negative.")),
    )
    return next(((field, words) for bad, field, words in found if bad), None)


def _fits(made: Offer, others: Sequence[Offer], capacity: int) -> None:
    spans = [span for other in others for span in windows(other, made.since, made.until)]
    for window in windows(made, made.since, made.until):
        given = held(spans, window.begins, window.ends)
        if given + made.units > capacity:
            what = Text(
                f"该对象共有 {capacity} 个，同时段已开放 {given} 个，不能再开放 {made.units} 个。",
                f"There are {capacity} units, {given} are offered at that time already: {made.units} more cannot be.",
            )
            raise FullError(what, capacity=capacity, offered=given, free=max(0, capacity - given))
