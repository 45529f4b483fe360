"""Arrivals: a row is counted when it comes, is pending until its verdict, and one that went missing shows as a difference."""

import asyncio
from collections.abc import Sequence

import pytest

from citybrain.brain.observe import Intake
from citybrain.engines.bus import LocalBus
from citybrain.kernel.errors import BusyError, ConflictError
from citybrain.kernel.observations import Batch, DoorAccount, Receipt
from citybrain.kernel.text import same
from tests.brain.observe.conftest import World


def of(world: World) -> DoorAccount:
    (account,) = [one for one in world.intake.accounts() if one.door == "test"]
    return account


def difference(one: DoorAccount) -> int:
    assert one.pending is not None
    return one.received - one.stored - one.duplicate - sum(one.refused.values()) - one.pending


async def test_rows_are_pending_until_the_store_has_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    go, append = asyncio.Event(), type(world.series).append

    async def held(_: object, batch: Batch) -> Receipt:
        await go.wait()
        receipt: Receipt = await append(world.series, batch)
        return receipt

    monkeypatch.setattr(type(world.series), "append", held)
    sending = asyncio.create_task(world.send(("p1.level", 0, 1.0), ("x.y", 0, 1.0)))
    await asyncio.sleep(0.05)
    one = of(world)
    assert (one.received, one.stored, one.pending, difference(one)) == (2, 0, 2, 0)
    go.set()
    await sending
    one = of(world)
    assert (one.received, one.stored, one.refused, one.pending, difference(one)) == (2, 1, {"unknown_stream": 1}, 0, 0)


async def test_a_row_that_is_acknowledged_and_not_stored_is_a_difference(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.send(("p1.level", -1, 1.0))

    async def lost(_: object, batch: Batch) -> Receipt:
        return Receipt(batch.id, len(batch.time), 0, 0, 99)

    with monkeypatch.context() as patched:
        patched.setattr(type(world.series), "append", lost)
        await world.send(("p1.level", 0, 1.0))
    assert difference(of(world)) == 1


async def test_what_is_turned_away_or_known_or_given_up_makes_no_difference(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        await world.send(("p1.level", 0, 1.0), key="k")
    with pytest.raises(ConflictError):
        await world.send(("p1.level", 0, 2.0), key="k")

    async def busy(_: object, __: Batch) -> Receipt:
        raise BusyError(same("busy"))

    with monkeypatch.context() as patched:
        patched.setattr(type(world.series), "append", busy)
        with pytest.raises(BusyError):
            await world.send(("p1.level", 1, 1.0))
    given_up = asyncio.create_task(world.send(("p1.level", 2, 1.0)))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    await world.send(("p1.level", 3, 1.0))
    assert difference(of(world)) == 0
    assert of(world).stored >= 2


async def test_after_a_restart_the_count_goes_on_from_the_ledger(world: World, bus: LocalBus) -> None:
    await world.send(("p1.level", 0, 1.0))
    again = Intake(world.registry, world.series, world.latest, world.clock, bus)
    accounts: Sequence[DoorAccount] = again.accounts()
    assert [(one.received, one.pending, difference(one)) for one in accounts] == [(1, 0, 0)]
