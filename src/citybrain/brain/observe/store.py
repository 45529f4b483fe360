"""Where observe keeps what is: entities, their streams, and the areas of the district."""

from typing import TypeAlias

import h3
import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    func,
    select,
)

from citybrain.kernel import text
from citybrain.kernel.instant import Duration, Instant
from citybrain.kernel.places import Area, Place
from citybrain.kernel.text import Json
from citybrain.kernel.things import Agrees, Contract, Entity, Origin, Sort, Stream

Rows: TypeAlias = dict[str, str | int | float | bytes | None]

METADATA = MetaData()
ENTITY = Table(
    "entity",
    METADATA,
    Column("id", String(200), primary_key=True),
    Column("kind", String(100), nullable=False),
    Column("title", Text, nullable=False),
    Column("lon", Float(53)),
    Column("lat", Float(53)),
    Column("h3_9", String(15)),
    Column("area_id", String(15)),
    Column("body", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger),
    Column("origin", String(20), nullable=False),
    Column("location", String(200)),
    Index("entity_kind", "kind", "id"),
    Index("entity_area", "area_id"),
    Index("entity_lon_lat", "lon", "lat"),
    Index("entity_h3_9", "h3_9"),
    Index("entity_valid_from", "valid_from", "id"),
)
STREAM = Table(
    "stream",
    METADATA,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("id", String(300), nullable=False, unique=True),
    Column("entity", String(200), nullable=False),
    Column("kind", String(100), nullable=False),
    Column("field", String(100), nullable=False),
    Column("unit", String(50), nullable=False),
    Column("every", BigInteger),
    Column("silent_after", BigInteger),
    Column("stuck_after", BigInteger),
    Column("low", Float(53)),
    Column("high", Float(53)),
    Column("opens", Integer),
    Column("closes", Integer),
    Column("agrees", String(20)),
    Column("within", Float(53), nullable=False, server_default="1.0"),
    Column("source", String(200), nullable=False),
    Column("origin", String(20), nullable=False),
    Column("ended", BigInteger),
    Column("sort", String(20), nullable=False, server_default="number"),
    Index("stream_entity", "entity"),
)
WORD = Table(
    "word",
    METADATA,
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("code", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("word", Text, nullable=False),
    Index("word_by_digest", "digest", "stream", unique=True),
)
"""The words of a stream whose results are no numbers, as JSON; in the store of readings stands the code of each (worded.py)."""
SPENT = Table(
    "spent",
    METADATA,
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("code", Integer, nullable=False),
)
"""The greatest code of a stream that was given to a word which is deleted: neither that one nor any below it is given again."""
UNSAID = Table(
    "unsaid",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("kind", String(100), nullable=False),
    Column("days", Integer, nullable=False),
    Column("before", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Column("streams", Integer, nullable=False),
    Column("words", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("proven", BigInteger),
    Index("unsaid_proven", "proven"),
)
"""The words that were deleted in one commit, for no reading said them any more (unsaid.py); ``proven`` is null before its certificate."""
DESCRIBED = Table(
    "described",
    METADATA,
    Column("noun", String(20), primary_key=True),
    Column("id", String(300), primary_key=True),
    Column("body", Text, nullable=False),
)
"""What a maker said of a thing, a property, a sensor, a stream or a group of streams that no pack declares (made.py)."""
PLACED = Table(
    "placed",
    METADATA,
    Column("entity", String(200), primary_key=True),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    Column("lon", Float(53), nullable=False),
    Column("lat", Float(53), nullable=False),
    Column("words", Text),
    Column("named", BigInteger),
    Column("locations", Text),
    Column("struck", Boolean),
    Index("placed_locations", "locations"),
)
"""Each place of a thing that moved, since when; ``named`` is what its id says where that is another instant (placed.py).

One that is ``struck`` was deleted while the thing stood there.
"""
FEATURED = Table(
    "featured",
    METADATA,
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("feature", String(200)),
    Column("said", Text),
    Column("lag", BigInteger),
    Column("lasts", BigInteger),
    Column("restated", Text),
    Index("featured_by", "feature", "stream", "time"),
)
"""What an observation is about, where that is not the place of its stream's own thing, and what else is said of it (beside.py).

``lag`` is its result's time after its own, in µs (null where nothing is said), ``lasts`` how long it spans (null: an instant). ``restated``
names what of it a person said anew, with commas between.
"""
RESTATED = Table(
    "restated",
    METADATA,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("stream", Integer, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("was_feature", String(200)),
    Column("was_said", Text),
    Column("feature", String(200)),
    Column("said", Text),
    Column("names", Text, nullable=False),
    Column("moved", BigInteger),
    Column("by", String(100), nullable=False),
    Column("why", Text, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Column("moved_stream", Integer),
    Column("was_restated", Text),
    Column("key", String(100)),
    Index("restated_of", "stream", "time"),
)
"""What people said anew of observations, what was known of them before, and where one was moved (restated.py).

``moved_stream`` is null where one that was moved stayed with its stream. ``key`` names the acts that it was entered with while these are on
their way into the store of readings; it is null from when they stand.
"""
Index("restated_key", RESTATED.c.key, sqlite_where=RESTATED.c.key.is_not(None), postgresql_where=RESTATED.c.key.is_not(None))
ASIDE = Table(
    "aside",
    METADATA,
    Column("correction", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", Integer, nullable=False),
    Column("feature", String(200)),
    Column("said", Text),
    Column("restated", Text),
    Index("aside_by", "feature"),
)
"""What was beside readings that a correction struck out: it stands beside them again when that is taken back."""
for _name, _of in (("featured_lag", FEATURED.c.lag), ("featured_lasts", FEATURED.c.lasts)):
    # Few have them, and these are asked for the first and the last.
    Index(_name, FEATURED.c.stream, _of, sqlite_where=_of.is_not(None), postgresql_where=_of.is_not(None))
DOUBT = Table(
    "doubt",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("stream", Integer, nullable=False),
    Column("life", String(20), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("told", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("centre", Float(53), nullable=False),
    Column("scale", Float(53), nullable=False),
    Column("why", Text, nullable=False),
    Index("doubt_stream", "stream", "since"),
    Index("doubt_until", "until"),
)
"""What was held against a stream: since when, told when, ended when (null: still), and how it stood to its neighbours before."""
PROMISE = Table(
    "promise",
    METADATA,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("stream", Integer, nullable=False),
    Column("contract", Text),
    Column("by", String(100), nullable=False),
    Column("why", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Index("promise_of_stream", "stream", "no"),
)
"""What people agreed on for streams that nobody else promised anything of; the newest of a stream holds, null for taken back."""
CORRECTION = Table(
    "correction",
    METADATA,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("key", String(100), nullable=False, unique=True),
    Column("stream", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("factor", Float(53), nullable=False),
    Column("offset", Float(53), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("by", String(100), nullable=False),
    Column("why", Text, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("ended_by", String(100)),
    Column("ended_why", Text),
    Column("ended_wall", BigInteger),
    Column("restored", Integer),
    Index("correction_of_stream", "stream", "no"),
)
"""What people corrected in readings; ``key`` names the batch of the rows, ``restored`` counts those that went back at its end."""
CORRECTED = Table(
    "corrected",
    METADATA,
    Column("correction", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", Integer, nullable=False),
    Column("measured", Float(53), nullable=False),
    Column("door", String(100), nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("rests", Integer),
    Column("before", Float(53), nullable=False),
    Column("after", Float(53), nullable=False),
    Index("corrected_at", "stream", "time"),
)
"""The readings of a correction: what was measured, how and when it had come in, what stood and what stands in its place.

``rests`` is the correction whose value stood there before; null where that was the measured one.
"""
AREA = Table(
    "area",
    METADATA,
    Column("code", String(15), primary_key=True),
    Column("level", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("parent", String(15)),
    Column("wkb", LargeBinary, nullable=False),
    Column("origin", String(20), nullable=False),
    Index("area_parent", "parent"),
)


def create(connection: Connection) -> None:
    """Make the tables where they are missing; app migrates with alembic instead."""
    METADATA.create_all(connection)


def entity_row(entity: Entity) -> Rows:
    """The columns of an entity, with its H3 cell of resolution 9."""
    place = entity.place
    return {
        "id": entity.id,
        "kind": entity.kind,
        "title": _json(entity.title),
        "lon": None if place is None else place.lon,
        "lat": None if place is None else place.lat,
        "h3_9": None if place is None else str(h3.latlng_to_cell(place.lat, place.lon, 9)),
        "area_id": entity.area,
        "body": _json(entity.body),
        "version": entity.version,
        "valid_from": entity.valid_from,
        "valid_to": entity.valid_to,
        "origin": entity.origin,
    }


def entity_of(row: Row[tuple[object, ...]]) -> Entity:
    """The entity of a row."""
    place = None if row.lon is None or row.lat is None else Place(row.lon, row.lat)
    body: dict[str, Json] = msgspec.json.decode(row.body)
    return Entity(
        row.id,
        row.kind,
        msgspec.json.decode(row.title, type=text.Text),
        place,
        row.area_id,
        body,
        row.version,
        Instant(row.valid_from),
        None if row.valid_to is None else Instant(row.valid_to),
        msgspec.convert(row.origin, Origin),
    )


def stream_row(stream: Stream) -> Rows:
    """The columns of a stream with its contract."""
    contract = stream.contract
    return {
        "no": stream.no,
        "id": stream.id,
        "entity": stream.entity,
        "kind": stream.kind,
        "field": stream.field,
        "unit": stream.unit,
        "every": contract.every,
        "silent_after": contract.silent_after,
        "stuck_after": contract.stuck_after,
        "low": contract.low,
        "high": contract.high,
        "opens": contract.opens,
        "closes": contract.closes,
        "agrees": contract.agrees,
        "within": contract.within,
        "source": stream.source,
        "origin": stream.origin,
        "ended": stream.ended,
        "sort": stream.sort,
    }


def stream_of(row: Row[tuple[object, ...]]) -> Stream:
    """The stream of a row."""
    spans = _span(row.every), _span(row.silent_after), _span(row.stuck_after)
    agrees = msgspec.convert(row.agrees, Agrees | None)
    contract = Contract(*spans, row.low, row.high, row.opens, row.closes, agrees, row.within)
    origin = msgspec.convert(row.origin, Origin)
    ended = None if row.ended is None else Instant(row.ended)
    sort = msgspec.convert(row.sort, Sort)
    return Stream(row.id, row.no, row.entity, row.kind, row.field, row.unit, contract, row.source, origin, ended, sort)


def agreed(connection: Connection) -> dict[int, Contract]:
    """What people agreed on, by the number of the stream."""
    newest = select(func.max(PROMISE.c.no)).group_by(PROMISE.c.stream)
    held = select(PROMISE.c.stream, PROMISE.c.contract).where(PROMISE.c.no.in_(newest), PROMISE.c.contract.is_not(None))
    return {row.stream: msgspec.json.decode(row.contract, type=Contract) for row in connection.execute(held)}


def area_row(area: Area) -> Rows:
    """The columns of an area."""
    return {
        "code": area.code,
        "level": area.level,
        "name": _json(area.name),
        "parent": area.parent,
        "wkb": area.wkb,
        "origin": area.origin,
    }


def area_of(row: Row[tuple[object, ...]]) -> Area:
    """The area of a row."""
    plain = {"code": row.code, "level": row.level, "parent": row.parent, "origin": row.origin}
    return msgspec.convert({**plain, "name": msgspec.json.decode(row.name), "wkb": bytes(row.wkb)}, Area)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _span(value: int | None) -> Duration | None:
    return None if value is None else Duration(value)
