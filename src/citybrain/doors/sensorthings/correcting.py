"""Observations changed and deleted (OGC 18-088 clauses 10.3 and 10.4): corrections of the readings that they are, in one act.

path → the Observation as the caller may see it → what is said of it (restating.py) → policy, trail → corrected, and said anew with a record
of what was known before: whole or not at all. What was measured is kept, and stands again when the correction is taken back. One that is
moved to another time or Datastream is struck out there and set here, by a correction too; its old id leads to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
from anyio import to_thread

from citybrain.brain.observe import Wanted, strike
from citybrain.doors.sensorthings import altering, anew, multi, restating
from citybrain.doors.sensorthings.anew import Observed
from citybrain.doors.sensorthings.bodies import reference
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.reading import Reading
from citybrain.doors.sensorthings.refusals import missing, wrong
from citybrain.doors.sensorthings.restating import STREAMS, Changes
from citybrain.doors.sensorthings.saying import begin
from citybrain.doors.sensorthings.sending import Sender
from citybrain.doors.sensorthings.shape import Item
from citybrain.doors.sensorthings.together import Group, acts, entered
from citybrain.doors.sensorthings.writing import DOOR, FEATURE
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError, StaleError
from citybrain.kernel.instant import parse
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Stream

_TRIES: Final = 3
"""How often a change is tried while others change the same reading."""
_LINKS: Final = frozenset({FEATURE, *STREAMS})


def names(where: tuple[Segment, ...]) -> bool:
    """Whether a path leads to one Observation."""
    return where[-1].name == "Observations" and where[-1].key is not None


def links(where: tuple[Segment, ...]) -> bool:
    """Whether a path leads to the link from one Observation to what it is about, or of which Datastream it is."""
    return len(where) > 2 and where[-1].name == "$ref" and where[-2].name in _LINKS and names(where[:-2])


@dataclass(frozen=True, slots=True)
class Corrector:
    """Corrects readings for a caller, as they read them; within a group they are corrected when that is entered."""

    parts: SensorThingsParts
    caller: Caller
    purpose: str
    reading: Reading
    group: Group | None = None

    async def change(self, where: tuple[Segment, ...], said: altering.Change) -> None:
        """Let an Observation be what is said; nothing is done where that stands already.

        Raises NotFoundError for one that is not there, BadInputError, ConflictError or NotHeldError for what cannot be another,
        ForbiddenError, and whatever a correction is refused for.
        """
        why = self._why("修改", "Changed")
        if await to_thread.run_sync(lambda: self._whole(self._seen(where), said)) is None:
            await self._made(lambda: self._restated(self._seen(where), said), why)
            return

        async def work(group: Group) -> None:
            """Hold all of it with a group."""
            await to_thread.run_sync(self._held, group, where, said, why)

        await (entered(self.parts, work) if self.group is None else work(self.group))

    async def link(self, where: tuple[Segment, ...], body: Json) -> None:
        """Let an Observation be about the feature, or of the Datastream, that is named, by the path of that link; raises as ``change`` does."""
        name = where[-2].name
        if reference(body) is None:
            raise wrong(
                f'请以 {{"@iot.id": "…"}} 指明已有的 {name}。', f'Name a {name} that is there: {{"@iot.id": "…"}}.', "@iot.id"
            )
        await self.change(where[:-2], altering.Change("merge", {name: body}))

    async def unlink(self, where: tuple[Segment, ...]) -> None:
        """Let an Observation be about the place of its own Thing again.

        Raises as ``change`` does, and ConflictError for its Datastream, without which it is not.
        """
        if where[-2].name != FEATURE:
            what = Text(
                "观测值不能没有数据流：以 PUT 指明另一条，或删除观测值。",
                "An Observation is of a Datastream: name another one by PUT, or delete the Observation.",
            )
            raise ConflictError(what)
        seen = await to_thread.run_sync(self._seen, where[:-2])
        await self.link(where, {"@iot.id": seen.streams[0].entity})

    async def end(self, where: tuple[Segment, ...]) -> None:
        """Strike an Observation out; raises as ``change`` does."""
        await self._made(lambda: self._struck(self._seen(where)), self._why("删除", "Deleted"))

    async def _made(self, look: Callable[[], Changes], why: str) -> None:
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
                await self.parts.corrections.acts(acts([(one, why) for one in wanted]), self.caller.account)
            except StaleError:
                if not left:
                    raise
            except BadInputError:
                # Somebody may have been first: then it is not there any more, or is what was asked for.
                if not left or await to_thread.run_sync(look) == changes:
                    raise
            else:
                return

    def _seen(self, where: tuple[Segment, ...]) -> Observed:
        """The Observation that a path leads to, with its streams in the order of its result."""
        found = self.reading.target(where)
        if found.item is None or found.set != "Observations":
            raise missing("/".join(segment.name for segment in where))
        return Observed(found.item, self._streams(found.item), parse(str(begin(found.item.body["phenomenonTime"]))))

    def _whole(self, seen: Observed, said: altering.Change) -> restating.Whole | None:
        """An Observation as it is to be; None where nothing but its result is another, and what is said of it stays where it is."""
        whole = self._said(seen, said)
        same = whole.feature is None and anew.words_of(whole.words) == anew.words(self.parts, seen)
        return None if same and not anew.moves(seen, whole) and not anew.carries(self.parts, seen, whole) else whole

    def _said(self, seen: Observed, said: altering.Change) -> restating.Whole:
        return restating.whole(seen.item, said, seen.streams, anew.words(self.parts, seen), self._found)

    def _found(self, link: str, key: str) -> tuple[Stream, ...]:
        """The streams of a Datastream or MultiDatastream that the caller may see; raises BadInputError for one that is not there."""
        try:
            found = self.reading.target((Segment(f"{link}s", key),)).item
        except NotFoundError:
            found = None
        joint = multi.joint(self.parts.registry, key) if found is not None and link != "Datastream" else None
        if found is None or (joint is None and link != "Datastream"):
            raise wrong(f"没有 {link}“{key}”。", f"There is no {link} '{key}'.", link)
        return (self.parts.registry.stream(key),) if joint is None else joint.streams

    def _held(self, group: Group, where: tuple[Segment, ...], said: altering.Change, why: str) -> None:
        """Have a group hold what an Observation is to be."""
        seen = self._seen(where)
        whole, moved = self._whole(seen, said), list[Wanted]()
        if whole is not None:
            anew.held(group, Sender(self.caller, self.purpose, None), seen, whole, why)
            moved = anew.moved(group, whole) if anew.moves(seen, whole) else []
            facts: dict[str, Json] = {"said": anew.words_of(whole.words), "at": whole.time, FEATURE: whole.feature}
            for stream in dict.fromkeys([*seen.having(), *(one.stream for one in moved)]):
                self._require(stream, {**facts, "of": [one.id for one in whole.streams]}, why)
        # Somebody may have said the same meanwhile: then its result alone is another.
        wanted = [*self._wanted(self._struck(seen) if moved else self._restated(seen, said), why), *moved]
        if wanted:
            group.correct(wanted, why, self.caller.account)

    def _restated(self, seen: Observed, said: altering.Change) -> Changes:
        result = self._said(seen, said).result
        streams = seen.streams
        after, before = ([one] if len(streams) == 1 else one for one in (result, seen.item.body["result"]))
        sides = zip(streams, *(one if isinstance(one, list) else [] for one in (before, after)), strict=True)
        return restating.changes(seen.time, sides)

    def _struck(self, seen: Observed) -> Changes:
        return {stream.id: (strike(seen.time), False) for stream in seen.having()}

    def _streams(self, item: Item) -> tuple[Stream, ...]:
        """The streams of whose readings an Observation is, in the order of its result."""
        key = item.row.get(multi.COLUMN)
        if key is None:
            return (self.parts.registry.stream(str(item.row["stream"])),)
        joint = multi.joint(self.parts.registry, str(key))
        if joint is None:
            raise missing(f"Observations('{item.id}')")
        return joint.streams

    def _wanted(self, changes: Changes, why: str) -> list[Wanted]:
        """The changes over what is seen now, each of which the caller may make, and written into the trail."""
        registry, corrections, wanted = self.parts.registry, self.parts.corrections, list[Wanted]()
        for name, (change, adds) in changes.items():
            stream = registry.stream(name)
            self._require(stream, {"change": msgspec.to_builtins(change)}, why)
            if adds:
                wanted.append(corrections.addition(stream, change))
            else:
                wanted.append(Wanted(stream, change, corrections.preview(stream, change).seen))
        return wanted

    def _require(self, stream: Stream, facts: dict[str, Json], why: str) -> None:
        access = self.parts.registry.kind(stream.kind).access
        whole: dict[str, Json] = {"access": access, **facts, "door": DOOR, "why": why}
        self.parts.guard.require(Ask(self.caller, "observation.correct", f"stream:{stream.id}", self.purpose, whole))

    def _why(self, zh: str, en: str) -> str:
        """The reason that stands beside who did it: that it came this way, after the purpose where one was said."""
        way = f"经 SensorThings {zh} · {en} over SensorThings"
        return f"{self.purpose} · {way}" if self.purpose else way
