"""Running a city in one process: the doors, and beside them one loop a duty."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from types import FrameType

import structlog
import uvicorn
from litestar.types import ASGIApp
from uvicorn.loops.auto import auto_loop_factory

from citybrain.app import asgi, parts
from citybrain.app.city import City
from citybrain.app.loops import Wake, follow, regularly, threaded
from citybrain.app.outside import outside
from citybrain.app.sockets import listen
from citybrain.app.wire import Wire
from citybrain.brain import act, see
from citybrain.doors.mqtt import MqttDoor
from citybrain.doors.sensorthings import Feeds
from citybrain.engines.mqtt import Broker
from citybrain.kernel.errors import StorageFullError
from citybrain.kernel.instant import DAY, Instant, local_date, midnight, rfc3339
from citybrain.web import render

log = structlog.get_logger()

Duty = Callable[[City], Coroutine[None, None, None]]
_COALESCE = 0.02
"""Seconds that detect waits for more observations: one evaluation serves them all."""
_REST = 9.0
"""Figures rest nine times as long as each took: they never take more than a tenth of a processor."""
_FED = 4.0
"""Those who subscribed are told in at most a fifth of a processor: in a flood the oldest of what they have not read makes room."""
_GATHER = 0.5
"""Seconds that events gather before they become facts in one commit: nobody waits for facts."""
_COLLECT = (50_000, 20, 100)
"""Thresholds of the garbage collector: a request makes thousands of objects that die at once."""
_TURN = 0.0002
"""Seconds a thread may keep the interpreter: whoever leaves the lock for a store takes it again after this, many times a commit."""
_OUTBOX_DAYS = 30
"""City days that an event stays in the outbox after all its readers had it: a screen that was off so long reads on without a gap."""
_LATE_DAYS = 2
"""Days are closed to Parquet when they are so old; late rows that come after are merged at the next closing."""


def run(city: City, demo: parts.DemoNotes | None, more: Sequence[Duty] = (), ready: Callable[[], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM."""
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_run(city, demo, more, ready))


async def _run(city: City, demo: parts.DemoNotes | None, more: Sequence[Duty], ready: Callable[[], None] | None) -> None:
    door = parts.mqtt(city)
    reader = outside(city, door)
    server = _Server(asgi.served(city, demo, None if reader is None else lambda: reader.connected))
    sockets = listen(city.settings.hosts, city.settings.port)
    feeds = parts.feeds(city, door)
    broker = await _broker(city, door, feeds)
    started = (*_duties(city), _fed(city, feeds), *(duty(city) for duty in more), asyncio.to_thread(render.warm))
    duties = [asyncio.create_task(duty) for duty in started]
    # What stands now stands until the end: without it, collections of old objects would pause the wire for tens of milliseconds.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    sys.setswitchinterval(_TURN)
    if reader is not None:
        reader.start()
    if ready is not None:
        ready()
    try:
        await server.serve(sockets)
    finally:
        for duty in duties:
            duty.cancel()
        await asyncio.gather(*duties, return_exceptions=True)
        await asyncio.to_thread(city.audit.settle, all_of_them=True)
        for mqtt in (reader, broker):
            if mqtt is not None:
                await mqtt.stop()


