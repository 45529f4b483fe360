"""Streams whose results are no numbers: their life, history, gaps, proposals and corrections never reckon with what stands for words."""

import msgspec
import pytest

from citybrain.brain.observe import (
    UNSAID,
    Promises,
    history,
    latest_json,
    missing,
    set_result,
    spelt,
    strike,
    written,
)
from citybrain.brain.observe import worded as limits
from citybrain.kernel.errors import BadInputError, StaleError
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Duration, Instant
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import Contract, Life, Sort
from tests.brain.observe.conftest import World
from tests.brain.observe.correcting import correct, made, one_at, span
from tests.brain.observe.test_worded import NOON, numbers, send, stream, words

SORTS: tuple[Sort, ...] = ("truth", "category", "any")
SAID: dict[Sort, tuple[Json, Json]] = {"truth": (True, False), "category": ("open", "shut"), "any": ({"a": 1}, 7)}


async def said(world: World, sort: Sort, count: int, every: int = 1) -> None:
    """So many results, a first for two seconds."""
    stream(world, sort)
    for at in range(count):
        await send(world, SAID[sort][at % 3 == 2], minute=(at - count) * every)


@pytest.mark.parametrize("sort", SORTS)
async def test_nothing_is_averaged_and_no_reading_is_estimated(world: World, sort: Sort) -> None:
    await said(world, sort, 6)
    made_ = world.registry.stream("p1.state")
    promised = msgspec.structs.replace(made_, contract=Contract(every=MINUTE))
    world.registry.change((), (promised,), ())
    await send(world, SAID[sort][0], minute=-30)
    with pytest.raises(BadInputError, match="no quantities"):
        history(world.series, world.registry, "p1", "state", Instant(NOON - HOUR), NOON, HOUR)
    assert history(world.series, world.registry, "p1", "state", Instant(NOON - HOUR), NOON).num_rows == 7
    (gap,) = missing(world.series, world.registry, "p1.state", Instant(NOON - HOUR), NOON, NOON)
    assert (gap.missing, gap.times, gap.values, gap.way, gap.error) == (23, (), (), None, None)


@pytest.mark.parametrize("sort", SORTS)
async def test_no_limits_and_no_standing_still_are_proposed_or_agreed_on(world: World, sort: Sort) -> None:
    await said(world, sort, 160, every=30)
    promises = Promises(world.registry, world.series, world.transactions, world.clock)
    made_ = world.registry.stream("p1.state")
    learned = promises.proposal(made_)
    assert learned is not None
    assert (learned.contract.every, learned.contract.stuck_after) == (30 * MINUTE, None)
    assert (learned.contract.low, learned.contract.high, learned.broken.out_of_range) == (None, None, 0)
    with pytest.raises(BadInputError, match="no range"):
        promises.agree(made_, Contract(every=HOUR, high=1.0), 0, "officer", "一看便知")
    promises.agree(made_, Contract(every=HOUR, silent_after=DAY), 0, "officer", "一看便知")
    assert world.registry.stream("p1.state").contract.every == HOUR


@pytest.mark.parametrize("sort", SORTS)
async def test_it_is_late_or_stuck_as_its_contract_says_and_says_where_it_stands(world: World, sort: Sort) -> None:
    made_ = stream(world, sort)
    promised = msgspec.structs.replace(made_, contract=Contract(silent_after=HOUR, stuck_after=Duration(10 * MINUTE)))
    world.registry.change((), (promised,), ())
    first, _ = SAID[sort]
    await send(world, first, first, first, minute=-20)
    reading = world.latest.of(made_.no)
    assert reading is not None
    assert reading.life is Life.LIVE
    await send(world, first, minute=-2)
    reading = world.latest.of(made_.no)
    assert reading is not None
    assert reading.life is Life.STUCK
    _, why = world.latest.why(promised, Life.STUCK, reading.time, reading.value)
    assert f"读数 {written(first).zh} 保持不变" in why.zh
    world.clock.set(Instant(NOON + 2 * HOUR))
    reading = world.latest.of(made_.no)
    assert reading is not None
    assert reading.life is Life.LATE


def test_results_as_people_read_them() -> None:
    assert [*map(written, (True, False))] == [Text("是（true）", "true"), Text("否（false）", "false")]
    others: list[Json] = [3, 2.5, "雨", {"a": [1]}]
    assert [*map(written, others)] == [same("3"), same("2.5"), same("雨"), same('{"a":[1]}')]
    assert written("x" * 300) == same("x" * 200 + "…")


