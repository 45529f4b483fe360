"""Offers and bookings as rows: reading, inserting and replacing, always inside a transaction that the caller holds."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import ColumnElement, Connection, insert, select, update

from citybrain.brain.act.booking_store import BOOKING, OFFER
from citybrain.brain.act.store import NOTICE
from citybrain.kernel.bookings import HOLDING, Booking, Offer, Span
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import NotFoundError, StaleError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text

_OF_OFFER = ("entity", "kind", "title", "area", "owner")
"""What a booking shows of its offer and does not keep itself."""
_JOINED = select(BOOKING, *(OFFER.c[name] for name in _OF_OFFER)).join(OFFER, OFFER.c.id == BOOKING.c.offer)


def offers(connection: Connection, *conditions: ColumnElement[bool], limit: int = 1000) -> tuple[Offer, ...]:
    """The offers that conditions pick out, those that end first at the front."""
    wanted = select(OFFER).where(*conditions).order_by(OFFER.c.until, OFFER.c.id).limit(limit)
    return tuple(_offer(dict(row)) for row in connection.execute(wanted).mappings())


def offer(connection: Connection, offer_id: str) -> Offer:
    """An offer by id; raises NotFoundError."""
    found = offers(connection, OFFER.c.id == offer_id)
    if not found:
        raise NotFoundError(Text(f"没有预订项目“{offer_id}”。", f"There is no offer '{offer_id}'."), offer=offer_id)
    return found[0]


def bookings(connection: Connection, *conditions: ColumnElement[bool], limit: int = 1000) -> tuple[Booking, ...]:
    """The bookings that conditions pick out, the latest to begin first."""
    wanted = _JOINED.where(*conditions).order_by(BOOKING.c.begins.desc(), BOOKING.c.id.desc()).limit(limit)
    return tuple(_booking(dict(row)) for row in connection.execute(wanted).mappings())


def booking(connection: Connection, booking_id: str) -> Booking:
    """A booking by id; raises NotFoundError."""
    found = bookings(connection, BOOKING.c.id == booking_id)
    if not found:
        raise NotFoundError(Text(f"没有预订“{booking_id}”。", f"There is no booking '{booking_id}'."), booking=booking_id)
    return found[0]


def spans(connection: Connection, offer_id: str, begins: Instant, ends: Instant) -> tuple[Span, ...]:
    """What is held of an offer by bookings that touch [begins, ends)."""
    wanted = select(BOOKING.c.begins, BOOKING.c.ends, BOOKING.c.units).where(
        BOOKING.c.offer == offer_id, BOOKING.c.state.in_(HOLDING), BOOKING.c.begins < ends, BOOKING.c.ends > begins
    )
    return tuple(Span(Instant(row.begins), Instant(row.ends), row.units) for row in connection.execute(wanted))


def insert_offer(connection: Connection, made: Offer, key: str) -> None:
    """Write a new offer."""
    row = msgspec.structs.asdict(made) | {"title": _json(made.title), "days": _json(made.days), "key": key}
    connection.execute(insert(OFFER).values(row))


def replace_offer(connection: Connection, changed: Offer, seen: int) -> None:
    """Write what changes of an offer; raises StaleError when somebody else was faster."""
    row = {"until": changed.until, "state": changed.state, "version": changed.version}
    if connection.execute(update(OFFER).where(OFFER.c.id == changed.id, OFFER.c.version == seen).values(row)).rowcount != 1:
        raise stale(changed.version - 1, seen)


def insert_booking(connection: Connection, made: Booking, key: str) -> None:
    """Write a new booking."""
    row = {name: value for name, value in msgspec.structs.asdict(made).items() if name not in _OF_OFFER}
    connection.execute(insert(BOOKING).values(row | {"key": key}))


def replace_booking(connection: Connection, changed: Booking, seen: int) -> None:
    """Write what changes of a booking; raises StaleError when somebody else was faster."""
    row = {name: getattr(changed, name) for name in ("state", "changed", "appeal", "words", "version")}
    if connection.execute(update(BOOKING).where(BOOKING.c.id == changed.id, BOOKING.c.version == seen).values(row)).rowcount != 1:
        raise stale(changed.version - 1, seen)


def tell(connection: Connection, clock: Clock, recipient: str, about: Booking, words: Text) -> None:
    """Leave a notice in the transaction of the change that it tells of."""
    row = {
        "id": new_id(),
        "recipient": recipient,
        "key": f"booking:{about.id}:{about.version}",
        "words": _json(words),
        "subject": None,
        "origin": about.origin,
        "at": clock.city(),
        "wall": clock.wall(),
    }
    connection.execute(insert(NOTICE).values(row))


def stale(version: int, seen: int) -> StaleError:
    """The error of a change that was made on another version."""
    what = Text(
        f"内容已被更新（现为第 {version} 版，您看到的是第 {seen} 版）。请刷新后再试。",
        f"It was changed meanwhile (now version {version}, you saw {seen}). Reload and try again.",
    )
    return StaleError(what, version=version, seen=seen)


def _offer(row: Mapping[str, object]) -> Offer:
    fields = {name: row[name] for name in Offer.__struct_fields__}
    parsed = {"title": msgspec.json.decode(str(row["title"])), "days": msgspec.json.decode(str(row["days"]))}
    return msgspec.convert(fields | parsed, Offer)


def _booking(row: Mapping[str, object]) -> Booking:
    fields = {name: row[name] for name in Booking.__struct_fields__}
    return msgspec.convert(fields | {"title": msgspec.json.decode(str(row["title"]))}, Booking)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
