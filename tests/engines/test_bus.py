"""The in-process bus."""

import asyncio
import gc
import threading

from citybrain.engines.bus import LocalBus


async def test_every_listener_of_a_topic_gets_every_message_in_order(bus: LocalBus) -> None:
    first, second, other = bus.listen("a"), bus.listen("a"), bus.listen("b")
    for number in range(3):
        bus.publish("a", number)
    bus.publish("b", "x")
    for listener in (first, second):
        assert [await anext(listener) for _ in range(3)] == [0, 1, 2]
    assert await anext(other) == "x"


async def test_messages_from_before_the_call_are_not_heard(bus: LocalBus) -> None:
    bus.publish("a", "early")
    listener = bus.listen("a")
    bus.publish("a", "now")
    assert await anext(listener) == "now"


async def test_a_slow_listener_misses_the_oldest_and_knows_how_many(bus: LocalBus) -> None:
    slow, quick = bus.listen("a", size=3), bus.listen("a")
    for number in range(10):
        bus.publish("a", number)
    assert [await anext(slow) for _ in range(3)] == [7, 8, 9]
    assert (slow.dropped, quick.dropped) == (7, 0)


async def test_threads_may_publish_while_somebody_waits(bus: LocalBus) -> None:
    listener = bus.listen("a", size=5_000)

    def work() -> None:
        for number in range(1_000):
            bus.publish("a", number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    heard = [await asyncio.wait_for(anext(listener), 10) for _ in range(4_000)]
    for thread in threads:
        thread.join()
    assert sorted(map(int, map(str, heard))) == sorted(list(range(1_000)) * 4)


async def test_a_closed_listener_ends_after_what_it_has(bus: LocalBus) -> None:
    listener = bus.listen("a")
    bus.publish("a", 1)
    listener.close()
    assert [message async for message in listener] == [1]


async def test_a_listener_that_nobody_holds_is_forgotten(bus: LocalBus) -> None:
    listener = bus.listen("a")
    assert len(bus._topics["a"]) == 1
    del listener
    gc.collect()
    assert len(bus._topics["a"]) == 0


def test_publishing_after_the_loop_has_ended_harms_nobody(bus: LocalBus) -> None:
    async def listen() -> object:
        return bus.listen("a")

    kept = asyncio.run(listen())
    bus.publish("a", 1)
    assert kept is not None
