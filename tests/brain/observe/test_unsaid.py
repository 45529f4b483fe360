"""Words that no reading says: deleted, but never one that is said, kept by a correction, or on its way; and no code twice."""

import asyncio
import hashlib
import threading
from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
from msgspec import json
from sqlalchemy import select

from citybrain.brain.observe import (
    Change,
    Corrections,
    Horizon,
    Silence,
    Span,
    Verdict,
    Worded,
    read_rows,
    setting,
    spelt,
    unsaid,
    worded,
)
from citybrain.brain.observe.store import WORD
from citybrain.engines.duckdb import Due
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant, rfc3339
from citybrain.kernel.observations import Batch, Receipt, SeriesQuery
from citybrain.kernel.text import Json
from citybrain.kernel.things import Contract, Sort, Stream
from tests.brain.observe.conftest import World


def made(world: World, name: str = "state", sort: Sort = "category") -> Stream:
    no = len(world.registry.streams()) + 1
    stream = Stream(f"p1.{name}", no, "p1", "pump", name, "1", Contract(), "test", "real", None, sort)
    world.registry.change((), (stream,), ())
    return stream


async def send(world: World, stream: Stream, ago: int, *values: Json) -> Verdict:
    """Values of a stream, an hour apart, the first so long ago (µs)."""
    start = world.clock.city() - ago
    rows = [{"stream": stream.id, "time": rfc3339(Instant(start + at * HOUR)), "value": value} for at, value in enumerate(values)]
    return await world.intake.take(read_rows(json.encode(rows)), "test", None)


def silence(world: World) -> Silence:
    return Silence(world.registry, world.series, world.transactions, world.clock)


def corrections(world: World) -> Corrections:
    horizon = Horizon({}, world.registry, world.clock)
    return Corrections(world.registry, world.series, world.intake, world.transactions, horizon, world.clock)


def span(world: World, days: int = 3) -> Span:
    numbers = np.array([one.no for one in world.registry.streams()], np.int32)
    return Span("pump", days, Instant(world.clock.city() - days * DAY), numbers)


def expire(world: World, days: int = 3) -> Span:
    """Delete the readings that are older than so many days, as the retention does."""
    past = span(world, days)
    world.series.close_days(Instant(world.clock.city() - DAY))
    world.series.delete([Due(past.kind, past.days, past.before, past.streams, world.clock.wall())])
    return past


def turn(world: World, past: Span) -> int:
    return silence(world).delete(past, silence(world).look(past))


def listed(world: World, stream: Stream) -> dict[int, Json]:
    """The list of a stream as it stands in the store."""
    with world.transactions.read() as connection:
        rows = connection.execute(select(WORD.c.code, WORD.c.word).where(WORD.c.stream == stream.no)).all()
    return {row.code: json.decode(row.word) for row in rows}


def numbers(world: World, stream: Stream) -> list[float]:
    rows = world.series.scan(SeriesQuery((stream.no,), Instant(0), Instant(world.clock.city() + 1)))
    found: list[float] = rows["value"].to_numpy().tolist()
    return found


async def test_what_only_deleted_readings_said_goes_and_its_code_is_never_given_again(world: World) -> None:
    stream = made(world)
    assert (await send(world, stream, 9 * DAY, "晴", "雨", "雪")).stored == 3
    assert (await send(world, stream, 2 * DAY, "雨")).stored == 1
    assert turn(world, span(world)) == 0, "their readings are still there"
    assert turn(world, expire(world)) == 2
    assert listed(world, stream) == {2: "雨"}
    assert world.registry.worded.words((stream.no, code) for code in (1, 2, 3)) == {(stream.no, 2): "雨"}
    await send(world, stream, HOUR, "雪", "雾")
    assert listed(world, stream) == {2: "雨", 4: "雪", 5: "雾"}
    assert turn(world, expire(world)) == 0


async def test_the_record_says_what_went_and_whoever_has_a_backup_can_prove_it(world: World) -> None:
    first, other = made(world), made(world, "mode", "any")
    await send(world, first, 9 * DAY, "a", "b")
    await send(world, other, 9 * DAY, {"x": 1})
    assert turn(world, expire(world)) == 3
    (one,) = silence(world).records()
    lines = f'{first.no}\t1\t"a"\n{first.no}\t2\t"b"\n{other.no}\t1\t{{"x":1}}\n'
    assert (one.kind, one.days, one.streams, one.words) == ("pump", 3, 2, 3)
    assert one.digest == hashlib.sha256(lines.encode()).hexdigest()
    assert silence(world).unproven() == (one,)
    silence(world).prove(one.id, world.clock.wall())
    assert silence(world).unproven() == ()


async def test_many_go_in_commits_of_so_many_and_room_for_as_many_is_there_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsaid, "_AT_ONCE", 4)
    monkeypatch.setattr(worded, "MOST", 10)
    stream = made(world)
    assert (await send(world, stream, 9 * DAY, *map(str, range(12)))).stored == 10
    assert turn(world, expire(world)) == 10
    assert [one.words for one in silence(world).records()] == [4, 4, 2]
    assert (await send(world, stream, 20 * HOUR, *map(str, range(12)))).stored == 10
    assert sorted(listed(world, stream)) == list(range(11, 21))


