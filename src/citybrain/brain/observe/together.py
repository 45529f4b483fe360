"""What arrives while that before it is being stored is stored together after it: each alone would cost as much as all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, TypeAlias, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
_Waiting: TypeAlias = tuple[Item, "asyncio.Future[tuple[Outcome, int]]"]


class Together(Generic[Item, Outcome]):
    """Groups for ``store``, one after another, in the order of arrival, at most ``most`` a group. Runs on one event loop."""

    def __init__(self, store: Callable[[Sequence[Item]], Awaitable[Outcome]], most: int) -> None:
        self._store = store
        self._most = most
        self._waiting: deque[_Waiting[Item, Outcome]] = deque()
        self._storing: asyncio.Task[Outcome] | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being stored."""
        return self._storing is None

    async def put(self, item: Item) -> tuple[Outcome, int]:
        """What came of the group with this item, and its place there; raises what storing raised."""
        done: asyncio.Future[tuple[Outcome, int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._storing is None:
            self._begin()
        return await done

    def _begin(self) -> None:
        group: list[_Waiting[Item, Outcome]] = []
        self._storing = asyncio.create_task(self._stored(group))
        self._storing.add_done_callback(partial(self._told, group))

    async def _stored(self, group: "list[_Waiting[Item, Outcome]]") -> Outcome:
        # Taken when this runs: what arrives in one turn of the loop goes together.
        group += [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
        return await self._store([item for item, _ in group])

    def _told(self, group: "list[_Waiting[Item, Outcome]]", stored: asyncio.Task[Outcome]) -> None:
        error = None if stored.cancelled() else stored.exception()
        for place, (_, done) in enumerate(group):
            if done.done():  # its sender is gone
                continue
            if stored.cancelled():
                done.cancel()
            elif error is not None:
                done.set_exception(error)
            else:
                done.set_result((stored.result(), place))
        self._storing = None
        if self._waiting and not stored.cancelled():
            self._begin()
