"""The register of things: entities of declared kinds, and a numbered stream with a contract for each measured field."""

from collections.abc import Mapping, Sequence
from itertools import repeat

import numpy as np
from sqlalchemy import Connection, func, insert, select, update

from citybrain.brain.observe.store import ENTITY, STREAM, entity_of, entity_row, stream_of, stream_row
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.instant import Duration, Instant, duration, minute_of
from citybrain.kernel.observations import Numbers
from citybrain.kernel.pack import Pack, Planted
from citybrain.kernel.ports import Areas, Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Contract, Entity, Field, Kind, Origin, Stream

_LISTS = 64
"""Lists of streams whose numbers are remembered."""


class Registry:
    """Entities and streams in the store, the present ones cached in memory; ``version`` grows with each change."""

    def __init__(self, transactions: Transactions[Connection], packs: Sequence[Pack], areas: Areas) -> None:
        self._transactions = transactions
        self._areas = areas
        self._kinds = {kind.name: kind for pack in packs for kind in pack.kinds}
        self.version = 0
        self._listed: dict[tuple[int, str, str], tuple[Sequence[str], Numbers]] = {}
        self._load()

    def plant(self, entities: Sequence[Planted], source: str, origin: Origin, at: Instant) -> None:
        """Enter entities with the streams of their measured fields; the same again changes nothing.

        A changed entity gets a new version; a changed declaration a new contract, the stream keeps its number. Raises
        BadInputError for a kind that no pack declares.
        """
        planted = [self._entity(each, origin, at) for each in entities]
        with self._transactions.begin() as tx:
            for entity in planted:
                self._put_entity(tx.connection, entity)
            self._put_streams(tx.connection, planted, source)
        self._load()

    def kind(self, name: str) -> Kind:
        """A declared kind; raises BadInputError."""
        try:
            return self._kinds[name]
        except KeyError:
            known = ", ".join(sorted(self._kinds))
            what = Text(f"没有“{name}”这一类对象。已声明：{known}。", f"No pack declares the kind '{name}'. Declared: {known}.")
            raise BadInputError(what, kind=name) from None

    def kinds(self) -> tuple[Kind, ...]:
        """All declared kinds, in the order of their packs."""
        return tuple(self._kinds.values())

    def entity(self, id: str) -> Entity:  # noqa: A002 - the word of the public face
        """An entity by id; raises NotFoundError."""
        try:
            return self._entities[id]
        except KeyError:
            what = Text(f"没有标识为“{id}”的对象。", f"There is no entity with the id '{id}'.")
            raise NotFoundError(what, id=id) from None

    def entities(self, kind: str) -> tuple[Entity, ...]:
        """The entities of a kind, by id; none for a kind without any."""
        return self._of_kind.get(kind, ())

    def stream(self, id: str) -> Stream:  # noqa: A002 - the word of the public face
        """A stream by id ``<entity id>.<field>``; raises NotFoundError."""
        try:
            return self._streams[self._numbers[id] - 1]
        except KeyError:
            what = Text(f"没有标识为“{id}”的数据流。", f"There is no stream with the id '{id}'.")
            raise NotFoundError(what, id=id) from None

    def streams(self) -> tuple[Stream, ...]:
        """All streams, by number: the stream of number n stands at n - 1."""
        return self._streams

    def streams_of(self, entity: str) -> tuple[Stream, ...]:
        """The streams of an entity, by number; none for one that is not there."""
        return self._of_entity.get(entity, ())

    def stream_numbers(self) -> Mapping[str, int]:
        """The number of each stream by id."""
        return self._numbers

    def numbered(self, ids: Sequence[str]) -> Numbers:
        """The number of each of some streams (n,), 0 where there is none; read-only.

        A gateway sends the same list again and again: to see that it is the same takes a tenth of looking each of it up.
        """
        if not len(ids):
            return np.zeros(0, np.int32)
        # Taken before the numbers are: what another thread makes stale meanwhile is remembered by nobody.
        listed = self._listed
        key = len(ids), ids[0], ids[-1]
        known = listed.get(key)
        if known is not None and known[0] == ids:
            return known[1]
        found = np.fromiter(map(self._numbers.get, ids, repeat(0)), np.int32, len(ids))
        if len(listed) >= _LISTS:
            listed.clear()
        found.flags.writeable = False
        listed[key] = ids, found
        return found

    def _load(self) -> None:
        with self._transactions.read() as connection:
            present = connection.execute(select(ENTITY).where(ENTITY.c.valid_to.is_(None)).order_by(ENTITY.c.id))
            entities = [entity_of(row) for row in present]
            self._streams = tuple(stream_of(row) for row in connection.execute(select(STREAM).order_by(STREAM.c.no)))
        of_kind: dict[str, list[Entity]] = {}
        for entity in entities:
            of_kind.setdefault(entity.kind, []).append(entity)
        self._entities = {entity.id: entity for entity in entities}
        self._of_kind = {kind: tuple(group) for kind, group in of_kind.items()}
        self._numbers = {stream.id: stream.no for stream in self._streams}
        of_entity: dict[str, list[Stream]] = {}
        for stream in self._streams:
            of_entity.setdefault(stream.entity, []).append(stream)
        self._of_entity = {entity: tuple(group) for entity, group in of_entity.items()}
        self._listed = {}
        self.version += 1

    def _entity(self, planted: Planted, origin: Origin, at: Instant) -> Entity:
        self.kind(planted.kind)
        area = planted.area or self._areas.area_of(planted.place)
        body = dict(planted.body)
        return Entity(planted.id, planted.kind, planted.title, planted.place, area, body, 1, at, None, origin)

    def _put_entity(self, connection: Connection, entity: Entity) -> None:
        have = self._entities.get(entity.id)
        row = entity_row(entity)
        if have is None:
            connection.execute(insert(ENTITY).values(row))
            return
        row |= {"version": have.version, "valid_from": have.valid_from}
        if row != entity_row(have):
            connection.execute(update(ENTITY).where(ENTITY.c.id == entity.id).values(row | {"version": have.version + 1}))

    def _put_streams(self, connection: Connection, entities: Sequence[Entity], source: str) -> None:
        last = connection.execute(select(func.max(STREAM.c.no))).scalar_one_or_none() or 0
        fresh = []
        for entity in entities:
            for field in self.kind(entity.kind).fields:
                if not field.measured:
                    continue
                stream = _stream(entity, field, self._numbers.get(f"{entity.id}.{field.name}", last + 1), source)
                if stream.no > last:
                    last += 1
                    fresh.append(stream_row(stream))
                elif stream_row(stream) != stream_row(self._streams[stream.no - 1]):
                    connection.execute(update(STREAM).where(STREAM.c.no == stream.no).values(stream_row(stream)))
        if fresh:
            connection.execute(insert(STREAM), fresh)


def contract_of(field: Field) -> Contract:
    """What a stream of a field promises, from the field's declaration."""
    spans = _span(field.every), _span(field.silent_after), _span(field.stuck_after)
    hours = (None, None) if field.hours is None else tuple(map(minute_of, field.hours))
    return Contract(*spans, *field.range, *hours, *(field.agrees or (None, 1.0)))


def _span(written: str | None) -> Duration | None:
    return None if written is None else duration(written)


def _stream(entity: Entity, field: Field, no: int, source: str) -> Stream:
    name = f"{entity.id}.{field.name}"
    return Stream(name, no, entity.id, entity.kind, field.name, field.unit or "1", contract_of(field), source, entity.origin)
