"""Changes that are made together or not at all: tried on the register as it will be, then entered in one commit.

register → Gathering (changes stand in memory, each sees those before it) → one change of the register → its opposite, where wanted
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import msgspec

from citybrain.brain.observe.made import MadeGroup, Words
from citybrain.brain.observe.placed import Stood
from citybrain.brain.observe.registry import Noun, Registry
from citybrain.kernel.instant import Instant
from citybrain.kernel.things import Contract, Entity, Stream

_Key: TypeAlias = tuple[str, str | int]
_WHOLE: Final = 10_000_000
"""More places than a thing ever had."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is entered in one commit: entities, streams, words, and ids of streams that are free again."""

    entities: tuple[Entity, ...]
    streams: tuple[Stream, ...]
    words: tuple[Words, ...]
    freed: tuple[str, ...]
    forgotten: tuple[Entity | Words, ...] = ()
    """What was never there."""


class Gathering(Registry):
    """The register as it was at one moment, and with what is changed on it; the register itself is left alone."""

    def __init__(self, whole: Registry) -> None:
        vars(self).update(whole.standing())
        self._lock = threading.Lock()
        self._listed = {}
        self.since = self.version
        """The version of the register on which all this stands."""
        self._changes: dict[_Key, tuple[Noun | None, Noun]] = {}
        self._freed: list[str] = []
        self.known: dict[str, int] = {}
        """How many observations features that end are known to have been about, none of which stands."""

    def change(
        self,
        entities: Sequence[Entity],
        streams: Sequence[Stream],
        words: Sequence[Words],
        freed: Sequence[str] = (),
        since: int | None = None,
        known: Mapping[str, int] | None = None,
    ) -> None:
        """Have it so from now on, in memory alone, where nobody else changes anything."""
        del since
        self.known |= known or {}
        before = (
            [self._entities.get(one.id) for one in entities],
            [self._known(one) for one in streams],
            [self._said(one) for one in words],
        )
        for was, noun in zip((*before[0], *before[1], *before[2]), (*entities, *streams, *words), strict=True):
            key = _key(noun)
            first = self._changes[key][0] if key in self._changes else was
            self._changes[key] = first, noun
        self._freed += freed
        self._changed(entities, streams, words, freed)

    def places(self, entity: str, since: int, most: int) -> tuple[Stood, ...]:
        """The same, with what is changed here."""
        mine = [noun for _, noun in self._changes.values() if isinstance(noun, Stood) and noun.entity == entity]
        if not mine:
            return super().places(entity, since, most)
        whole = {one.id: one for one in (*super().places(entity, 0, _WHOLE), *mine)}
        found = sorted((one for one in whole.values() if not one.gone and one.since >= since), key=lambda one: one.since)
        return tuple(found[:most])

    def place(self, entity: str, key: int) -> Stood | None:
        """The same, with what is changed here."""
        changed = self._changes.get(("Stood", f"{entity}@{key}"))
        mine = None if changed is None else changed[1]
        if not isinstance(mine, Stood):
            return super().place(entity, key)
        return None if mine.gone else mine

    def at_location(self, location: str, most: int) -> tuple[Stood, ...]:
        """The same, with what is changed here."""
        mine = {noun.id: noun for _, noun in self._changes.values() if isinstance(noun, Stood)}
        whole = {one.id: one for one in super().at_location(location, most)} | mine
        return tuple(one for one in whole.values() if location in one.locations and not one.gone)[:most]

    def last_place(self, entity: str) -> Stood | None:
        """The same, with what is changed here."""
        return next(reversed(self.places(entity, 0, _WHOLE)), None)

    def changes(self) -> Changes:
        """All that was changed, each noun once, as it is in the end."""
        return _changes([noun for _, noun in self._changes.values()], self._freed)

    def opposite(self, at: Instant) -> Changes:
        """What takes the changes back once they were entered: what was there is as it was, what is new was never there.

        But new streams are ended at an instant, for their numbers are used.
        """
        fresh = [noun for was, noun in self._changes.values() if was is None]
        streams = [noun for noun in fresh if isinstance(noun, Stream)]
        back = [_again(was, noun) for was, noun in self._changes.values() if was is not None]
        freed = [stream.id for stream in streams if stream.ended is None]
        # What is new gives its id back first: it may be that of a stream that had ended.
        found = _changes([*(_ended(stream, at) for stream in streams), *back], freed)
        return replace(found, forgotten=tuple(noun for noun in fresh if not isinstance(noun, Stream)))

    def _known(self, stream: Stream) -> Stream | None:
        return self._streams[stream.no - 1] if stream.no <= len(self._streams) else None

    def _said(self, words: Words) -> Words | None:
        if isinstance(words, Stood):
            return self.place(words.entity, words.key)
        if isinstance(words, MadeGroup):
            return self.made.group(words.id)
        known = (self.made.things, self.made.properties, self.made.sensors, self.made.streams, self.made.kept)
        return next((found for each in known for found in (each.get(words.id),) if type(found) is type(words)), None)


def _key(noun: Noun) -> _Key:
    return type(noun).__name__, noun.no if isinstance(noun, Stream) else noun.id


def _changes(nouns: Sequence[Noun], freed: Sequence[str]) -> Changes:
    return Changes(
        tuple(one for one in nouns if isinstance(one, Entity)),
        tuple(one for one in nouns if isinstance(one, Stream)),
        tuple(one for one in nouns if not isinstance(one, Entity | Stream)),
        tuple(freed),
    )


def _again(was: Noun, noun: Noun) -> Noun:
    if isinstance(was, Entity) and isinstance(noun, Entity):
        return msgspec.structs.replace(was, version=noun.version + 1)
    return was


def _ended(stream: Stream, at: Instant) -> Stream:
    if stream.ended is not None:
        return stream
    return msgspec.structs.replace(stream, id=f"{stream.id}~{stream.no}", contract=Contract(), ended=at)
