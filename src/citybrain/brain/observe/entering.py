"""How changes that come over a door enter the register: one at a time, each in one commit, and of made things alone."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
from sqlalchemy.exc import IntegrityError

from citybrain.brain.observe.made import MADE, UNLIKE, Words
from citybrain.brain.observe.naming import free, slug
from citybrain.brain.observe.registry import MovedError, Registry
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import ConflictError, NotFoundError
from citybrain.kernel.places import Place
from citybrain.kernel.ports import Areas
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Entity, Origin, Stream


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a thing stands, what its maker says of the place, and the id that is asked for it, or none."""

    place: Place
    words: dict[str, Json]
    asked: str = ""


class Entering:
    """The register, and the lock under which it is changed; ids are made from names where none is asked for.

    Whatever is worked out is entered on what it was worked out on, or MovedError is raised with nothing entered.
    """

    def __init__(self, registry: Registry, areas: Areas, clock: Clock, origin: Origin = "real") -> None:
        self._registry = registry
        self._areas = areas
        self._clock = clock
        self._origin = origin
        self._lock = _Turn(registry)
        self._deciding = threading.Lock()

    def own(self, thing: str) -> Entity:
        """A thing that was made here; raises NotFoundError, and ConflictError for one that comes from elsewhere."""
        entity = self._registry.entity(thing)
        if entity.valid_to is not None or entity.kind in UNLIKE:
            raise NotFoundError(Text(f"没有标识为“{thing}”的对象。", f"There is no entity with the id '{thing}'."), id=thing)
        if entity.kind != MADE:
            raise declared_elsewhere(thing)
        return entity

    def _stood(self, entity: Entity, spot: Spot | None) -> Entity:
        place = None if spot is None else spot.place
        return msgspec.structs.replace(entity, place=place, area=None if place is None else self._areas.area_of(place))

    def _thing_id(self, asked: str, name: str, noun: str = "thing") -> str:
        wanted = asked or slug(name, noun)
        return free(wanted, (wanted,) if self._has(wanted) else (), asked=bool(asked))

    def _has(self, thing: str) -> bool:
        try:
            self._registry.entity(thing)
        except NotFoundError:
            return False
        return True

    def _commit(
        self, entities: tuple[Entity, ...], streams: tuple[Stream, ...], words: tuple[Words, ...], freed: Iterable[str] = ()
    ) -> None:
        with alone():
            self._registry.change(entities, streams, words, tuple(freed), self._lock.since)


class _Turn:
    """A lock under which something is worked out on a register, and the version at which that began."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self.since = registry.version

    def __enter__(self) -> None:
        self._lock.acquire()
        self.since = self._registry.version

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@contextmanager
def alone() -> Iterator[None]:
    """A commit; raises MovedError where another process made the same meanwhile."""
    try:
        yield
    except IntegrityError as error:
        what = Text("同名对象正在别处新建，请重试。", "The same is being made elsewhere at this moment. Try again.")
        raise MovedError(what) from error


def declared_elsewhere(key: str) -> ConflictError:
    """The refusal to change what was not made here."""
    what = Text(
        f"“{key}”由应用包声明或导入，请在其来源处修改；此处只能修改在此新建的对象。",
        f"'{key}' was declared by a pack or imported: change it there. Only what was made here is changed here.",
    )
    return ConflictError(what, id=key)
