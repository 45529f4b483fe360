"""Corrections as they are kept: whole after a kill at any step, and as a model says after any sequence."""

import itertools
from collections.abc import Callable, Mapping

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citybrain.brain import observe
from citybrain.brain.observe import CORRECTION, NOTHING, RESTORED, Change, Corrections, Intake, Latest
from citybrain.brain.observe import corrected as store
from citybrain.engines.bus import LocalBus
from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.instant import DAY, MINUTE, Instant
from tests.brain.observe.conftest import World
from tests.brain.observe.correcting import LEVEL, START, balanced, correct, made, one_at, read, span

EXAMPLES = itertools.count(1)
Seen = dict[int, tuple[float, str]]


class PowerCutError(Exception):
    """The machine is gone at this point."""


@pytest.fixture
def corrections(world: World) -> Corrections:
    return made(world)


def cut(*_: object, **__: object) -> None:
    raise PowerCutError


CUTS: Mapping[str, tuple[Callable[[World], object], str, Seen, list[str]]] = {
    "before the record": (lambda _: store, "record", {-1: (101.0, "test")}, []),
    "before the rows": (lambda world: world.series, "append", {-1: (1.01, CORRECTION)}, ["standing"]),
    "after the rows": (lambda world: world.latest, "feed", {-1: (1.01, CORRECTION)}, ["standing"]),
    "before it is told to stand": (lambda _: store, "become", {-1: (1.01, CORRECTION)}, ["standing"]),
}


