"""Promises: proposed from history, agreed on by a person, in force at once and after a restart, taken back; never over a declaration."""

import msgspec
import pytest
from msgspec import json

from citybrain.brain.observe import (
    Draft,
    Latest,
    MadeProperty,
    MadeSensor,
    MadeStream,
    MadeThing,
    MadeUnit,
    Making,
    Promises,
    Registry,
    read_rows,
)
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError, StaleError
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Duration, Instant, rfc3339
from citybrain.kernel.things import Contract, Life, Stream
from tests.brain import tiny
from tests.brain.observe.conftest import World

PROMISE = Contract(every=Duration(10 * MINUTE), silent_after=Duration(30 * MINUTE), low=0.0, high=50.0)


@pytest.fixture
def promises(world: World) -> Promises:
    return Promises(world.registry, world.series, world.transactions, world.clock)


@pytest.fixture
def stream(world: World) -> Stream:
    """A stream that somebody made over a door, of which nothing is promised."""
    draft = Draft(
        MadeStream("", "温度", "", "", MadeUnit("C", "°C", None), {}),
        MadeSensor("", "探头", "", "text/plain", "", {}),
        MadeProperty("", "温度", "", "", {}),
        Contract(),
    )
    making = Making(world.registry, world.areas, world.clock)
    made = making.thing("冷库", MadeThing("cold-1", "", {}), (), (draft,))
    (found,) = world.registry.streams_of(made.id)
    return found


async def fill(world: World, stream: Stream, days: int = 4) -> None:
    now = world.clock.city()
    listed = [
        {"stream": stream.id, "time": rfc3339(Instant(now - at * 10 * MINUTE)), "value": 4.0 + (at % 7) / 10}
        for at in range(days * 144)
    ]
    verdict = await world.intake.take(read_rows(json.encode(listed)), "test", None)
    assert verdict.stored == days * 144


def life(world: World, stream: Stream) -> Life:
    reading = world.latest.of(stream.no)
    assert reading is not None
    return reading.life


async def test_what_was_sent_is_proposed_and_what_is_agreed_on_decides_at_once(
    world: World, promises: Promises, stream: Stream
) -> None:
    await fill(world, stream)
    found = promises.proposal(stream)
    assert found is not None
    assert (found.contract.every, found.contract.silent_after, found.readings) == (10 * MINUTE, 30 * MINUTE, 576)
    world.clock.set(Instant(world.clock.city() + DAY))
    assert life(world, stream) is Life.LIVE
    promises.agree(stream, found.contract, 0, "officer", "冷库须随时可查")
    assert life(world, stream) is Life.LATE
    (kept,) = promises.history(stream)
    assert (kept.contract, kept.by, kept.why) == (found.contract, "officer", "冷库须随时可查")


async def test_it_holds_after_a_restart_and_until_it_is_taken_back(world: World, promises: Promises, stream: Stream) -> None:
    await fill(world, stream, 1)
    promises.agree(stream, PROMISE, 0, "officer", "每十分钟一次")
    again = Registry(world.transactions, (tiny.PACK,), world.areas)
    assert again.stream(stream.id).contract == PROMISE
    assert again.agreed(again.stream(stream.id))
    promises = Promises(again, world.series, world.transactions, world.clock)
    promises.take_back(again.stream(stream.id), promises.version(stream), "officer", "探头已换")
    assert again.stream(stream.id).contract == Contract()
    assert Registry(world.transactions, (tiny.PACK,), world.areas).stream(stream.id).contract == Contract()
    assert [one.contract for one in promises.history(stream)] == [None, PROMISE]
    assert Latest(again, world.series, world.clock).of(stream.no) is not None


def test_what_a_pack_declares_is_not_changed_here(world: World, promises: Promises) -> None:
    declared = world.registry.stream(f"{tiny.pumps(1)[0].id}.level")
    assert not promises.free(declared)
    with pytest.raises(ConflictError):
        promises.agree(declared, PROMISE, 0, "officer", "更严格一些")


def test_a_maker_who_states_nothing_leaves_it_and_one_who_states_something_takes_over(
    world: World, promises: Promises, stream: Stream
) -> None:
    promises.agree(stream, PROMISE, 0, "officer", "每十分钟一次")
    making = Making(world.registry, world.areas, world.clock)
    words = msgspec.structs.replace(world.registry.made.streams[stream.id], description="冷库温度")
    making.restate(words, Contract())
    assert world.registry.stream(stream.id).contract == PROMISE
    making.restate(words, Contract(silent_after=Duration(HOUR)))
    held = world.registry.stream(stream.id)
    assert (held.contract.silent_after, world.registry.agreed(held)) == (HOUR, False)
    with pytest.raises(ConflictError):
        promises.agree(held, PROMISE, promises.version(held), "officer", "每十分钟一次")


@pytest.mark.parametrize(
    ("contract", "field"),
    [
        (Contract(), "every"),
        (Contract(every=Duration(0)), "every"),
        (Contract(every=Duration(HOUR), silent_after=Duration(MINUTE)), "silent_after"),
        (Contract(stuck_after=Duration(-1)), "stuck_after"),
        (Contract(low=5.0, high=1.0), "low"),
        (Contract(high=float("inf")), "high"),
        (Contract(every=Duration(2**62)), "every"),
        (Contract(within=2.0), "every"),
        (Contract(silent_after=Duration(HOUR), agrees="ratio"), "every"),
        (Contract(silent_after=Duration(1), opens=480), "opens"),
        (Contract(silent_after=Duration(1), opens=990, closes=480), "opens"),
    ],
)
def test_a_contract_that_contradicts_itself_is_refused(promises: Promises, stream: Stream, contract: Contract, field: str) -> None:
    with pytest.raises(BadInputError) as refused:
        promises.agree(stream, contract, 0, "officer", "试一试看")
    assert refused.value.fields["field"] == field
    assert promises.history(stream) == ()


def test_who_has_not_seen_the_newest_version_and_who_gives_no_reason_is_refused(promises: Promises, stream: Stream) -> None:
    with pytest.raises(BadInputError):
        promises.agree(stream, PROMISE, 0, "officer", "  ")
    with pytest.raises(BadInputError):
        promises.take_back(stream, 0, "officer", "没有可撤回的")
    promises.agree(stream, PROMISE, 0, "officer", "每十分钟一次")
    with pytest.raises(StaleError):
        promises.agree(stream, PROMISE, 0, "other", "每十分钟一次")
    assert len(promises.history(stream)) == 1


def test_what_became_of_a_stream_meanwhile_is_kept(world: World, promises: Promises, stream: Stream) -> None:
    """Whoever agrees holds the stream as it was when the page was opened."""
    making = Making(world.registry, world.areas, world.clock)
    promises.agree(stream, PROMISE, 0, "officer", "每十分钟一次")
    making.end_stream(stream.id)
    with pytest.raises(NotFoundError):
        promises.agree(stream, PROMISE, promises.version(stream), "officer", "每五分钟一次")
    assert stream.id not in world.registry.stream_numbers()
    assert Registry(world.transactions, (tiny.PACK,), world.areas).streams_of(stream.entity) == ()
