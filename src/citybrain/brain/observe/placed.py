"""Where things have stood: since when each place of a thing that moved was its place, the present one too.

A thing that never moved has nothing here: it stands where it does since it is there.
"""

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select

from citybrain.brain.observe.store import PLACED
from citybrain.kernel.instant import Instant
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json


class Stood(msgspec.Struct, frozen=True):
    """A place of a thing, since when, and what its maker said of it (null for what nobody described)."""

    entity: str
    since: Instant
    place: Place
    words: dict[str, Json] | None = None

    @property
    def id(self) -> str:
        """Thing and instant (µs)."""
        return f"{self.entity}@{self.since}"


def put(connection: Connection, stood: Stood) -> None:
    """Keep a place; of two of one instant the later one."""
    drop(connection, stood)
    words = None if stood.words is None else msgspec.json.encode(stood.words).decode()
    row = {"entity": stood.entity, "since": stood.since, "lon": stood.place.lon, "lat": stood.place.lat, "words": words}
    connection.execute(insert(PLACED).values(row))


def drop(connection: Connection, stood: Stood) -> None:
    """Keep nothing of a place."""
    connection.execute(delete(PLACED).where(PLACED.c.entity == stood.entity, PLACED.c.since == stood.since))


def newest(connection: Connection) -> dict[str, Instant]:
    """Since when each thing that ever moved stands where it does, or stood last."""
    rows = connection.execute(select(PLACED.c.entity, func.max(PLACED.c.since).label("since")).group_by(PLACED.c.entity))
    return {row.entity: Instant(row.since) for row in rows}


def places(connection: Connection, entity: str, since: int, most: int) -> tuple[Stood, ...]:
    """The places that a thing that moved had from an instant on (µs, included), the earliest first, at most so many."""
    wanted = select(PLACED).where(PLACED.c.entity == entity, PLACED.c.since >= since).order_by(PLACED.c.since).limit(most)
    return tuple(_stood(row) for row in connection.execute(wanted))


def _stood(row: Row[tuple[object, ...]]) -> Stood:
    words: dict[str, Json] | None = None if row.words is None else msgspec.json.decode(row.words)
    return Stood(row.entity, Instant(row.since), Place(row.lon, row.lat), words)
