"""On which terms things are booked: what packs declare of bookable kinds, who owns a thing, and the fairness in force."""

from collections.abc import Callable, Sequence

import msgspec

from citybrain.brain.act.booking_fairness import HOUSE, Fairness
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Duration, Instant, duration, local_date, rfc3339
from citybrain.kernel.pack import Bookable, Pack
from citybrain.kernel.parameters import in_force
from citybrain.kernel.ports import Duty
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity


class Term(msgspec.Struct, frozen=True):
    """What is declared of a kind, durations in µs; ``duty`` answers for things without an owner of their own."""

    declared: Bookable
    slot: Duration
    longest: Duration
    latest: Duration
    duty: str
    pack: Pack


class Terms:
    """The terms of every bookable kind. ``things`` finds an entity by its id or raises NotFoundError."""

    def __init__(self, packs: Sequence[Pack], things: Callable[[str], Entity], duty: Duty, clock: Clock) -> None:
        self._kinds = {one.kind: _term(pack, one) for pack in packs for one in pack.bookables}
        self._things = things
        self._duty = duty
        self._clock = clock

    def kinds(self) -> tuple[Bookable, ...]:
        """What is bookable, as declared."""
        return tuple(term.declared for term in self._kinds.values())

    def of(self, kind: str) -> Term:
        """The terms of a kind; raises BadInputError for one that cannot be booked."""
        if kind not in self._kinds:
            known = ", ".join(sorted(self._kinds)) or "-"
            what = Text(
                f"“{kind}”类对象不提供预订。可预订：{known}。",
                f"Things of kind '{kind}' cannot be booked. Those that can: {known}.",
            )
            raise BadInputError(what, kind=kind)
        return self._kinds[kind]

    def thing(self, entity_id: str) -> Entity:
        """An entity by id; raises NotFoundError."""
        return self._things(entity_id)

    def owner(self, entity: Entity) -> str:
        """Who may offer a thing: ``account:<id>`` or ``unit:<id>``; raises BadInputError, NotFoundError."""
        term = self.of(entity.kind)
        named = entity.body.get(term.declared.owner) if term.declared.owner else None
        if isinstance(named, str) and named.partition(":")[0] in ("account", "unit") and named.partition(":")[2]:
            return named
        return f"unit:{self._duty.responsible(term.duty, entity.area)}"

    def capacity(self, entity: Entity) -> int:
        """How many units a thing has, in whole units; 0 where nobody said."""
        found = entity.body.get(self.of(entity.kind).declared.capacity)
        return int(found) if isinstance(found, int | float) else 0

    def fairness(self, kind: str) -> Fairness:
        """How no-shows are handled today: the house's dated parameters, with those of the kind's pack on top."""
        own = self._kinds[kind].pack.parameters if kind in self._kinds else ()
        return Fairness.of(in_force((*HOUSE, *own), local_date(self._clock.city()).isoformat()))

    def on_slot(self, kind: str, *moments: Instant) -> None:
        """Raise BadInputError unless every moment lies on a slot of the kind, counted from local midnight (a whole UTC+8 hour)."""
        slot = self.of(kind).slot
        for moment in moments:
            if moment % slot:
                minutes = slot // 60_000_000
                what = Text(
                    f"起止时间须为 {minutes} 分钟的整格（{rfc3339(moment)} 不是）。",
                    f"Begin and end on slots of {minutes} minutes ({rfc3339(moment)} is none).",
                )
                raise BadInputError(what, slot=minutes)


def _term(pack: Pack, one: Bookable) -> Term:
    duty = next((kind.owner for kind in pack.kinds if kind.name == one.kind), "")
    return Term(one, duration(one.slot), duration(one.longest), duration(one.latest), duty, pack)
