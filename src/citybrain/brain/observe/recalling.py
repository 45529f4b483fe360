"""The past of a thing's place written by hand: what may be said of it, and what is kept then."""

import itertools

import msgspec

from citybrain.brain.observe import sharing
from citybrain.brain.observe.placed import UNTOLD, Stood, Told
from citybrain.brain.observe.registry import Registry
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity


def first(registry: Registry, entity: Entity, said: Told) -> tuple[Stood, ...]:
    """The place of a thing that never moved, which nothing was kept of so far; none for another."""
    if registry.moved(entity.id) is not None or entity.place is None:
        return ()
    return (Stood(entity.id, entity.valid_from, entity.place, said.words, locations=said.locations),)


def fresh(registry: Registry, entity: Entity, since: Instant, place: Place, says: Told) -> Stood:
    """A place to be kept since an instant, under an id that is no other's."""
    keys = (Instant(since + more) for more in itertools.count())
    key = next(key for key in keys if registry.place(entity.id, key) is None and f"{entity.id}@{key}" not in registry.made.kept)
    return Stood(entity.id, since, place, says.words, None if key == since else key, locations=says.locations)


def found(registry: Registry, entity: Entity, said: Told, key: int) -> Stood:
    """The place whose id says an instant; raises NotFoundError."""
    kept = registry.place(entity.id, key)
    if kept is not None and kept.struck:
        kept = None
    known = kept or next((one for one in first(registry, entity, said) if one.key == key), None)
    if known is None:
        name = f"{entity.id}@{key}"
        raise NotFoundError(Text(f"没有历史位置“{name}”。", f"There is no place '{name}' that a thing had."), id=name)
    return known


def free(registry: Registry, entity: Entity, since: Instant, now: Instant) -> None:
    """Raise BadInputError for an instant that is still to come, ConflictError for one that has its place already."""
    if since > now:
        what = Text(
            f"{rfc3339(since)} 还没有到（城市时间 {rfc3339(now)}），不能写明那时的位置。",
            f"{rfc3339(since)} is still to come (it is {rfc3339(now)} in the city): nothing stands anywhere since then.",
        )
        raise BadInputError(what, parameter="time")
    begun = [one.since for one in (*first(registry, entity, UNTOLD), *registry.places(entity.id, since, 1)) if not one.struck]
    if since in begun:
        what = Text(
            f"“{entity.id}”自 {rfc3339(since)} 起的位置已有记录，请改用另一时间，或先删除那一条。",
            f"Where '{entity.id}' stood since {rfc3339(since)} is known already. Say another time, or delete that one first.",
        )
        raise ConflictError(what, id=entity.id)


def present(registry: Registry, entity: Entity, stood: Stood) -> bool:
    """Whether a place is where a thing stands now."""
    last = registry.moved(entity.id)
    return entity.place is not None and (last is None or last.id == stood.id)


def stays(registry: Registry, stood: Stood) -> bool:
    """Whether a Location at which a thing once stood is still where it stood then; where it has moved away, a copy says where."""
    then = None if stood.words is None else stood.words.get("location")
    for location in stood.locations:
        said, entity = registry.made.things.get(location), registry.entity(location)
        here = sharing.drawn(entity) if said is None else (said.located or {}).get("location")
        if here is not None and here == then and entity.valid_to is None:
            return True
    return False


def let_go(registry: Registry, entity: Entity, stood: Stood) -> Stood:
    """A place that is deleted: kept no more, or struck out where the thing stands there, which goes on standing there."""
    if present(registry, entity, stood):
        return msgspec.structs.replace(stood, struck=True)
    return msgspec.structs.replace(stood, gone=True)


def in_order(registry: Registry, entity: Entity, stood: Stood, since: Instant) -> None:
    """Raise ConflictError where a place of another time would no longer be, or would become, where a thing stands now."""
    last = registry.moved(entity.id)
    if entity.place is None or last is None:
        return
    later = any(one.id != stood.id for one in registry.places(entity.id, since, 2))
    if later if last.id == stood.id else since > last.since:
        what = Text(
            f"按 {rfc3339(since)}，“{entity.id}”现在的位置将是另一处；要移动它，请新建 Location 或 HistoricalLocation。",
            f"With {rfc3339(since)} '{entity.id}' would stand elsewhere now. To move it make a Location or a HistoricalLocation.",
        )
        raise ConflictError(what, id=stood.id)
