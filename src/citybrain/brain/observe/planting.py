"""What packs declare, and files bring, as it is entered: entities, the streams of their measured fields, and what moves leave behind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from citybrain.brain.observe import declaring, made, placed, sharing
from citybrain.brain.observe.placed import Stood
from citybrain.brain.observe.store import ENTITY, STREAM, entity_row, stream_row
from citybrain.kernel.instant import Instant
from citybrain.kernel.pack import Planted
from citybrain.kernel.ports import Areas
from citybrain.kernel.things import Contract, Entity, Kind, Origin, Stream


@dataclass(frozen=True, slots=True)
class Planting:
    """The register as it stands before something is planted; ``kind`` gives a declared kind, or raises BadInputError."""

    kind: Callable[[str], Kind]
    areas: Areas
    entities: Mapping[str, Entity]
    streams: Sequence[Stream]
    numbers: Mapping[str, int]
    agreed: Mapping[int, Contract]
    moved: Mapping[str, Stood]

    def entity(self, planted: Planted, origin: Origin, at: Instant) -> Entity:
        """What is planted at an instant, as an entity."""
        self.kind(planted.kind)
        area = planted.area or self.areas.area_of(planted.place)
        body = dict(planted.body)
        return Entity(planted.id, planted.kind, planted.title, planted.place, area, body, 1, at, None, origin)

    def put(self, connection: Connection, entities: Sequence[Entity], source: str) -> None:
        """Enter entities with their streams; the same again changes nothing."""
        for entity in entities:
            self._put_entity(connection, entity)
        left = [
            (self.entities[one.id], one) for one in entities if one.id in self.entities and self.entities[one.id].place != one.place
        ]
        if left:
            self._leave(connection, left)
        self._put_streams(connection, entities, source)

    def _put_entity(self, connection: Connection, entity: Entity) -> None:
        have = self.entities.get(entity.id)
        row = entity_row(entity)
        if have is None:
            connection.execute(insert(ENTITY).values(row))
            return
        row |= {"version": have.version, "valid_from": have.valid_from}
        if row != entity_row(have):
            connection.execute(update(ENTITY).where(ENTITY.c.id == entity.id).values(row | {"version": have.version + 1}))

    def _leave(self, connection: Connection, moved: Sequence[tuple[Entity, Entity]]) -> None:
        """Keep where things stood, also for those that stand there too, as these are in the store by now."""
        known, taken = made.load(connection), set(connection.execute(select(ENTITY.c.id)).scalars())
        for before, after in moved:
            first = before.id not in self.moved
            made.put(connection, placed.left(before, placed.UNTOLD, after, placed.UNTOLD, after.valid_from, first=first))
            locations, words = sharing.kept(before, self.kind(after.kind).title, known, taken, after.valid_from)
            for location in locations:
                connection.execute(insert(ENTITY).values(entity_row(location)))
                taken.add(location.id)
            made.put(connection, words)
            known = known.given(words) if words else known

    def _put_streams(self, connection: Connection, entities: Sequence[Entity], source: str) -> None:
        last = connection.execute(select(func.max(STREAM.c.no))).scalar_one_or_none() or 0
        fresh = []
        for entity in entities:
            for field in self.kind(entity.kind).fields:
                if not field.measured:
                    continue
                stream = self._kept(
                    declaring.stream_of(entity, field, self.numbers.get(f"{entity.id}.{field.name}", last + 1), source)
                )
                if stream.no > last:
                    last += 1
                    fresh.append(stream_row(stream))
                elif stream_row(stream) != stream_row(self.streams[stream.no - 1]):
                    connection.execute(update(STREAM).where(STREAM.c.no == stream.no).values(stream_row(stream)))
        if fresh:
            connection.execute(insert(STREAM), fresh)

    def _kept(self, stream: Stream) -> Stream:
        """A stream as declared, with what was agreed on where the declaration promises nothing."""
        if stream.contract != Contract():
            return stream
        return msgspec.structs.replace(stream, contract=self.agreed.get(stream.no, stream.contract))