async def test_what_is_latest_says_its_word(world: World) -> None:
    stream(world, "category")
    await world.send(("p1.level", -1, 2.0))
    await send(world, "open")
    rows = {row["id"]: row for row in msgspec.json.decode(latest_json(world.registry, world.latest))}
    assert (rows["p1.state"]["word"], "word" in rows["p1.level"], rows["p1.level"]["value"]) == ("open", False, 2.0)


@pytest.mark.parametrize("sort", SORTS)
async def test_one_result_is_set_to_another_of_its_sort_or_struck_out_and_nothing_is_reckoned(world: World, sort: Sort) -> None:
    await said(world, sort, 3)
    corrections, made_ = made(world), world.registry.stream("p1.state")
    first, second = SAID[sort]
    for wrong in (one_at(-1, 9.0), one_at(-1, 0.5), span(-3, -1, 2.0), span(-3, -1, 1.0, 1.0), span(-1, -1, 1.0, 1.0)):
        with pytest.raises(BadInputError):
            corrections.preview(made_, wrong)
    await correct(world, corrections, set_result(made_, Instant(NOON - MINUTE), first), "p1.state")
    assert words(world) == [first, first, first]
    await correct(world, corrections, strike(Instant(NOON - 2 * MINUTE)), "p1.state")
    assert words(world) == [first, first]
    for one in corrections.of(made_):
        await corrections.end(made_, one.no, "officer", "原来没有错")
    assert words(world) == [first, first, second]
    assert list(spelt(world.registry.worded, made_, numbers(world)).values()) in ([first, second], [second, first])
    assert corrections.verify() == 0


async def test_a_count_stays_whole(world: World) -> None:
    made_ = stream(world, "count")
    await send(world, 3, 4)
    corrections = made(world)
    with pytest.raises(BadInputError):
        corrections.preview(made_, span(-30, -29, 0.5))
    await correct(world, corrections, span(-30, -29, 2.0), "p1.state")
    assert numbers(world) == [6, 8]
    with pytest.raises(BadInputError, match="whole number"):
        set_result(made_, NOON, 2.5)


async def test_looking_at_a_correction_to_a_new_word_enters_nothing_and_making_it_enters_the_word(world: World) -> None:
    made_ = stream(world, "category")
    await send(world, "open")
    corrections, words_of = made(world), world.registry.worded
    change = set_result(made_, Instant(NOON - 30 * MINUTE), "ajar")
    shown = corrections.preview(made_, change)
    assert (shown.first.before, shown.first.after) == (1.0, UNSAID)
    told = spelt(words_of, made_, (shown.first.before, shown.first.after), shown.change)
    assert told == {"1": "open", "0": "ajar"}
    with pytest.raises(StaleError):
        await corrections.correct(made_, change, "0" * 16, "officer", "看错了阀位")
    with pytest.raises(BadInputError):
        await corrections.correct(made_, change, shown.seen, "officer", "")
    assert words_of.coded([made_.no]) == {made_.no: {1}}
    done = await corrections.correct(made_, change, shown.seen, "officer", "看错了阀位")
    assert (words_of.coded([made_.no]), words(world), done.change.offset) == ({made_.no: {1, 2}}, ["ajar"], 2.0)


async def test_what_was_seen_of_a_new_word_stands_when_its_stream_says_it_meanwhile(world: World) -> None:
    made_ = stream(world, "category")
    await send(world, "open")
    corrections = made(world)
    change = set_result(made_, Instant(NOON - 30 * MINUTE), "ajar")
    seen = corrections.preview(made_, change).seen
    await send(world, "ajar", minute=-10)
    await corrections.correct(made_, change, seen, "officer", "看错了阀位")
    assert (words(world), corrections.verify()) == (["ajar", "ajar"], 1)


async def test_a_full_list_of_words_is_told_when_a_new_one_is_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made_ = stream(world, "category")
    await send(world, "open", "shut")
    corrections, at = made(world), Instant(NOON - 30 * MINUTE)
    monkeypatch.setattr(limits, "MOST", 2)
    with pytest.raises(BadInputError, match="full"):
        corrections.preview(made_, set_result(made_, at, "ajar"))
    assert corrections.preview(made_, set_result(made_, at, "shut")).rows == 1
