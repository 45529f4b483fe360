"""What arrives while that before it is being stored is stored together after it: each alone would cost as much as all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Together(Generic[Item, Outcome]):
    """Groups for ``store``, one after another, in the order of arrival, at most ``most`` a group. Runs on one event loop."""

    def __init__(self, store: Callable[[Sequence[Item]], Awaitable[Outcome]], most: int) -> None:
        self._store = store
        self._most = most
        self._waiting: deque[tuple[Item, asyncio.Future[tuple[Outcome, int]]]] = deque()
        self._storing: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being stored."""
        return self._storing is None

    async def put(self, item: Item) -> tuple[Outcome, int]:
        """What came of the group with this item, and its place there; raises what storing raised."""
        done: asyncio.Future[tuple[Outcome, int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_all())
        return await done

    async def _store_all(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
            (outcome,) = await asyncio.gather(self._store([item for item, _ in group]), return_exceptions=True)
            for place, (_, done) in enumerate(group):
                if done.done():  # its sender is gone
                    continue
                if isinstance(outcome, BaseException):
                    done.set_exception(outcome)
                else:
                    done.set_result((outcome, place))
        self._storing = None
