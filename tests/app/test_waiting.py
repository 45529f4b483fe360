"""What waits for the process that keeps the observations: counted in rows by door, until it has taken it up."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from bench.program import free_port
from citybrain.app.sent import AskedLedger
from citybrain.app.waiting import Waiting, about
from citybrain.brain import observe
from citybrain.engines.nats import Link, Work
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BusyError
from citybrain.kernel.observations import DoorAccount
from citybrain.kernel.text import same
from tests import several


async def test_what_waits_is_counted_in_rows_by_door_until_it_is_done(tmp_path: Path, clock: FixedClock) -> None:
    port = free_port()
    with several.nats(tmp_path, port):
        link = Link(f"nats://127.0.0.1:{port}", "990101", "test")
        await link.start()
        readings, corrections = Work(link, "readings", patience=0.3), Work(link, "corrections", patience=0.3)
        await readings.start()
        await corrections.start()
        waiting, there = Waiting(readings, corrections), True

        def asked() -> tuple[DoorAccount, ...]:
            if not there:
                raise BusyError(same("away"))
            return (DoorAccount("api", 20, 12, 1, {"bad_row": 0}, clock.wall(), pending=7),)

        ledger = AskedLedger(asked, waiting, clock)
        assert [one.pending for one in await asyncio.to_thread(ledger)] == [7]
        for body, said in ((b"a", about("api", 3)), (b"b", about("api", 3)), (b"c", about("a.b *", 5)), (b"d", "")):
            with pytest.raises(BusyError):
                await readings.ask(body, said)
        with pytest.raises(BusyError):
            await corrections.ask(b"e", about("sensorthings", 2))
        assert await asyncio.to_thread(waiting) == {"api": 6, "a.b *": 5, "sensorthings": 2}
        assert waiting.held() == {}
        there = False
        found = {one.door: (one.received, one.stored, one.pending) for one in await asyncio.to_thread(ledger)}
        # The seven that were pending when it last told are settled, or among those that wait.
        assert found == {"api": (19, 12, 6), "a.b *": (5, 0, 5), "sensorthings": (2, 0, 2)}
        for work in (readings, corrections):
            await _done(work)
        assert await asyncio.to_thread(waiting) == {}
        await link.stop()


async def _done(work: Work) -> None:
    """Have all that waits done."""
    seen: list[bytes] = []

    async def do(body: bytes) -> bytes:
        seen.append(body)
        return body

    task = asyncio.create_task(work.serve(do))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if seen and not await asyncio.to_thread(work.waits):
            break
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_ledger_without_what_waits_says_that_it_is_not_known() -> None:
    accounts = [DoorAccount("api", 5, 3, 0, {}, None, pending=2)]
    assert observe.settled(accounts) == [DoorAccount("api", 3, 3, 0, {}, None, pending=0)]
    assert observe.awaited(observe.settled(accounts), {"api": 0, "mqtt": 0}) == observe.settled(accounts)
    with pytest.raises(BusyError):
        await asyncio.to_thread(Waiting(Work(Link("nats://127.0.0.1:1", "990101", "test"), "readings")))
