"""Observations stored with what is beside them: that first, so that no reading that was acknowledged is without it.

rows → those that are good → what is beside them kept → rows stored → what is beside those that were refused put back
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from anyio import to_thread

from citybrain.brain.observe import AS_BEFORE, About, Registry, Rows, Verdict
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.kernel.instant import Instant

Told: TypeAlias = tuple[str | None, str | None]
"""The feature that an observation is about and what else it says, each as ``About`` has them."""
NOTHING: Told = (AS_BEFORE, AS_BEFORE)


def about(registry: Registry, rows: Rows, told: Callable[[int], Told], refused: Iterable[int] = ()) -> list[About]:
    """What is beside each row of a known stream, of those that say something; ``told`` says it of the row at a place of the sending."""
    numbers, bad = registry.stream_numbers(), frozenset(refused)
    listed = zip(rows.streams, rows.time.tolist(), rows.row.tolist(), strict=True)
    return [
        About(numbers[stream], Instant(time), *told(row))
        for stream, time, row in listed
        if row not in bad and stream in numbers and told(row) != NOTHING
    ]


@dataclass(frozen=True, slots=True)
class Keeping:
    """Takes observations in, each with what ``told`` says of the row at its place.

    A kill before it is answered may leave what is beside readings without them; sent again, they are found and kept anew.
    """

    parts: SensorThingsParts
    told: Callable[[int], Told]

    async def take(self, rows: Rows, door: str, key: str | None) -> Verdict:
        """Store rows and what is beside them, or neither; raises as the intake does, and EndedError for a feature that is gone."""
        registry, featured = self.parts.registry, self.parts.featured
        bad = frozenset(one.row for one in self.parts.intake.refused(rows, registry))
        mine = about(registry, rows, self.told, bad)
        before = await to_thread.run_sync(featured.keep, mine) if mine else ()
        verdict: Verdict | None = None
        try:
            verdict = await self.parts.intake.take(rows, door, key)
        finally:
            if verdict is None and before:
                await to_thread.run_sync(featured.put, before)
        refused = frozenset(one.row for one in verdict.refused)
        if refused != bad:
            # A day has ended, or a stream was entered elsewhere, between the look and the store: rare, so all is kept anew.
            await to_thread.run_sync(featured.put, [*before, *about(registry, rows, self.told, refused)])
        return verdict
