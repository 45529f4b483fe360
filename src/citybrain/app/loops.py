"""What runs beside the doors: one small loop a duty, each woken by what it waits for, none able to stop the others."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from citybrain.kernel.errors import BusyError

log = structlog.get_logger()

Work = Callable[[], Awaitable[int]]
"""Does what there is to do and says how much that was."""


def threaded(work: Callable[[], int]) -> Work:
    """Work that is done in a worker thread."""
    return lambda: asyncio.to_thread(work)


class Wake:
    """A wake-up that may be rung from any thread; rings that come while one waits to be heard are one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def ring(self) -> None:
        """Wake whoever waits."""
        self._loop.call_soon_threadsafe(self._event.set)

    async def heard(self, seconds: float) -> None:
        """Wait for a ring, at most some seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()


async def follow(name: str, work: Work, wake: Wake, idle: float = 1.0, pause: float = 0.0, rest: float = 0.0) -> None:
    """Do the work whenever woken (or idle seconds have passed), until there is none left; a fault is logged and tried again.

    A process or a store that is away is no fault: that it is waited for is said once, and once that it is back.
    Between two turns it waits ``pause`` seconds, and ``rest`` times as long as the turn before took.
    """
    loop, waiting = asyncio.get_running_loop(), _Waiting(name)
    while True:
        try:
            began = loop.time()
            while await work():
                waiting.over()
                await asyncio.sleep(max(pause, rest * (loop.time() - began)))
                began = loop.time()
            waiting.over()
        except BusyError as error:
            waiting.on(error)
            await asyncio.sleep(1.0)
        except Exception as error:
            # The one fence of the loops: a fault in one duty must not end the others; it is logged and the work is done again.
            log.exception("duty_failed", duty=name, error=str(error))
            await asyncio.sleep(1.0)
        await wake.heard(idle)


async def regularly(name: str, work: Callable[[], Awaitable[object]], seconds: float) -> None:
    """Do something every so many wall seconds; a fault is logged, what is away is waited for, and the next turn comes all the same."""
    waiting = _Waiting(name)
    while True:
        try:
            await work()
            waiting.over()
        except BusyError as error:
            waiting.on(error)
        except Exception as error:
            # As in follow: one duty's fault stays its own.
            log.exception("duty_failed", duty=name, error=str(error))
        await asyncio.sleep(seconds)


class _Waiting:
    """Whether a duty waits for somebody who is away: told when that begins and when it ends, not each second in between."""

    def __init__(self, duty: str) -> None:
        self._duty = duty
        self._waits = False

    def on(self, error: BusyError) -> None:
        """Somebody is away."""
        if not self._waits:
            log.warning("duty_waits", duty=self._duty, why=str(error))
        self._waits = True

    def over(self) -> None:
        """The work was done."""
        if self._waits:
            log.info("duty_goes_on", duty=self._duty)
        self._waits = False