class _Server(uvicorn.Server):
    """Uvicorn with our way of ending: streams of events never end by themselves, so they are not waited for."""

    def __init__(self, application: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=Wire,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=2,
                server_header=False,
                date_header=True,
                lifespan="off",
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """End the server alone: uvicorn would raise the signal anew and end the process before its stores are closed."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


async def _broker(city: City, door: MqttDoor, feeds: Feeds) -> Broker | None:
    if not city.settings.mqtt_port:
        return None
    broker = Broker(city.settings.hosts, city.settings.mqtt_port, door.authorise, door.take, subscribe=feeds.open)
    await broker.start()
    return broker


def _duties(city: City) -> tuple[Coroutine[None, None, None], ...]:
    derived, told, figured, noticed = Wake(), Wake(), Wake(), Wake()
    city.stores.transactions.on_commit(told.ring)
    city.stores.transactions.on_commit(figured.ring)
    city.stores.transactions.on_commit(noticed.ring)
    city.stores.transactions.on_commit(lambda: city.bus.publish("outbox", None))
    return (
        _relay(city, derived),
        follow("derive", city.deriver.run_once, derived, pause=_COALESCE),
        city.watch.run(),
        follow("facts", threaded(lambda: _told(city)), told, pause=_GATHER),
        _figures(city, figured),
        follow("notices", threaded(city.notices.run_once), noticed, pause=_GATHER, rest=1.0),
        regularly("audit", lambda: asyncio.to_thread(city.audit.settle), 20.0),
        regularly("doubts", lambda: asyncio.to_thread(city.doubts.run_once), 2.0),
        regularly("bookings", lambda: asyncio.to_thread(city.bookings.lapse), 5.0),
        regularly("forecasts", lambda: asyncio.to_thread(_ahead, city), 5.0),
        regularly("erasing", lambda: asyncio.to_thread(city.reports.erase_due), 3600.0),
        regularly("photos", lambda: asyncio.to_thread(city.reports.clear_photos), 3600.0),
        regularly("closing", lambda: tidy(city), 600.0),
        regularly("forgetting", lambda: asyncio.to_thread(_forget, city), 3600.0),
    )


async def _relay(city: City, wake: Wake) -> None:
    """Ring whenever observations are durable: the intake says so on the bus."""
    async for _ in city.bus.listen("recorded", 1):
        wake.ring()


async def _fed(city: City, feeds: Feeds) -> None:
    """Tell those who subscribed at the broker what is durable."""
    durable = Wake()
    relayed = asyncio.create_task(_relay(city, durable))
    try:
        await follow("feeds", feeds.run_once, durable, pause=_COALESCE, rest=_FED)
    finally:
        relayed.cancel()


async def _figures(city: City, wake: Wake) -> None:
    """All figures at once at the start, for somebody opens the cockpit at that moment; then each in its turn, with a rest."""
    try:
        await asyncio.to_thread(city.indicators.run_once)
    except Exception as error:
        # As in the loops: what failed at the start is tried again in its turn.
        log.exception("duty_failed", duty="figures", error=str(error))
    await follow("figures", threaded(lambda: _figured(city)), wake, pause=0.05, rest=_REST)


def _figured(city: City) -> int:
    changed = city.indicators.run_next()
    if changed:
        city.bus.publish("figure", {"changed": changed, "time": rfc3339(city.clock.city())})
    return changed


def _told(city: City) -> int:
    taken = city.feed.run_once()
    if taken:
        city.indicators.touch()
    return taken


def _ahead(city: City) -> None:
    """Forecasts first: questions are answered from them."""
    city.forecasts.run_once()
    city.questions.run_once()


async def tidy(city: City) -> None:
    """Close days, then delete what was kept long enough; where the disk is too full for closing, that is what makes room."""
    try:
        await asyncio.to_thread(_close, city)
    except StorageFullError as error:
        log.exception("days_not_closed", error=str(error))
    past = await asyncio.to_thread(city.retaining.run_once)
    # On the loop, as the readings come in: a newer one is not forgotten with the old.
    for span in past:
        city.latest.forget(span.streams, span.before)


def _close(city: City) -> None:
    before = midnight(local_date(Instant(city.clock.city() - _LATE_DAYS * DAY)))
    rows = city.stores.series.close_days(before)
    if rows:
        log.info("days_closed", rows=rows)


def _forget(city: City) -> None:
    before = Instant(city.clock.city() - _OUTBOX_DAYS * DAY)
    dropped = city.stores.transactions.forget(before, (see.FactFeed.READER, act.Notices.READER))
    if dropped:
        log.info("events_forgotten", events=dropped)
