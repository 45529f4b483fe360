"""Observations changed and deleted (OGC 18-088 clauses 10.3 and 10.4): corrections of the readings that they are, in one act.

path → the Observation as the caller may see it → what is said of it (restating.py) → policy, trail → preview → corrected, whole or not at all.
What was measured is kept, and stands again when the correction is taken back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

import msgspec
from anyio import to_thread

from citybrain.brain.observe import Change, Wanted, strike
from citybrain.doors.sensorthings import altering, multi, restating, results
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.reading import Reading
from citybrain.doors.sensorthings.refusals import missing
from citybrain.doors.sensorthings.saying import begin
from citybrain.doors.sensorthings.shape import Item
from citybrain.doors.sensorthings.together import Group
from citybrain.doors.sensorthings.writing import DOOR
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.errors import BadInputError, StaleError
from citybrain.kernel.instant import parse
from citybrain.kernel.text import Json
from citybrain.kernel.things import Stream

_TRIES: Final = 3
"""How often a change is tried while others change the same reading."""
_Changes: TypeAlias = Mapping[str, Change]
"""What is to become of readings, by the streams they are of."""


def names(where: tuple[Segment, ...]) -> bool:
    """Whether a path leads to one Observation."""
    return where[-1].name == "Observations" and where[-1].key is not None


@dataclass(frozen=True, slots=True)
class Corrector:
    """Corrects readings for a caller, as they read them; within a group they are corrected when that is entered."""

    parts: SensorThingsParts
    caller: Caller
    purpose: str
    reading: Reading
    group: Group | None = None

    async def change(self, where: tuple[Segment, ...], said: altering.Change) -> None:
        """Let the result of an Observation be what is said; nothing is done where that stands already.

        Raises NotFoundError for one that is not there, BadInputError or NotHeldError where something else of it would be another,
        ForbiddenError, and whatever a correction is refused for.
        """
        why = self._why("修改", "Changed")
        await self._made(lambda: self._restated(self._item(where), said), why)

    async def end(self, where: tuple[Segment, ...]) -> None:
        """Strike an Observation out; raises as ``change`` does."""
        await self._made(lambda: self._struck(self._item(where)), self._why("删除", "Deleted"))

    async def _made(self, look: Callable[[], _Changes], why: str) -> None:
        if self.group is not None:
            wanted = await to_thread.run_sync(lambda: self._wanted(look(), why))
            self.group.correct(wanted, why, self.caller.account)
            return
        for left in range(_TRIES - 1, -1, -1):
            changes = await to_thread.run_sync(look)
            if not changes:
                return
            try:
                wanted = await to_thread.run_sync(self._wanted, changes, why)
                await self.parts.corrections.together(wanted, self.caller.account, why)
            except StaleError:
                if not left:
                    raise
            except BadInputError:
                # Somebody may have been first: then it is not there any more, or is what was asked for.
                if not left or await to_thread.run_sync(look) == changes:
                    raise
            else:
                return

    def _item(self, where: tuple[Segment, ...]) -> Item:
        found = self.reading.target(where)
        if found.item is None or found.set != "Observations":
            raise missing("/".join(segment.name for segment in where))
        return found.item

    def _restated(self, item: Item, said: altering.Change) -> _Changes:
        streams = self._streams(item)
        result = restating.result(item, said, streams)
        time = parse(str(begin(item.body["phenomenonTime"])))
        after, before = ([one] if len(streams) == 1 else one for one in (result, item.body["result"]))
        sides = zip(streams, *(one if isinstance(one, list) else [] for one in (before, after)), strict=True)
        number = partial(results.number, self.parts.registry)
        return restating.changes(time, [(stream.id, number(stream, was), number(stream, now)) for stream, was, now in sides])

    def _struck(self, item: Item) -> _Changes:
        time, before, streams = parse(str(begin(item.body["phenomenonTime"]))), item.body["result"], self._streams(item)
        stood = before if isinstance(before, list) and len(streams) > 1 else [before]
        return {stream.id: strike(time) for stream, value in zip(streams, stood, strict=True) if value is not None}

    def _streams(self, item: Item) -> tuple[Stream, ...]:
        """The streams of whose readings an Observation is, in the order of its result."""
        key = item.row.get(multi.COLUMN)
        if key is None:
            return (self.parts.registry.stream(str(item.row["stream"])),)
        joint = multi.joint(self.parts.registry, str(key))
        if joint is None:
            raise missing(f"Observations('{item.id}')")
        return joint.streams

    def _wanted(self, changes: _Changes, why: str) -> list[Wanted]:
        """The changes over what is seen now, each of which the caller may make, and written into the trail."""
        registry, wanted = self.parts.registry, []
        for name, change in changes.items():
            stream = registry.stream(name)
            facts: dict[str, Json] = {"change": msgspec.to_builtins(change), "door": DOOR, "why": why}
            access = registry.kind(stream.kind).access
            ask = Ask(self.caller, "observation.correct", f"stream:{name}", self.purpose, {"access": access, **facts})
            self.parts.guard.require(ask)
            wanted.append(Wanted(stream, change, self.parts.corrections.preview(stream, change).seen))
        return wanted

    def _why(self, zh: str, en: str) -> str:
        """The reason that stands beside who did it: that it came this way, after the purpose where one was said."""
        way = f"经 SensorThings {zh} · {en} over SensorThings"
        return f"{self.purpose} · {way}" if self.purpose else way