@pytest.mark.parametrize("moment", CUTS)
async def test_a_kill_leaves_a_correction_whole_or_not_at_all(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    part, name, expected, states = CUTS[moment]
    await world.send((LEVEL, -1, 101.0))
    with monkeypatch.context() as patch:
        patch.setattr(part(world), name, cut)
        with pytest.raises(PowerCutError):
            await correct(world, corrections, span(-1, -1, 0.01))
    again = made(started(world))
    await again.finish()
    assert read(world) == expected
    assert [one.state for one in again.of(world.registry.stream(LEVEL))] == states
    assert {door.door: door.stored for door in world.series.doors()}.get(CORRECTION, 0) == len(states)
    assert balanced(world)
    assert await again.finish() == 0


@pytest.mark.parametrize("revised", [False, True])
async def test_a_kill_before_the_rows_and_a_new_reading_after_it_leave_the_reading(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch, *, revised: bool
) -> None:
    """Where the rows are stored and a newer reading came, the correction stands and the reading is newer still."""
    await world.send((LEVEL, -2, 100.0), (LEVEL, -1, 101.0))
    with monkeypatch.context() as patch:
        part: object = store if revised else world.series
        patch.setattr(part, "become" if revised else "append", cut)
        with pytest.raises(PowerCutError):
            await correct(world, corrections, span(-2, -1, 0.01))
    await started(world).send((LEVEL, -1, 7.0))
    again = made(world)
    await again.finish()
    states = [one.state for one in again.of(world.registry.stream(LEVEL))]
    if revised:
        assert (read(world), states) == ({-2: (1.0, CORRECTION), -1: (7.0, "test")}, ["standing"])
    else:
        assert (read(world), states) == ({-2: (100.0, "test"), -1: (7.0, "test")}, [])


@pytest.mark.parametrize("where", ["begin_end", "append", "feed", "become"])
async def test_a_kill_while_it_is_taken_back_is_finished(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    await world.send((LEVEL, -2, 100.0), (LEVEL, -1, 101.0))
    await correct(world, corrections, span(-2, -1, 0.01))
    done = await correct(world, corrections, span(-2, -2, 1.0, 1.0))
    await correct(world, corrections, one_at(-1, 5.0))
    part: object = {"append": world.series, "feed": world.latest}.get(where, store)
    with monkeypatch.context() as patch:
        patch.setattr(part, where, cut)
        with pytest.raises(PowerCutError):
            await corrections.end(world.registry.stream(LEVEL), done.no, "officer", "原来没有错")
    again = made(started(world))
    await again.finish()
    expected = (2.0, CORRECTION) if where == "begin_end" else (1.0, CORRECTION)
    assert read(world) == {-2: expected, -1: (5.0, CORRECTION)}
    assert balanced(world)


def started(world: World) -> World:
    """What is kept in memory alone, made anew as at a start."""
    world.latest = Latest(world.registry, world.series, world.clock)
    world.intake = Intake(world.registry, world.series, world.latest, world.clock, LocalBus())
    return world


MINUTES = st.integers(0, 5)
VALUES = st.sampled_from((1.0, 2.0, 3.0, 100.0, 200.0))
ACTS = st.one_of(
    st.tuples(st.just("send"), MINUTES, VALUES),
    st.tuples(st.just("scale"), MINUTES, MINUTES),
    st.tuples(st.just("set"), MINUTES, VALUES),
    st.tuples(st.just("strike"), MINUTES, MINUTES),
    st.tuples(st.just("end"), st.integers(0, 6), st.just(0.0)),
    st.tuples(st.just("close"), st.just(0), st.just(0.0)),
    st.tuples(st.just("restart"), st.just(0), st.just(0.0)),
)


class Model:
    """What readers must see of six minutes: what was measured, and the corrections on it, each with its value."""

    def __init__(self) -> None:
        self.measured: dict[int, tuple[float, str]] = {}
        self.layers: dict[int, list[tuple[int, float]]] = {}
        self.rests: dict[int, set[int]] = {}
        """What each correction that stands rests on."""

    def whole(self) -> dict[int, tuple[float, str]]:
        """What was struck out is infinite."""
        return {at: (self.layers[at][-1][1], CORRECTION) if self.layers.get(at) else had for at, had in self.measured.items()}

    def seen(self) -> dict[int, tuple[float, str]]:
        return {at: found for at, found in self.whole().items() if found[0] != NOTHING}

    def send(self, at: int, value: float) -> None:
        known = self.whole().get(at)
        if known is None or value not in (known[0], self.measured[at][0]):
            self.measured[at], self.layers[at] = (value, "test"), []

    def correct(self, no: int, values: dict[int, float]) -> None:
        self.rests[no] = {self.layers[at][-1][0] for at in values if self.layers.get(at)}
        for at, value in values.items():
            self.layers.setdefault(at, []).append((no, value))

    def end(self, no: int) -> bool:
        if no not in self.rests or any(no in below for below in self.rests.values()):
            return False
        del self.rests[no]
        for at, layers in self.layers.items():
            if layers and layers[-1][0] == no:
                layers.pop()
                if not layers:
                    self.measured[at] = self.measured[at][0], RESTORED
        return True


class Play:
    """Acts done in the store and in the model, in six minutes of their own."""

    def __init__(self, world: World) -> None:
        self.world, self.model, self.corrections = world, Model(), made(world)
        self.begin, self.stream = -10 * next(EXAMPLES), world.registry.stream(LEVEL)
        self.had = len(self.corrections.of(self.stream))

    async def send(self, one: int, value: float) -> None:
        await self.world.send((LEVEL, self.begin + one, value))
        self.model.send(one, value)

    async def scale(self, one: int, other: float) -> None:
        first, last = sorted((one, int(other)))
        change = span(self.begin + first, self.begin + last, 2.0)
        await self._correct(change, {at: 2 * value for at, value in self._stands(first, last).items()})

    async def set(self, one: int, value: float) -> None:
        await self._correct(one_at(self.begin + one, value), dict.fromkeys(self._stands(one, one), value))

    async def strike(self, one: int, other: float) -> None:
        first, last = sorted((one, int(other)))
        change = msgspec.structs.replace(span(self.begin + first, self.begin + last), strikes=True)
        await self._correct(change, dict.fromkeys(self._stands(first, last), NOTHING))

    async def end(self, one: int, _: float) -> None:
        numbers = sorted(each.no for each in self.corrections.of(self.stream))[self.had :]
        if one >= len(numbers):
            return
        if self.model.end(numbers[one]):
            await self.corrections.end(self.stream, numbers[one], "officer", "原来没有错")
        else:
            with pytest.raises(ConflictError):
                await self.corrections.end(self.stream, numbers[one], "officer", "原来没有错")

    async def close(self, _one: int, _other: float) -> None:
        self.world.series.close_days(Instant(START + 2 * DAY))

    async def restart(self, _one: int, _other: float) -> None:
        self.corrections = made(started(self.world))
        assert await self.corrections.finish() == 0

    def seen(self) -> Seen:
        return {at - self.begin: row for at, row in read(self.world).items() if self.begin <= at < self.begin + 10}

    def struck(self) -> int:
        """How many readings of the six minutes are struck out, as buckets say."""
        since, until = (Instant(START + (self.begin + more) * MINUTE) for more in (0, 10))
        return observe.struck(self.world.series, self.world.registry, LEVEL, since, until)

    def _stands(self, first: int, last: int) -> dict[int, float]:
        return {at: value for at, (value, _) in self.model.seen().items() if first <= at <= last}

    async def _correct(self, change: Change, values: dict[int, float]) -> None:
        values = {at: value for at, value in values.items() if value != self.model.seen()[at][0]}
        if values:
            self.model.correct((await correct(self.world, self.corrections, change)).no, values)
        else:
            with pytest.raises(BadInputError):
                self.corrections.preview(self.stream, change)


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, min_size=1, max_size=14))
async def test_any_sequence_shows_what_the_model_says(world: World, acts: list[tuple[str, int, float]]) -> None:
    play = Play(world)
    for act, one, other in acts:
        await getattr(play, act)(one, other)
        assert play.seen() == play.model.seen()
        assert play.struck() == len(play.model.whole()) - len(play.model.seen())
    assert balanced(world)
    for minute, layers in play.model.layers.items():
        for no, _ in layers:
            (kept,) = [each for each in play.corrections.kept(no) if each.time == START + (play.begin + minute) * MINUTE]
            assert kept.measured == play.model.measured[minute][0], "what was measured is kept under every correction"
