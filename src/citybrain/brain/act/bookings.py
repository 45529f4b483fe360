"""Bookings without double booking: the check of what is held and the new row are one transaction of the one writer.

booked → arrived → done, or no_show after the grace, or cancelled.
"""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import msgspec
from sqlalchemy import Connection

from citybrain.brain.act import booking_records as records
from citybrain.brain.act.booking_fairness import STATE_WORDS, Fairness, counted, price
from citybrain.brain.act.booking_offers import BOOKED, CHANGED, Offers, event
from citybrain.brain.act.booking_store import BOOKING
from citybrain.kernel.bookings import Booking, Offer, held, within
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import (
    BadInputError,
    ConflictError,
    FullError,
    NoShowsError,
    OutsideHoursError,
    PastError,
    RefusedMoveError,
)
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import HOUR, Instant, local, rfc3339
from citybrain.kernel.ports import Transactions, Tx
from citybrain.kernel.text import Text

BookingMove: TypeAlias = Literal["cancel", "arrive", "leave", "appeal", "excuse", "uphold"]
OWNERS: frozenset[BookingMove] = frozenset({"excuse", "uphold"})
"""Moves of the thing's owner; all others are of who booked."""
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0 and O, 1 and I: codes are read aloud."""


class Standing(msgspec.Struct, frozen=True):
    """How an account stands: no-shows that count, from how many on there is a limit, and until when it holds."""

    no_shows: int
    limit: int
    until: Instant | None


class Bookings:
    """All bookings of the district."""

    def __init__(self, transactions: Transactions[Connection], offers: Offers, clock: Clock) -> None:
        self._transactions = transactions
        self._offers = offers
        self._clock = clock

    def book(self, offer_id: str, account: str, begins: Instant, ends: Instant, units: int, key: str) -> Booking:
        """Book units for an account; the same key gives the booking it made.

        Raises NotFoundError, BadInputError, OutsideHoursError, PastError, NoShowsError, FullError, and ConflictError for a key used
        otherwise.
        """
        with self._transactions.begin() as tx:
            known = records.bookings(tx.connection, BOOKING.c.key == f"{account}:{key}")
            if known:
                return _same(known[0], (offer_id, begins, ends, units))
            now = self._clock.city()
            offer = records.offer(tx.connection, offer_id)
            self._lapse(tx, now, offer.id)
            self._admit(offer, now, begins, ends, units)
            self._limit(tx.connection, offer, account, now, begins)
            free = offer.units - held(records.spans(tx.connection, offer.id, begins, ends), begins, ends)
            if units > free:
                what = Text(f"该时段仅余 {free} 个，不足 {units} 个。", f"{free} are free for that span, {units} were asked for.")
                raise FullError(what, offer=offer.id, free=free)
            made = _made(offer, account, begins, ends, units, now)
            records.insert_booking(tx.connection, made, f"{account}:{key}")
            tx.emit(event(made, BOOKED))
        return made

    def move(self, booking_id: str, move: BookingMove, version: int, words: str = "") -> Booking:
        """Take a move; whether the caller may is asked of policy before.

        Raises NotFoundError, StaleError, RefusedMoveError, and BadInputError where words are missing.
        """
        with self._transactions.begin() as tx:
            now = self._clock.city()
            found = records.booking(tx.connection, booking_id)
            if found.version != version:
                raise records.stale(found.version, version)
            changed = self._moved(found, move, now, words.strip()[:500])
            records.replace_booking(tx.connection, changed, version)
            self._tell(tx, changed, move)
            tx.emit(event(changed, CHANGED))
        return changed

    def moves_for(self, booking: Booking) -> tuple[BookingMove, ...]:
        """What may be done with a booking now, whoever does it."""
        now, rules = self._clock.city(), self._offers.terms.fairness(booking.kind)
        return tuple(move for move, fits in _MOVES.items() if fits(booking, now, rules))

    def lapse(self, limit: int = 500) -> int:
        """Mark what was not kept as no-show once the grace is over, and what has ended as done; returns how many there were."""
        with self._transactions.read() as connection:
            waiting = bool(self._due(connection, self._clock.city(), None, 1))
        if not waiting:
            return 0
        with self._transactions.begin() as tx:
            return self._lapse(tx, self._clock.city(), None, limit)

    def booking(self, booking_id: str) -> Booking:
        """A booking by id; raises NotFoundError."""
        with self._transactions.read() as connection:
            return records.booking(connection, booking_id)

    def of(self, account: str, limit: int = 100) -> tuple[Booking, ...]:
        """The bookings of an account, the latest to begin first."""
        with self._transactions.read() as connection:
            return records.bookings(connection, BOOKING.c.account == account, limit=limit)

    def on(self, offer_id: str, limit: int = 200) -> tuple[Booking, ...]:
        """The bookings of an offer, the latest to begin first."""
        with self._transactions.read() as connection:
            return records.bookings(connection, BOOKING.c.offer == offer_id, limit=limit)

    def standing(self, account: str, kind: str) -> Standing:
        """How an account stands with things of a kind."""
        with self._transactions.read() as connection:
            return self._standing(connection, account, kind, self._clock.city())

    def _admit(self, offer: Offer, now: Instant, begins: Instant, ends: Instant, units: int) -> None:
        term = self._offers.terms.of(offer.kind)
        if units < 1:
            raise BadInputError(Text("数量至少为 1。", "Book at least one unit."), field="units")
        if begins < now:
            raise PastError(Text("所选时段已经开始。", "That span has begun already."), begins=rfc3339(begins), now=rfc3339(now))
        wrong = None
        if offer.state != "open":
            wrong = Text("该项目已撤回，不再接受预订。", "This offer was withdrawn and takes no more bookings.")
        elif begins % term.slot or ends % term.slot or not within(offer, begins, ends):
            wrong = Text(
                "所选时段不在开放时间内，或起止不在整格上。",
                "The offer is not open for that span, or the span is not on its slots.",
            )
        elif ends - begins > term.longest:
            hours = term.longest / HOUR
            wrong = Text(f"一次最多预订 {hours:g} 小时。", f"A booking lasts at most {hours:g} hours.")
        elif begins - now > term.latest:
            days = term.latest / HOUR / 24
            wrong = Text(f"最多提前 {days:g} 天预订。", f"Bookings are taken at most {days:g} days ahead.")
        if wrong is not None:
            raise OutsideHoursError(wrong, offer=offer.id, begins=rfc3339(begins), ends=rfc3339(ends))

    def _limit(self, connection: Connection, offer: Offer, account: str, now: Instant, begins: Instant) -> None:
        standing = self._standing(connection, account, offer.kind, now)
        ahead = self._offers.terms.fairness(offer.kind).ahead
        if standing.until is None or begins - now <= ahead:
            return
        hours, when = ahead / HOUR, local(standing.until)
        what = Text(
            f"近期有 {standing.no_shows} 次预订未到，{when:%Y-%m-%d} 前只能提前 {hours:g} 小时以内预订。有正当理由的，可在“我的预订”中申诉。",
            f"{standing.no_shows} bookings were not kept lately: until {when:%Y-%m-%d} you may book {hours:g} hours ahead at most. "
            "If there was a reason, appeal under My bookings.",
        )
        raise NoShowsError(what, no_shows=standing.no_shows, until=rfc3339(standing.until))

    def _standing(self, connection: Connection, account: str, kind: str, now: Instant) -> Standing:
        rules = self._offers.terms.fairness(kind)
        # An appeal counts for who makes it until the owner has decided.
        mine = (BOOKING.c.account == account, BOOKING.c.state == "no_show", BOOKING.c.appeal.in_(("", "upheld")))
        missed = [one.begins for one in records.bookings(connection, *mine) if one.kind == kind]
        count = counted(missed, now, rules)
        until = Instant(max(missed) + rules.clean) if count >= rules.limit else None
        return Standing(count, rules.limit, until)

    def _due(self, connection: Connection, now: Instant, offer_id: str | None, limit: int) -> tuple[Booking, ...]:
        # Grace differs by kind: whatever has begun is looked at, and what is still in its grace is left.
        begun = BOOKING.c.state == "booked", BOOKING.c.begins <= now
        ended = BOOKING.c.state == "arrived", BOOKING.c.ends <= now
        here = () if offer_id is None else (BOOKING.c.offer == offer_id,)
        found = records.bookings(connection, *begun, *here, limit=limit + 1000)
        missed = [one for one in found if one.begins + self._offers.terms.fairness(one.kind).grace <= now]
        return (*missed, *records.bookings(connection, *ended, *here, limit=limit))[:limit]

    def _lapse(self, tx: Tx[Connection], now: Instant, offer_id: str | None, limit: int = 500) -> int:
        due = self._due(tx.connection, now, offer_id, limit)
        for booking in due:
            state: Literal["no_show", "done"] = "no_show" if booking.state == "booked" else "done"
            gone = msgspec.structs.replace(booking, state=state, changed=now, version=booking.version + 1)
            records.replace_booking(tx.connection, gone, booking.version)
            self._tell(tx, gone, state)
            tx.emit(event(gone, CHANGED))
        return len(due)

    def _moved(self, found: Booking, move: BookingMove, now: Instant, words: str) -> Booking:
        rules = self._offers.terms.fairness(found.kind)
        if not _MOVES[move](found, now, rules):
            state = STATE_WORDS[found.state]
            allowed = [name for name, fits in _MOVES.items() if fits(found, now, rules)]
            what = Text(
                f"预订 {found.code} 为“{state.zh}”，现在不能办理“{MOVE_WORDS[move].zh}”。",
                f"Booking {found.code} is '{state.en}': '{MOVE_WORDS[move].en}' is not possible now.",
            )
            raise RefusedMoveError(what, move=move, state=found.state, allowed=list(allowed))
        if move in ("appeal", "uphold") and not words:
            raise BadInputError(Text("请写明理由。", "Write the reason."), field="words")
        return msgspec.structs.replace(
            found, changed=now, words=_said(found, move, words), version=found.version + 1, **_CHANGES[move]
        )

    def _tell(self, tx: Tx[Connection], booking: Booking, what: str) -> None:
        if what not in _NOTICES:
            return
        words = _NOTICES[what]
        to = booking.owner if what == "appeal" else f"account:{booking.account}"
        said = Text(words.zh.format(code=booking.code), words.en.format(code=booking.code))
        records.tell(tx.connection, self._clock, to, booking, said)


MOVE_WORDS: dict[BookingMove, Text] = {
    "cancel": Text("取消", "Cancel"),
    "arrive": Text("到达", "I have arrived"),
    "leave": Text("离开", "I am leaving"),
    "appeal": Text("申诉", "Appeal"),
    "excuse": Text("同意申诉", "Accept the appeal"),
    "uphold": Text("维持记录", "Keep the record"),
}
_CHANGES: dict[BookingMove, dict[str, str]] = {
    "cancel": {"state": "cancelled"},
    "arrive": {"state": "arrived"},
    "leave": {"state": "done"},
    "appeal": {"appeal": "asked"},
    "excuse": {"appeal": "excused"},
    "uphold": {"appeal": "upheld"},
}
_MOVES: Mapping[BookingMove, Callable[[Booking, Instant, Fairness], bool]] = {
    "arrive": lambda one, now, rules: one.state == "booked" and one.begins <= now < one.begins + rules.grace,
    "leave": lambda one, now, _: one.state == "arrived" and now < one.ends,
    "cancel": lambda one, now, rules: one.state == "booked" and now < one.begins + rules.grace,
    "appeal": lambda one, now, rules: one.state == "no_show" and one.appeal == "" and now < one.begins + rules.window,
    "excuse": lambda one, _, __: one.appeal == "asked",
    "uphold": lambda one, _, __: one.appeal == "asked",
}
_NOTICES = {
    "no_show": Text(
        "预订 {code} 未到，空位已放出。有正当理由的，请在“我的预订”中申诉。",
        "Booking {code} was not kept and its place is free again. If there was a reason, appeal under My bookings.",
    ),
    "appeal": Text(
        "预订 {code} 的未到记录有申诉，请处理。", "There is an appeal against the no-show of booking {code}. Please decide."
    ),
    "excuse": Text("预订 {code} 的申诉已同意，不计未到。", "Your appeal for booking {code} was accepted: it does not count."),
    "uphold": Text(
        "预订 {code} 的申诉未获同意，理由见“我的预订”。", "The no-show of booking {code} stands; see the reason under My bookings."
    ),
}


def _said(found: Booking, move: BookingMove, words: str) -> str:
    """The words of a booking after a move: an answer stands beside the appeal that it answers."""
    if move in OWNERS and words:
        return f"{found.words} — {words}"
    return words or found.words


def _made(offer: Offer, account: str, begins: Instant, ends: Instant, units: int, now: Instant) -> Booking:
    made = new_id()
    shared = {name: getattr(offer, name) for name in ("entity", "kind", "title", "area", "owner", "origin")}
    whole = price(offer, begins, ends, units)
    return Booking(
        id=made,
        code=_code(made),
        offer=offer.id,
        account=account,
        begins=begins,
        ends=ends,
        units=units,
        price=whole,
        state="booked",
        made=now,
        changed=now,
        appeal="",
        words="",
        version=1,
        **shared,
    )


def _code(booking_id: str) -> str:
    """Six letters and digits of an id's chance; what is shown on the spot beside the span, no secret."""
    number = int(booking_id[-8:], 16)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(0, 30, 5))


def _same(known: Booking, wanted: tuple[str, Instant, Instant, int]) -> Booking:
    if (known.offer, known.begins, known.ends, known.units) != wanted:
        what = Text("该 Idempotency-Key 已用于另一预订。", "This Idempotency-Key was used for another booking.")
        raise ConflictError(what, booking=known.id)
    return known
