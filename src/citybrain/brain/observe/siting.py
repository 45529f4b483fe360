"""Locations: a thing's own place, under the thing's id, and places with an id of their own, at which any number of things stand.

See decisions/0015 and 0020.

places as they are written → which are there, which are new → the one that the thing's point follows → entities, words and past, in one commit
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import msgspec

from citybrain.brain.observe import placed, recalling, sharing
from citybrain.brain.observe.entering import Entering, Spot, declared_elsewhere
from citybrain.brain.observe.made import FEATURE, LOCATION, MADE, MadeThing, Words
from citybrain.brain.observe.naming import free, slug
from citybrain.brain.observe.placed import Stood
from citybrain.kernel.errors import ConflictError, NotFoundError
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import Entity

MOST: Final = 1000
"""Things that stand at one Location beside the one whose own it is: all of them move with it, in one commit."""
Where: TypeAlias = Spot | str
"""A place that is described, or a Location by its id."""
_EVERY: Final = 1_000_000
"""More places than a Location ever was."""
Changes: TypeAlias = tuple[tuple[Entity, ...], tuple[Words, ...]]


@dataclass(frozen=True, slots=True)
class Sited:
    """Where a thing is to stand: the Locations that it names, the spot that its point follows, and the Locations that are new with it."""

    locations: tuple[str, ...]
    spot: Spot | None
    fresh: Changes = ((), ())
    anew: bool = False
    """Whether its own place is another one than before."""
    keeps: bool = False
    """Whether its own place stays a Location where nothing else stands at it."""

    def says(self, said: MadeThing) -> MadeThing:
        """What is said of the thing, with where it is to stand."""
        return msgspec.structs.replace(said, located=None if self.spot is None else self.spot.words, locations=self.locations)


class Siting(Entering):
    """Makes, changes and ends Locations, and has things stand at them.

    What a pack declares stands where its pack says. Its place may be a Location of other things; when it is moved these stay (sharing.py).
    """

    def locate(self, spot: Spot) -> str:
        """A new Location, at which nothing stands yet; its id is the one asked for, or out of its name."""
        with self._lock:
            entity, words = self._location(spot, ())
            self._commit((entity,), (), (words,))
            return entity.id

    def move(self, thing: str, *places: Where) -> None:
        """Have a thing stand somewhere else: at these Locations and no other, or nowhere.

        Raises NotFoundError for a Location that is not there, ConflictError for one that is full, or the place of what is closed to others.
        """
        with self._lock:
            entity, said = self.own(thing), self._registry.made.things[thing]
            self._commit_all(self._moved(entity, said, self._sited(thing, places, said)))

    def join(self, thing: str, location: str) -> None:
        """Have a thing stand at one more Location; raises as ``move`` does."""
        with self._lock:
            entity, said = self.own(thing), self._registry.made.things[thing]
            self._commit_all(self._moved(entity, said, self._sited(thing, (*self._standing(entity, said), location), said)))

    def leave(self, thing: str, location: str) -> None:
        """Have a thing stand at one of its Locations no more, which stays; raises NotFoundError where it does not stand there."""
        with self._lock:
            entity, said = self.own(thing), self._registry.made.things[thing]
            stands = self._standing(entity, said)
            if location not in stands:
                raise _none(location)
            rest = self._sited(thing, [one for one in stands if one != location], said)
            self._commit_all(self._moved(entity, said, replace(rest, keeps=True)))

    def redraw_location(self, location: str, spot: Spot) -> None:
        """Say something else of a Location; what stands there moves with it. Raises as ``move`` does, ConflictError for a declared thing's."""
        with self._lock:
            entity = self._own_location(location)
            changed = {location: spot}
            if entity.kind == LOCATION:
                words = MadeThing(location, "", {}, spot.words)
                again = msgspec.structs.replace(entity, title=same(str(spot.words["name"])), version=entity.version + 1)
                self._commit_all(((self._stood(again, spot),), (words,)), self._followed(location, changed))
            else:
                self._commit_all(self._resited(location, changed), self._followed(location, changed))

    def end_location(self, location: str) -> None:
        """End a Location: what stands there stands at its other one, or nowhere, and nothing ever stood there (OGC 18-088 table 25).

        A HistoricalLocation that leads to others too stays with these. Raises as ``redraw_location`` does.
        """
        with self._lock:
            entity = self._own_location(location)
            changed: dict[str, Spot | None] = {location: None}
            past = self._unstood(location)
            if entity.kind == LOCATION:
                gone = msgspec.structs.replace(entity, valid_to=self._clock.city(), version=entity.version + 1)
                self._commit_all(((gone,), past), self._followed(location, changed, past))
            else:
                self._commit_all(self._resited(location, changed, past), self._followed(location, changed, past), ((), past))

    def located(self, location: str) -> Spot:
        """Where a Location is that may be changed here, and what is said of it; raises as ``redraw_location`` does."""
        self._own_location(location)
        return self._spot(location)

    def _sited(self, key: str, places: Sequence[Where], said: MadeThing | None) -> Sited:
        """Where a thing is to stand, whose id is ``key`` and of which ``said`` is known; None of one that is new."""
        if len(places) == 1 and isinstance(places[0], Spot) and places[0].asked in ("", key):
            return Sited((), places[0], anew=said is None or said.located != places[0].words)
        found: dict[str, Spot] = {}
        entities: list[Entity] = []
        words: list[Words] = []
        for place in places:
            known = place if isinstance(place, str) else self._known(place, said)
            if known is not None:
                found[known] = self._spot(known)
                self._room(known, key)
            elif isinstance(place, Spot) and place.asked == key:
                found[key] = place
            elif isinstance(place, Spot):
                entity, told = self._location(place, found)
                found[entity.id] = place
                entities.append(entity)
                words.append(told)
        if said is not None and found.keys() == set(said.locations):
            # The same as before: answers give them by id, and what is sent back so moves nothing.
            found = {one: found[one] for one in said.locations}
        anew = any(isinstance(place, Spot) and place.asked == key for place in places)
        return replace(_picked(key, found), fresh=(tuple(entities), tuple(words)), anew=anew)

    def _known(self, place: Spot, said: MadeThing | None) -> str | None:
        """The Location at which a thing stands already and of which just this is said: it was read, and is sent back.

        Of the place of a declared thing nothing is said here.
        """
        if said is None or place.asked not in said.locations or place.asked == said.id:
            return None
        declared = _declared(self._registry.entity(place.asked))
        return place.asked if declared or self._spot(place.asked).words == place.words else None

    def _shifted(self, entity: Entity, said: MadeThing, sited: Sited) -> Changes:
        """What a thing is that stands elsewhere, the Locations that are new with it, and those that others keep of it."""
        says = sited.says(said)
        after = self._stood(msgspec.structs.replace(entity, version=entity.version + 1), sited.spot)
        stays = not sited.anew and says.owning and sited.spot is not None
        new = {one.id for one in sited.fresh[0]}
        kept: Changes = ((), ()) if stays else self._handed(entity, new, keeps=sited.keeps)
        return (*sited.fresh[0], after, *kept[0]), (*sited.fresh[1], says, *kept[1])

    def _moved(self, entity: Entity, said: MadeThing, sited: Sited) -> Changes:
        """The same, with what is kept of where the thing stood."""
        entities, words = self._shifted(entity, said, sited)
        after = next(one for one in entities if one.id == entity.id)
        says = next(one for one in words if isinstance(one, MadeThing) and one.id == entity.id)
        return entities, (*words, *self._left(entity, after, says))

    def _left(self, before: Entity, after: Entity, says: MadeThing) -> tuple[Stood, ...]:
        """What is kept of where a thing stood, if it moves."""
        said = self._registry.made.things[before.id]
        if (before.place, _drawn(before, said), said.locations) == (after.place, _drawn(after, says), says.locations):
            return ()
        first = self._registry.moved(before.id) is None
        return placed.left(before, said.told, after, says.told, self._clock.city(), first=first)

    def _handed(self, entity: Entity, taken: Container[str] = (), *, keeps: bool = False) -> Changes:
        """A thing's own place as a Location with an id of its own, for those that stay there when the thing does not."""
        said, guests = self._registry.made.things[entity.id], self._guests(entity.id)
        if entity.place is None or said.located is None or not said.owning or not (guests or keeps):
            return (), ()
        location, told = self._location(Spot(entity.place, said.located), taken)
        words: list[Words] = [told]
        for guest in guests:
            known = self._registry.made.things[guest.id]
            others = tuple(location.id if one == entity.id else one for one in known.locations)
            words.append(msgspec.structs.replace(known, locations=others))
        return (location,), tuple(words)

    def _unstood(self, location: str) -> tuple[Stood, ...]:
        """The places of things that moved which were a Location that ends: without it, or kept no more."""
        found = {one.id: one for one in self._registry.at_location(location, _EVERY) if recalling.stays(self._registry, one)}
        own = self._registry.moved(location)
        if own is not None and not own.locations:
            found[own.id] = own
        ends: list[Stood] = []
        for stood in found.values():
            rest = [one for one in stood.locations if one != location and self._there(one)]
            sited = _picked(stood.entity, {one: self._spot(one) for one in rest})
            if sited.spot is None:
                ends.append(msgspec.structs.replace(stood, gone=True))
            else:
                ends.append(
                    msgspec.structs.replace(stood, place=sited.spot.place, words=sited.spot.words, locations=sited.locations)
                )
        return tuple(ends)

    def _there(self, location: str) -> bool:
        try:
            self._at(location)
        except NotFoundError:
            return False
        return True

    def _followed(self, location: str, changed: Mapping[str, Spot | None], past: Sequence[Stood] | None = None) -> Changes:
        """The things that stand at a Location that is another by now, those whose own it is left aside."""
        parts = [self._resited(guest.id, changed, past) for guest in self._guests(location)]
        return tuple(one for part in parts for one in part[0]), tuple(one for part in parts for one in part[1])

    def _resited(self, thing: str, changed: Mapping[str, Spot | None], past: Sequence[Stood] | None = None) -> Changes:
        """A thing as it stands when some of its Locations are others, or there no more, with what is kept of where it stood.

        ``past`` says that another way.
        """
        entity, said = self._registry.entity(thing), self._registry.made.things[thing]
        stands = {one: changed[one] if one in changed else self._spot(one) for one in self._standing(entity, said)}
        sited = _picked(thing, {one: spot for one, spot in stands.items() if spot is not None})
        says = sited.says(said)
        after = self._stood(msgspec.structs.replace(entity, version=entity.version + 1), sited.spot)
        return (after,), (says, *(self._left(entity, after, says) if past is None else ()))

    def _commit_all(self, *parts: Changes) -> None:
        self._commit(tuple(one for part in parts for one in part[0]), (), tuple(one for part in parts for one in part[1]))

    def _standing(self, entity: Entity, said: MadeThing) -> tuple[str, ...]:
        """The Locations at which a thing stands, by id."""
        return said.locations or (() if entity.place is None else (entity.id,))

    def _guests(self, location: str) -> list[Entity]:
        """The things that stand at a Location and whose own it is not."""
        listed = (self._registry.entity(one) for one in self._registry.made.guests.get(location, ()))
        return [entity for entity in listed if entity.valid_to is None]

    def _spot(self, location: str) -> Spot:
        """Where a Location is, and what is said of it; raises NotFoundError."""
        entity = self._at(location)
        if entity.place is None:
            raise _none(location)
        if _declared(entity):
            return Spot(entity.place, sharing.words(entity, self._registry.kind(entity.kind).title))
        said = self._registry.made.things[location].located
        if said is None:
            raise _none(location)
        return Spot(entity.place, said)

    def _own_location(self, location: str) -> Entity:
        """A Location that may be changed here; raises NotFoundError, and ConflictError for a declared thing's place."""
        entity = self._at(location)
        if _declared(entity):
            raise declared_elsewhere(location)
        return entity

    def _at(self, location: str) -> Entity:
        """A Location, or the thing whose own place it is; raises NotFoundError."""
        try:
            entity = self._registry.entity(location)
        except NotFoundError:
            raise _none(location) from None
        if entity.valid_to is not None or entity.kind == FEATURE:
            raise _none(location)
        own = entity.kind != MADE or self._registry.made.things[location].owning
        if entity.kind != LOCATION and (entity.place is None or not own):
            raise _none(location)
        return entity

    def _room(self, location: str, thing: str) -> None:
        """Raise ConflictError for a Location that takes no more things: it is full, or of a thing that fewer may see than what is made here."""
        guests = self._guests(location)
        if any(guest.id == thing for guest in guests):
            return
        entity = self._registry.entity(location)
        if _declared(entity) and self._registry.kind(entity.kind).access == "closed":
            what = Text(
                f"“{location}”一类的对象不予共享，它的位置不能是别的对象的位置。",
                f"'{location}' is of a kind that is closed to others: where it stands is no Location of another thing.",
            )
            raise ConflictError(what, id=location)
        if len(guests) >= MOST:
            what = Text(
                f"位置“{location}”上已有 {MOST} 个对象，不能再多，请另建一个位置。",
                f"{MOST} things stand at the Location '{location}', and no more can. Make another Location.",
            )
            raise ConflictError(what, id=location)

    def _location(self, spot: Spot, taken: Container[str]) -> tuple[Entity, MadeThing]:
        """A Location that is new, under an id that nothing has."""
        name = str(spot.words["name"])
        wanted = spot.asked or slug(name, LOCATION)
        used = wanted in taken or self._has(wanted)
        key = free(wanted, (wanted,) if used else (), asked=bool(spot.asked))
        entity = Entity(key, LOCATION, same(name), None, None, {}, 1, self._clock.city(), None, self._origin)
        return self._stood(entity, spot), MadeThing(key, "", {}, spot.words)


def _declared(entity: Entity) -> bool:
    return entity.kind not in (MADE, LOCATION, FEATURE)


def _picked(key: str, found: Mapping[str, Spot]) -> Sited:
    """Of some places the one that a point follows: the thing's own, else the first that is a point, else the first."""
    ids = sorted(found, key=lambda one: one != key)
    spot = next((found[one] for one in ids if one == key or _is_point(found[one])), found[ids[0]] if ids else None)
    return Sited(() if ids == [key] else tuple(ids), spot)


def _is_point(spot: Spot) -> bool:
    drawn = spot.words.get("location")
    whole = drawn.get("geometry") if isinstance(drawn, dict) and drawn.get("type") == "Feature" else drawn
    return isinstance(whole, dict) and whole.get("type") == "Point"


def _drawn(entity: Entity, said: MadeThing) -> Json:
    """The outline that is kept of where a thing stands; null where it is no more than its point."""
    drawn = None if said.located is None else said.located.get("location")
    point = None if entity.place is None else {"type": "Point", "coordinates": [entity.place.lon, entity.place.lat]}
    return None if drawn == point else drawn


def _none(location: str) -> NotFoundError:
    return NotFoundError(Text(f"没有位置“{location}”。", f"There is no Location '{location}'."), id=location)
