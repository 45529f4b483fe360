"""Corrections of the level of pump 1, in minutes after 15:00."""

from citybrain.brain.observe import Change, Correction, Corrections, Horizon, setting
from citybrain.kernel.instant import MINUTE, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.brain.observe.conftest import World

START = 1_795_330_800_000_000
"""The clock's 15:00, from which ``World.send`` counts minutes."""
LEVEL = "p1.level"


def made(world: World, kept: dict[str, int] | None = None) -> Corrections:
    return Corrections(
        world.registry,
        world.series,
        world.intake,
        world.transactions,
        Horizon(kept or {}, world.registry, world.clock),
        world.clock,
    )


def span(first: int, last: int, factor: float = 1.0, offset: float = 0.0) -> Change:
    """A change of the readings between two minutes, both included."""
    return Change(Instant(START + first * MINUTE), Instant(START + last * MINUTE + 1), factor, offset)


def strike(first: int, last: int) -> Change:
    """The change that strikes out the readings between two minutes, both included."""
    return Change(Instant(START + first * MINUTE), Instant(START + last * MINUTE + 1), strikes=True)


def one_at(minute: int, value: float) -> Change:
    return setting(Instant(START + minute * MINUTE), value)


async def correct(world: World, corrections: Corrections, change: Change, stream: str = LEVEL) -> Correction:
    shown = corrections.preview(world.registry.stream(stream), change)
    return await corrections.correct(world.registry.stream(stream), change, shown.seen, "officer", "单位错误")


def read(world: World, stream: str = LEVEL) -> dict[int, tuple[float, str]]:
    """Minute → value and door, as every reader meets them."""
    no = world.registry.stream(stream).no
    rows = world.series.scan(SeriesQuery((no,), Instant(0), Instant(2**62))).to_pylist()
    return {(row["time"] - START) // MINUTE: (row["value"], row["door"]) for row in rows}


def balanced(world: World) -> bool:
    return all(door.received == door.stored + door.duplicate + sum(door.refused.values()) for door in world.series.doors())
