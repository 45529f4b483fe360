"""Where things stand and have stood, and the features that are no thing's place: what of it is written by hand."""

import hashlib
from collections.abc import Sequence

import msgspec

from citybrain.brain.observe import recalling
from citybrain.brain.observe.entering import Spot, alone
from citybrain.brain.observe.made import FEATURE, MadePast, MadeThing
from citybrain.brain.observe.naming import slug
from citybrain.brain.observe.placed import Stood, Told
from citybrain.brain.observe.siting import Changes, Siting, Where
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import Entity


class Standing(Siting):
    """Writes the past of a thing's place, and features, by hand."""

    def recall(self, thing: str, since: Instant, *places: Where) -> Stood:
        """Write by hand that a thing stood somewhere since an instant; where no place is of a later one, it stands there now.

        Raises ConflictError for an instant that has its place already, BadInputError for one that is still to come or no place, and
        as ``move`` does.
        """
        with self._lock:
            fresh, (entities, words) = self._recalled(thing, since, places)
            self._commit(entities, (), words)
            return fresh

    def rehouse(self, thing: str, key: int, other: str) -> None:
        """Have a place that a thing had be one that another had, or has; it keeps the id by which it is known.

        The thing goes on standing where it stands. Raises as ``stood`` and ``recall`` do.
        """
        with self._lock:
            entity, found = self.own(thing), self.stood(thing, key)
            own: Where = Spot(found.place, found.words or {})
            places = found.locations if recalling.stays(self._registry, found) else (own,)
            fresh, (entities, words) = self._recalled(other, found.since, places)
            known = MadePast(self._registry.made.called(found.id), fresh.id)
            self._commit(entities, (), (*words, recalling.let_go(self._registry, entity, found), known))

    def _recalled(self, thing: str, since: Instant, places: Sequence[Where]) -> tuple[Stood, Changes]:
        """A place that a thing has since an instant, and all that is changed by that."""
        entity, said = self.own(thing), self._registry.made.things[thing]
        recalling.free(self._registry, entity, since, self._clock.city())
        first = recalling.first(self._registry, entity, said.told)
        sited = self._sited(thing, places, said)
        if sited.spot is None:
            raise BadInputError(Text("须写明位置。", "Say where."), parameter="Locations")
        fresh = recalling.fresh(self._registry, entity, since, sited.spot.place, Told(sited.spot.words, sited.locations))
        last = self._registry.moved(thing) or next(iter(first), None)
        earlier = last is not None and since < last.since
        entities, words = sited.fresh if earlier else self._shifted(entity, said, sited)
        return fresh, (entities, (*words, *first, fresh))

    def stood(self, thing: str, key: int) -> Stood:
        """A place that a made thing had, or has, by its id; raises NotFoundError, and ConflictError for one from elsewhere."""
        entity = self.own(thing)
        return recalling.found(self._registry, entity, self._registry.made.things[thing].told, key)

    def retime(self, thing: str, key: int, since: Instant) -> None:
        """Have a place that a thing had begin at another instant; its id stays.

        Raises NotFoundError, and as ``recall`` does; ConflictError also where another place would be the last one then.
        """
        with self._lock:
            entity, found = self.own(thing), self.stood(thing, key)
            if found.since != since:
                recalling.free(self._registry, entity, since, self._clock.city())
                recalling.in_order(self._registry, entity, found, since)
                self._commit((), (), (msgspec.structs.replace(found, since=since, named=found.key),))

    def restand(self, thing: str, key: int, *places: Where) -> None:
        """Have other Locations be a place that a thing had, since the same time; of the present one: it stands there by now.

        Raises as ``stood`` and ``move`` do, BadInputError for no place.
        """
        with self._lock:
            entity, found, said = self.own(thing), self.stood(thing, key), self._registry.made.things[thing]
            sited = self._sited(thing, places, said)
            if sited.spot is None:
                raise BadInputError(Text("须写明位置。", "Say where."), parameter="Locations")
            fresh = msgspec.structs.replace(found, place=sited.spot.place, words=sited.spot.words, locations=sited.locations)
            now = recalling.present(self._registry, entity, found)
            entities, words = self._shifted(entity, said, sited) if now else sited.fresh
            self._commit(entities, (), (*words, fresh))

    def rejoin(self, thing: str, key: int, location: str) -> None:
        """Have one Location more be a place that a thing had; raises as ``restand`` does."""
        entity, found = self.own(thing), self.stood(thing, key)
        own: Where = thing if recalling.present(self._registry, entity, found) else Spot(found.place, found.words or {})
        stands: tuple[Where, ...] = found.locations or (own,)
        if location not in stands:
            self.restand(thing, key, *stands, location)

    def forget(self, thing: str, key: int) -> None:
        """Keep a place that a thing had no more; of where it stands now no more than that it stands there. Raises NotFoundError."""
        with self._lock:
            entity, found = self.own(thing), self.stood(thing, key)
            self._commit((), (), (recalling.let_go(self._registry, entity, found),))

    def feature(self, asked: str, spot: Spot) -> str:
        """A feature that observations may be about and that is no thing's place; its id is the one asked for, or out of its name."""
        with self._lock:
            name, at = str(spot.words["name"]), self._clock.city()
            key = self._thing_id(asked, name, "feature")
            entity = self._stood(Entity(key, FEATURE, same(name), None, None, {}, 1, at, None, self._origin), spot)
            self._commit((entity,), (), (MadeThing(key, "", {}, spot.words),))
            return key

    def described(self, asked: str, spot: Spot) -> str | None:
        """The feature of which just this is said already, under the id that is asked for or one out of its name; None for none.

        Whoever describes the same again means the same: what is sent again after a kill finds the feature that the first has left.
        """
        return next((key for key in ((asked,) if asked else _names(spot)) if self._says(key, spot)), None)

    def describe(self, asked: str, spot: Spot) -> str:
        """Make a feature under an id by which ``described`` finds it; raises as ``feature`` does."""
        return self.feature(asked or next((key for key in _names(spot) if not self._has(key)), ""), spot)

    def redraw(self, feature: str, spot: Spot) -> None:
        """Say something else of a feature that was made here; raises NotFoundError, ConflictError for a thing's place."""
        with self._lock:
            entity = self.own_feature(feature)
            again = msgspec.structs.replace(entity, title=same(str(spot.words["name"])), version=entity.version + 1)
            self._commit((self._stood(again, spot),), (), (MadeThing(feature, "", {}, spot.words),))

    def end_feature(self, feature: str, known: int = 0) -> None:
        """End a feature that was made here: listed no more. Raises ConflictError where more observations than ``known`` are about it."""
        with self._lock:
            entity = self.own_feature(feature)
            ended = msgspec.structs.replace(entity, valid_to=self._clock.city(), version=entity.version + 1)
            with alone():
                self._registry.change((ended,), (), (), (), self._lock.since, {feature: known})

    def own_feature(self, feature: str) -> Entity:
        """A feature that was made here; raises NotFoundError, and ConflictError for one that is a thing's place."""
        entity = self._registry.entity(feature)
        if entity.valid_to is not None:
            raise NotFoundError(Text(f"没有观测对象“{feature}”。", f"There is no feature '{feature}'."), id=feature)
        if entity.kind != FEATURE:
            what = Text(
                f"观测对象“{feature}”即该对象的位置，请改它的 Location。",
                f"The feature '{feature}' is where that thing stands: change its Location.",
            )
            raise ConflictError(what, id=feature)
        return entity

    def _says(self, feature: str, spot: Spot) -> bool:
        try:
            entity = self._registry.entity(feature)
        except NotFoundError:
            return False
        said = self._registry.made.things.get(feature)
        return entity.kind == FEATURE and entity.valid_to is None and said is not None and said.located == spot.words


def _names(spot: Spot) -> tuple[str, str]:
    """The id out of a feature's name, and the one out of all that is said of it, for where the first is another's."""
    plain = slug(str(spot.words["name"]), "feature")
    return plain, f"{plain}-{hashlib.sha256(msgspec.json.encode(spot.words, order='sorted')).hexdigest()[:12]}"
