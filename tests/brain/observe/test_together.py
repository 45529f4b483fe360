"""Items that arrive while others are being stored: together, in order, each with its own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from citybrain.brain.observe import Together


async def test_what_arrives_meanwhile_is_stored_together_in_order_and_at_most_so_many() -> None:
    groups: list[list[int]] = []

    async def store(group: Sequence[int]) -> int:
        groups.append(list(group))
        await asyncio.sleep(0.01)
        return len(groups)

    together = Together(store, 3)
    assert await asyncio.gather(*map(together.put, range(8))) == [
        (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1),
    ]  # fmt: skip
    assert groups == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert together.idle


async def test_what_storing_raises_is_told_to_its_own_group_and_to_no_other() -> None:
    async def store(group: Sequence[int]) -> None:
        await asyncio.sleep(0)
        if 1 in group:
            raise ZeroDivisionError

    together = Together(store, 1)
    answers = await asyncio.gather(*map(together.put, range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [tuple, ZeroDivisionError, tuple]


async def test_a_sender_that_is_gone_spoils_nothing() -> None:
    async def store(_group: Sequence[int]) -> None:
        await asyncio.sleep(0.05)

    together = Together(store, 2)
    gone, stays = asyncio.create_task(together.put(1)), asyncio.create_task(together.put(2))
    await asyncio.sleep(0.01)
    gone.cancel()
    assert await stays == (None, 1)
    with pytest.raises(asyncio.CancelledError):
        await gone
