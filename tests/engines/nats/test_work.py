"""Work that is handed over by way of JetStream: done once it is answered, kept while its taker is away."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from nats.js.api import RetentionPolicy

from bench.program import free_port
from citybrain.engines.meeting import MixedError, Process
from citybrain.engines.nats import Link, Work
from citybrain.engines.nats.work import Do
from citybrain.kernel.errors import BusyError
from tests import several

ME = Process("ingest", "1.2.0", 4)


@asynccontextmanager
async def worker(address: str, name: str, patience: float = 10, most: int = 10_000_000, me: Process = ME) -> AsyncIterator[Work]:
    link = Link(address, "990101", "test")
    await link.start()
    work = Work(link, name, patience, most, me)
    await work.start()
    yield work
    await link.stop()


@asynccontextmanager
async def serving(work: Work, do: Do) -> AsyncIterator[None]:
    task = asyncio.create_task(work.serve(do))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def reversed_(body: bytes) -> bytes:
    return body[::-1]


async def test_each_asker_gets_the_answer_to_its_own_piece(address: str) -> None:
    async with (
        worker(address, "own") as one,
        worker(address, "own") as other,
        worker(address, "own") as taker,
        serving(taker, reversed_),
    ):
        bodies = [f"{number:05}".encode() for number in range(300)]
        asked = [(one if number % 2 else other).ask(body) for number, body in enumerate(bodies)]
        assert await asyncio.gather(*asked) == [body[::-1] for body in bodies]


async def test_a_piece_that_is_written_otherwise_is_not_done_and_its_asker_is_told_by_whom(address: str) -> None:
    done: list[bytes] = []

    async def do(body: bytes) -> bytes:
        done.append(body)
        return body

    async with (
        worker(address, "mixed") as taker,
        worker(address, "mixed", me=Process("api", "1.2.0", 5)) as other,
        worker(address, "mixed", me=Process("api", "1.1.0", 4)) as earlier,
        serving(taker, do),
    ):
        with pytest.raises(MixedError, match=r"this one is ingest 1\.2\.0 \(4\), the other is api 1\.2\.0 \(5\)"):
            await other.ask(b"a")
        assert await earlier.ask(b"b") == b"b", (
            "of another release, and written as this one reads: it may have waited over an upgrade"
        )
        assert done == [b"b"]
        assert not await asyncio.to_thread(other.waits), "it does not come again"


@pytest.mark.thorough
async def test_a_taker_that_idles_goes_on_to_take(address: str) -> None:
    async with worker(address, "idle") as one, worker(address, "idle") as taker, serving(taker, reversed_):
        await asyncio.sleep(3)
        assert await one.ask(b"ab") == b"ba"


async def test_work_waits_for_its_taker_and_is_done_though_nobody_waits_for_it_any_more(address: str) -> None:
    done: list[bytes] = []

    async def keep(body: bytes) -> bytes:
        done.append(body)
        return body

    async with (
        worker(address, "away", patience=0.3) as hasty,
        worker(address, "away") as one,
        worker(address, "away") as taker,
    ):
        with pytest.raises(BusyError, match="stored once"):
            await hasty.ask(b"early")
        async with serving(taker, keep):
            assert await one.ask(b"late") == b"late"
        assert done == [b"early", b"late"]


@pytest.mark.thorough
async def test_a_piece_that_fails_costs_no_other(address: str) -> None:
    async def picky(body: bytes) -> bytes:
        if body == b"bad":
            message = "not this one"
            raise ValueError(message)
        return body

    async with worker(address, "picky", patience=4) as one, worker(address, "picky") as taker, serving(taker, picky):
        answers = await asyncio.gather(*(one.ask(body) for body in (b"a", b"bad", b"b")), return_exceptions=True)
    assert (answers[0], answers[2]) == (b"a", b"b")
    assert isinstance(answers[1], BusyError)


@pytest.mark.thorough
async def test_a_piece_that_fails_each_time_is_given_up_and_comes_no_more(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("citybrain.engines.nats.work._AGAIN", 0.1)
    tried: list[bytes] = []

    async def failing(body: bytes) -> bytes:
        tried.append(body)
        message = "never"
        raise ValueError(message)

    async with worker(address, "poison", patience=0.2) as one, worker(address, "poison") as taker, serving(taker, failing):
        with pytest.raises(BusyError):
            await one.ask(b"bad")
        for _ in range(100):
            if len(tried) >= 5:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        # One may have been on its way again while the last was given up.
        given = len(tried)
        assert given in (5, 6)
        await asyncio.sleep(1)
        assert len(tried) == given


async def test_what_waits_is_known_by_what_it_is_about_and_what_is_being_done_is_not_waiting(address: str) -> None:
    go, begun = asyncio.Event(), asyncio.Event()

    async def slow(body: bytes) -> bytes:
        begun.set()
        await go.wait()
        return body

    async with worker(address, "counted") as one, worker(address, "counted") as taker:
        asked = [asyncio.create_task(one.ask(b"x", about)) for about in ("api.3", "api.3", "mqtt.1", "")]
        await until(one, {"api.3": 2, "mqtt.1": 1})
        assert one.held().total() == 0
        async with serving(taker, slow):
            await begun.wait()
            await until(taker, {})
            await until(one, {"api.3": 2, "mqtt.1": 1})
            go.set()
            assert await asyncio.gather(*asked) == [b"x"] * 4
            await until(one, {})


async def until(work: Work, wanted: dict[str, int]) -> None:
    for _ in range(200):
        if (found := await asyncio.to_thread(work.waits)) == wanted:
            return
        await asyncio.sleep(0.02)
    assert found == wanted


async def test_what_an_older_release_handed_over_is_done_by_this_one(address: str) -> None:
    """Its stream and its consumer knew one subject alone."""
    link, done = Link(address, "990101", "test"), list[bytes]()
    await link.start()
    stream, subject = link.client.jetstream(), "citybrain.990101.older"
    await stream.add_stream(name="CITYBRAIN_990101_OLDER", subjects=[subject], retention=RetentionPolicy.WORK_QUEUE)
    await stream.pull_subscribe(subject, durable="taker", stream="CITYBRAIN_990101_OLDER")
    await stream.publish(subject, b"old")

    async def keep(body: bytes) -> bytes:
        done.append(body)
        return body

    async with worker(address, "older") as one, worker(address, "older") as taker, serving(taker, keep):
        assert await one.ask(b"new", "api.1") == b"new"
    assert done == [b"old", b"new"]
    await link.stop()


async def test_more_than_may_wait_is_refused_at_once(address: str) -> None:
    async with worker(address, "full", patience=0.5, most=200_000) as one:
        answers = await asyncio.gather(*(one.ask(b"x" * 50_000) for _ in range(8)), return_exceptions=True)
    assert all(isinstance(answer, BusyError) for answer in answers)


@pytest.mark.thorough
async def test_a_server_that_comes_back_without_what_it_had_is_taken_up(tmp_path: Path) -> None:
    port = free_port()
    address = f"nats://127.0.0.1:{port}"
    with ExitStack() as held:
        process = held.enter_context(several.nats(tmp_path, port))
        async with worker(address, "wiped", patience=3) as one, worker(address, "wiped") as taker, serving(taker, reversed_):
            assert await one.ask(b"ab") == b"ba"
            process.kill()
            process.wait(10)
            shutil.rmtree(tmp_path / "nats")
            held.enter_context(several.nats(tmp_path, port))
            for _ in range(20):
                try:
                    assert await one.ask(b"cd") == b"dc"
                    break
                except BusyError:
                    continue
            else:
                pytest.fail("It is not taken up.")


async def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(BusyError, match="JetStream"):
        await Link("nats://127.0.0.1:1", "990101", "test", patience=0.5).start()
