"""The bus of several processes: what is published in one is heard in all."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from citybrain.engines.nats import Link, SharedBus
from citybrain.kernel.events import Recorded


@pytest.fixture
async def two(address: str) -> AsyncIterator[tuple[SharedBus, SharedBus]]:
    links = [Link(address, "990101", name) for name in ("one", "other")]
    buses = [SharedBus(link) for link in links]
    for link, bus in zip(links, buses, strict=True):
        await link.start()
        await bus.start()
    yield buses[0], buses[1]
    for link, bus in zip(links, buses, strict=True):
        await bus.stop()
        await link.stop()


async def test_a_message_is_heard_here_as_it_is_and_elsewhere_as_plain_values_and_never_twice(
    two: tuple[SharedBus, SharedBus],
) -> None:
    here, there = two[0].listen("recorded"), two[1].listen("recorded")
    two[0].publish("recorded", Recorded(7))
    assert await asyncio.wait_for(anext(here), 30) == Recorded(7)
    assert await asyncio.wait_for(anext(there), 30) == {"last_seq": 7}
    two[1].publish("recorded", None)
    assert await asyncio.wait_for(anext(here), 30) is None
    assert await asyncio.wait_for(anext(there), 30) is None
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(there), 0.2)


async def test_of_many_messages_at_once_the_newest_arrives(two: tuple[SharedBus, SharedBus]) -> None:
    there = two[1].listen("figure")
    for number in range(1000):
        two[0].publish("figure", {"changed": number})
    heard = [await asyncio.wait_for(anext(there), 30)]
    while heard[-1] != {"changed": 999}:
        heard.append(await asyncio.wait_for(anext(there), 30))
    assert len(heard) < 100


async def test_another_district_on_the_same_server_hears_nothing(two: tuple[SharedBus, SharedBus], address: str) -> None:
    link = Link(address, "990102", "one")
    foreign = SharedBus(link)
    await link.start()
    await foreign.start()
    heard, there = foreign.listen("outbox"), two[1].listen("outbox")
    two[0].publish("outbox", None)
    assert await asyncio.wait_for(anext(there), 30) is None
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(heard), 0.2)
    await foreign.stop()
    await link.stop()


async def test_a_bus_that_has_not_begun_still_reaches_its_own(address: str) -> None:
    bus = SharedBus(Link(address, "990101", "alone"))
    heard = bus.listen("outbox")
    bus.publish("outbox", None)
    assert await anext(heard) is None
