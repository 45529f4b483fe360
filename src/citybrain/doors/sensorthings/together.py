"""What is done together or not at all: entities tried on a register that stands apart, observations checked, then all of it entered.

changes → Gathering; observations → checked, held; corrections → held → ``enter``: one commit of entities, one batch of observations, and
the corrections, which are recorded before that batch and follow it
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
from anyio import to_thread

from citybrain.brain.observe import (
    About,
    Act,
    Anew,
    Coming,
    EndedError,
    Gathering,
    Making,
    MovedError,
    Rows,
    Verdict,
    Wanted,
    signed,
)
from citybrain.doors.sensorthings.parts import Call, SensorThingsParts
from citybrain.doors.sensorthings.writing import DOOR
from citybrain.kernel.errors import BadInputError, StaleError
from citybrain.kernel.text import Text

T = TypeVar("T")
_TRIES: Final = 5
"""How often something is tried while others change the register."""
STATE: Final = "together"
"""Where a request of a group says so; nobody outside can write there."""


@dataclass(slots=True)
class Group:
    """Changes and observations of one caller that wait for one another."""

    parts: SensorThingsParts
    gathering: Gathering
    making: Making
    door: str = DOOR
    held: list[Rows] = field(default_factory=list)
    about: list[About] = field(default_factory=list)
    """What observations are about, where they have a feature of their own."""
    whole: bool = True
    """Whether every observation was found good."""
    corrections: list[tuple[Wanted, str]] = field(default_factory=list)
    """Changes of readings that are there, each with its reason."""
    anew: list[tuple[Anew, str]] = field(default_factory=list)
    """What is said anew of observations that are there, each with its reason."""
    by: str = ""
    """The account that makes them."""

    async def take(self, rows: Rows, door: str, key: str | None) -> Verdict:
        """Check rows as the intake does, and hold them until ``enter``; one that is bad spoils the group."""
        del door
        keyless(key)
        refused = self.parts.intake.refused(rows, self.gathering)
        self.whole = self.whole and not refused
        self.held.append(rows)
        return Verdict(len(rows.streams), 0, refused)

    def correct(self, wanted: Sequence[Wanted], why: str, by: str) -> None:
        """Hold changes of readings until ``enter``; raises BadInputError for a reading that the group changes already."""
        held = {(one.stream.no, one.change.since) for one, _ in self.corrections}
        for one in wanted:
            if (one.stream.no, one.change.since) in held:
                raise _twice()
        self.corrections += [(one, why) for one in wanted]
        self.by = by

    def restate(self, anew: Sequence[Anew], why: str, by: str) -> None:
        """Hold what is said anew of observations until ``enter``; raises BadInputError for one of which the group says something already."""
        held = {place for one, _ in self.anew for place in (one.seen[:2], one.about[:2])}
        if any(place in held for one in anew for place in (one.seen[:2], one.about[:2])):
            raise _twice()
        self.anew += [(one, why) for one in anew]
        self.by = by

    async def enter(self) -> None:
        """Enter everything; returns when it is durable, and raises with nothing of it there.

        Entities and observations stand in two stores: entities are entered first, and taken back where the observations are
        refused after all, because a store is full or a day has ended meanwhile. A kill in between leaves the entities, and what the
        observations are about or what is said anew of them, without the rest; nobody was told that it had succeeded, and who does it again
        finds what is left to do. Corrections stand or fall with the
        observations, over a kill too (Corrections.acts).
        """
        self._once()
        made = self.gathering.version != self.gathering.since
        if made:
            await to_thread.run_sync(self.parts.making.enter, self.gathering)
        if not self.held and not self.corrections and not self.anew:
            return
        stored, before, said = False, tuple[About, ...](), list[tuple[tuple[int, ...], tuple[About, ...]]]()
        try:
            if self.about:
                before = await to_thread.run_sync(self.parts.featured.keep, self.about)
            for why in dict.fromkeys(why for _, why in self.anew):
                mine = [one for one, of in self.anew if of == why]
                by = signed(self.by, why, self.parts.clock.wall())
                said.append(await to_thread.run_sync(self.parts.featured.restate, mine, by))
            if self.held or self.corrections:
                await self._stored()
            stored = True
        finally:
            if not stored:
                for undone in reversed(said):
                    await to_thread.run_sync(self.parts.featured.unsay, *undone)
            if before and not stored:
                await to_thread.run_sync(self.parts.featured.put, before)
            if made and not stored:
                await to_thread.run_sync(self.parts.making.take_back, self.gathering)

    async def _stored(self) -> None:
        if self.corrections:
            acts = [
                Act([one for one, why in self.corrections if (one.change.strikes, why) == of], of[1])
                for of in dict.fromkeys((one.change.strikes, why) for one, why in self.corrections)
            ]
            await self.parts.corrections.acts(acts, self.by, Coming(_one(self.held), self.door) if self.held else None)
            return
        verdict = await self.parts.intake.take(_one(self.held), self.door, None)
        if verdict.refused:
            what = Text(
                f"观测值被拒绝（{verdict.refused[0].code}）：{verdict.refused[0].why.zh}全部未执行。",
                f"An observation was refused ({verdict.refused[0].code}): {verdict.refused[0].why.en} Nothing was done.",
            )
            raise BadInputError(what, reason=verdict.refused[0].code)

    def _once(self) -> None:
        """Raise BadInputError for a reading that is sent and corrected at once, for nobody said which of the two was to be last."""
        corrected = {(one.stream.id, int(one.change.since)) for one, _ in self.corrections}
        sent = {pair for rows in self.held for pair in zip(rows.streams, rows.time.tolist(), strict=True)} if corrected else set()
        if not corrected.isdisjoint(sent):
            raise _twice()


def keyless(key: str | None) -> None:
    """Raise BadInputError for an Idempotency-Key: what is kept of a key is one batch of observations, and no entity."""
    if key is not None:
        what = Text(
            "一起成败的请求不能带 Idempotency-Key，请去掉。",
            "What succeeds or fails together takes no Idempotency-Key. Leave it out.",
        )
        raise BadInputError(what, parameter="Idempotency-Key")


def begun(parts: SensorThingsParts, door: str = DOOR) -> Group:
    """A group that stands on the register as it is now."""
    gathering = Gathering(parts.registry)
    return Group(parts, gathering, parts.making.apart(gathering), door)


async def entered(parts: SensorThingsParts, work: Callable[[Group], Awaitable[T]], door: str = DOOR) -> T:
    """What ``work`` gives, with all that it did on a group entered; done again where the register has moved meanwhile.

    Raises MovedError, EndedError or StaleError where it moves again and again, and whatever ``work`` raises, with nothing entered.
    """
    for left in reversed(range(_TRIES)):
        # Another process may have made what is named here, or was first a moment ago.
        await to_thread.run_sync(parts.registry.renew)
        group = begun(parts, door)
        found = await work(group)
        try:
            await group.enter()
        except (MovedError, EndedError, StaleError):
            if not left:
                raise
        else:
            break
    return found


def group_of(request: Call) -> Group | None:
    """The group that a request belongs to; None for one that stands alone."""
    found = request.scope["state"].get(STATE)
    return found if isinstance(found, Group) else None


def _twice() -> BadInputError:
    what = Text(
        "同一读数在一个变更集中只能写一次，全部未执行。",
        "A change set speaks of a reading once: it is changed, deleted or sent. Nothing was done.",
    )
    return BadInputError(what)


def _one(held: list[Rows]) -> Rows:
    streams = [stream for rows in held for stream in rows.streams]
    time, value = np.concatenate([rows.time for rows in held]), np.concatenate([rows.value for rows in held])
    said = [rows.said.get(row) for rows in held for row in rows.row.tolist()]
    words = {place: one for place, one in enumerate(said) if one is not None}
    return Rows(streams, time, value, None, np.arange(len(streams)), said=words)