async def test_a_word_that_stands_among_many_readings_is_found_and_few_are_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsaid, "_FIRST", 5)
    stream = made(world)
    for day in range(8, 0, -1):
        await send(world, stream, day * DAY, "a", "b" if day in (8, 6) else "a", "d", "a", "d", "a")
    assert (await send(world, stream, HOUR, "c")).stored == 1
    assert turn(world, expire(world, 7)) == 0, "a middle word is met where it stands"
    scanned: list[SeriesQuery] = []
    real = world.series.scan

    def scan(query: SeriesQuery) -> object:
        scanned.append(query)
        return real(query)

    monkeypatch.setattr(world.series, "scan", scan)
    assert turn(world, expire(world, 5)) == 1
    assert sorted(listed(world, stream).values(), key=str) == ["a", "c", "d"]
    days = [one.until - one.since for one in scanned if one.bucket is None]
    assert len(days) >= 3
    scanned.clear()
    assert turn(world, expire(world, 5)) == 0
    assert [one.bucket for one in scanned] == [DAY], "the ends of the days alone say that nothing is to go"


async def test_what_a_correction_keeps_stays_as_long_as_that_is_kept(world: World) -> None:
    stream, acting = made(world), corrections(world)
    await send(world, stream, 2 * DAY, "wrong", "right")
    at = Instant(world.clock.city() - 2 * DAY)
    change = setting(at, 2.0)
    await acting.correct(stream, change, acting.preview(stream, change).seen, "officer", "misread")
    assert numbers(world, stream) == [2.0, 2.0]
    assert turn(world, span(world)) == 0
    (one,) = acting.of(stream)
    await acting.end(stream, one.no, "officer", "was right")
    assert numbers(world, stream) == [1.0, 2.0]
    assert spelt(world.registry.worded, stream, [1.0, 2.0]) == {"1": "wrong", "2": "right"}
    past = expire(world, 1)
    assert turn(world, past) == 0, "the record of the correction still shows both"
    acting.forget(past.streams, past.before)
    assert turn(world, past) == 2
    assert spelt(world.registry.worded, stream, [2.0]) == {"2": None}


async def test_nothing_is_set_to_a_word_that_is_gone(world: World) -> None:
    stream, acting = made(world), corrections(world)
    await send(world, stream, 9 * DAY, "old")
    await send(world, stream, HOUR, "new")
    assert turn(world, expire(world)) == 1
    with pytest.raises(BadInputError):
        acting.preview(stream, Change(Instant(world.clock.city() - HOUR), Instant(world.clock.city() - HOUR + 1), 0.0, 1.0))


async def test_a_word_whose_reading_is_on_its_way_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = made(world)
    await send(world, stream, 9 * DAY, "a", "b", "c")
    past = expire(world)
    found = silence(world).look(past)
    assert found == {stream.no: {1, 2, 3}}
    await send(world, stream, HOUR, "b")
    ready, go = asyncio.Event(), asyncio.Event()
    real = world.series.append

    async def slow(batch: Batch) -> Receipt:
        ready.set()
        await go.wait()
        return await real(batch)

    monkeypatch.setattr(world.series, "append", slow)
    sending = asyncio.ensure_future(send(world, stream, MINUTE, "c"))
    await ready.wait()
    assert silence(world).delete(past, found) == 1
    go.set()
    assert (await sending).stored == 1
    assert (listed(world, stream), numbers(world, stream)) == ({2: "b", 3: "c"}, [2.0, 3.0])


async def test_another_process_gives_no_code_of_a_word_that_is_gone(world: World) -> None:
    stream, there = made(world), Worded(world.transactions)
    await send(world, stream, 9 * DAY, "a", "b")
    there.renew()
    assert there.codes([(stream.no, '"a"')]) == {(stream.no, '"a"'): 1}
    assert turn(world, expire(world)) == 2
    there.renew()
    assert there.words([(stream.no, 1)]) == {}
    assert there.code(stream.no, '"a"') is None
    assert there.codes([(stream.no, '"a"')]) == {(stream.no, '"a"'): 3}


def test_what_was_read_before_a_deletion_is_not_remembered_after_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, own = made(world), world.registry.worded
    own.codes([(stream.no, '"a"')])
    own.listen()
    own._memory.clear()
    real: Callable[..., dict[tuple[int, str], int]] = Worded._read

    def read(self: Worded, *given: object) -> dict[tuple[int, str], int]:
        found = real(self, *given)
        assert own.delete([(stream.no, 1)], lambda *_: None) == 1
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Worded, "_read", read)
        assert own.code(stream.no, '"a"') == 1
    assert own.code(stream.no, '"a"') is None


def test_words_said_and_deleted_at_once_from_many_sides_leave_no_reading_without_its_word(world: World) -> None:
    stream, own = made(world), world.registry.worded
    entries = [(stream.no, f'"{n}"') for n in range(50)]
    readings: list[tuple[int, str]] = []
    done = threading.Event()

    def say(at: int) -> None:
        for turns in count():
            entry = entries[(at + turns) % len(entries)]
            with own.being_said((entry,)):
                readings.append(((own.recalled([entry]) or own.codes([entry]))[entry], entry[1]))
            if done.is_set():
                return

    threads = [threading.Thread(target=say, args=(at,)) for at in range(4)]
    for one in threads:
        one.start()
    gone = 0
    while gone < 200:
        del readings[:-20]
        own.listen()
        said = {code for code, _ in tuple(readings)}
        unsaid = [(stream.no, code) for code in own.coded([stream.no]).get(stream.no, set()) - said]
        gone += own.delete(unsaid, lambda *_: None)
    done.set()
    for one in threads:
        one.join()
    assert Worded(world.transactions).words((stream.no, code) for code, _ in readings) == {
        (stream.no, code): json.decode(word) for code, word in readings
    }
    assert max(own.coded([stream.no])[stream.no]) <= 50 + gone
