"""Where things have stood: since when each place of a thing that moved was its place, the present one too.

A thing that never moved has nothing here: it stands where it does since it is there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, or_, select

from citybrain.brain.observe.store import PLACED
from citybrain.kernel.instant import Instant
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json
from citybrain.kernel.things import Entity


class Told(NamedTuple):
    """What is said of where something stands, and the Locations that it stands at; none for a place of its own."""

    words: dict[str, Json] | None
    locations: tuple[str, ...] = ()


UNTOLD: Final = Told(None)


class Stood(msgspec.Struct, frozen=True):
    """A place of a thing, since when, and what its maker said of it (null for what nobody described)."""

    entity: str
    since: Instant
    place: Place
    words: dict[str, Json] | None = None
    named: Instant | None = None
    """What its id says, where ``since`` was set to another instant later."""
    gone: bool = False
    """It is kept no more."""
    locations: tuple[str, ...] = ()
    """The Locations that it was; none for a place of the thing's own."""
    struck: bool = False
    """Since when the thing stood there was deleted while it stood there: where it stands is known by this alone, and it is listed nowhere."""

    @property
    def key(self) -> Instant:
        """The instant (µs) of its id."""
        return self.since if self.named is None else self.named

    @property
    def id(self) -> str:
        """Thing and instant (µs)."""
        return f"{self.entity}@{self.key}"


def put(connection: Connection, stood: Stood) -> None:
    """Keep a place, or none of it any more; of two of one instant the later one."""
    if stood.gone:
        drop(connection, stood)
        return
    same = and_(PLACED.c.entity == stood.entity, PLACED.c.since == stood.since)
    connection.execute(delete(PLACED).where(or_(same, _named(stood.entity, stood.key))))
    words = None if stood.words is None else msgspec.json.encode(stood.words).decode()
    row = {"entity": stood.entity, "since": stood.since, "lon": stood.place.lon, "lat": stood.place.lat, "words": words}
    locations = msgspec.json.encode(stood.locations).decode() if stood.locations else None
    connection.execute(insert(PLACED).values(row | {"named": stood.named, "locations": locations, "struck": stood.struck or None}))


def drop(connection: Connection, stood: Stood) -> None:
    """Keep nothing of a place."""
    connection.execute(delete(PLACED).where(_named(stood.entity, stood.key)))


def newest(connection: Connection) -> dict[str, Stood]:
    """Where each thing that ever moved stands, or stood last, and since when."""
    last = select(PLACED.c.entity, func.max(PLACED.c.since).label("since")).group_by(PLACED.c.entity).subquery()
    both = and_(last.c.entity == PLACED.c.entity, last.c.since == PLACED.c.since)
    return {row.entity: _stood(row) for row in connection.execute(select(PLACED).join(last, both))}


def places(connection: Connection, entity: str, since: int, most: int) -> tuple[Stood, ...]:
    """The places that a thing that moved had from an instant on (µs, included), the earliest first, at most so many."""
    wanted = select(PLACED).where(PLACED.c.entity == entity, PLACED.c.since >= since).order_by(PLACED.c.since).limit(most)
    return tuple(_stood(row) for row in connection.execute(wanted))


def place(connection: Connection, entity: str, key: int) -> Stood | None:
    """The place of a thing whose id says an instant."""
    row = connection.execute(select(PLACED).where(_named(entity, key))).one_or_none()
    return None if row is None else _stood(row)


def last(connection: Connection, entity: str) -> Stood | None:
    """Where a thing that ever moved stands, or stood last."""
    row = connection.execute(select(PLACED).where(PLACED.c.entity == entity).order_by(PLACED.c.since.desc()).limit(1)).one_or_none()
    return None if row is None else _stood(row)


def at_location(connection: Connection, location: str, most: int) -> tuple[Stood, ...]:
    """The places of things that were a Location, by thing and time, at most so many."""
    named = PLACED.c.locations.contains(msgspec.json.encode(location).decode(), autoescape=True)
    wanted = select(PLACED).where(PLACED.c.locations.is_not(None), named).order_by(PLACED.c.entity, PLACED.c.since).limit(most)
    return tuple(_stood(row) for row in connection.execute(wanted))


def left(before: Entity, said: Told, after: Entity, says: Told, at: Instant, *, first: bool) -> tuple[Stood, ...]:
    """What is to be kept of a move at an instant: the place now, and the one before where it is the ``first`` that is left."""
    kept: tuple[Stood, ...] = ()
    if first and before.place is not None:
        kept = (Stood(before.id, before.valid_from, before.place, said.words, locations=said.locations),)
    return kept if after.place is None else (*kept, Stood(after.id, at, after.place, says.words, locations=says.locations))


def moved(known: Mapping[str, Stood], words: Sequence[object], last: Callable[[str], Stood | None]) -> dict[str, Stood]:
    """Where things stand, or stood last, after what was said; ``last`` looks it up where that is not plain."""
    found = dict(known)
    for one in words:
        if not isinstance(one, Stood):
            continue
        before = found.get(one.entity)
        if not one.gone and (before is None or one.since >= before.since):
            found[one.entity] = one
        elif before is not None and before.id == one.id:
            now = last(one.entity)
            found = {name: each for name, each in found.items() if name != one.entity} | ({} if now is None else {one.entity: now})
    return found


def _named(entity: str, key: int) -> ColumnElement[bool]:
    own = and_(PLACED.c.named.is_(None), PLACED.c.since == key)
    return and_(PLACED.c.entity == entity, or_(PLACED.c.named == key, own))


def _stood(row: Row[tuple[object, ...]]) -> Stood:
    words: dict[str, Json] | None = None if row.words is None else msgspec.json.decode(row.words)
    named = None if row.named is None else Instant(row.named)
    locations = () if row.locations is None else tuple(msgspec.json.decode(row.locations))
    return Stood(
        row.entity, Instant(row.since), Place(row.lon, row.lat), words, named, locations=locations, struck=bool(row.struck)
    )
