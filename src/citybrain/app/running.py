"""Running a city in one process: the doors, and beside them one loop a duty."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from types import FrameType

import structlog
import uvicorn
from litestar.types import ASGIApp
from uvicorn.loops.auto import auto_loop_factory

from citybrain.app import asgi, belonging, control, parts, saving
from citybrain.app.city import City
from citybrain.app.duties import duties
from citybrain.app.links import papers
from citybrain.app.outside import outside
from citybrain.app.sockets import listen
from citybrain.doors.mqtt import MqttDoor
from citybrain.doors.sensorthings import Feeds
from citybrain.engines.flight import Answer, Answers, facts_answers, plain, series_answers
from citybrain.engines.meeting import Process
from citybrain.engines.mqtt import Broker
from citybrain.engines.mqtt_arrivals import Arrivals
from citybrain.web import render

log = structlog.get_logger()

Duty = Callable[[City], Coroutine[None, None, None]]
_COLLECT = (50_000, 20, 100)
"""Thresholds of the garbage collector: a request makes thousands of objects that die at once."""
_TURN = 0.0002
"""Seconds a thread may keep the interpreter: whoever leaves the lock for a store takes it again after this, many times a commit."""

_IDLE = 75
"""Seconds a connection may rest: devices send every few seconds, and one that is closed as a device sends costs it a reading."""


def run(city: City, demo: parts.DemoNotes | None, more: Sequence[Duty] = (), ready: Callable[[], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM."""
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_run(city, demo, more, ready))


async def _run(city: City, demo: parts.DemoNotes | None, more: Sequence[Duty], ready: Callable[[], None] | None) -> None:
    if city.links is not None:
        await city.links.start()
    door = parts.mqtt(city)
    reader = outside(city, door) if city.taker is not None else None
    server = _Server(asgi.served(city, demo, None if reader is None else lambda: reader.connected))
    sockets = listen(city.settings.hosts, city.settings.port)
    feeds = parts.feeds(city, door)
    broker = await _broker(city, door, feeds)
    answers = _answers(city)
    started = (*duties(city, feeds), *(duty(city) for duty in more), asyncio.to_thread(render.warm))
    running = [asyncio.create_task(duty) for duty in started]
    for task in running:
        task.add_done_callback(_ended)
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
        async with _asked(city):
            await server.serve(sockets)
    finally:
        for duty in running:
            duty.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.to_thread(city.audit.settle, all_of_them=True)
        for mqtt in (reader, broker):
            if mqtt is not None:
                await mqtt.stop()
        if answers is not None:
            await asyncio.to_thread(answers.close)
        if city.links is not None:
            await city.links.stop()


def _ended(task: asyncio.Task[None]) -> None:
    """A duty that ends before the program does is told: nobody else would."""
    if not task.cancelled() and task.exception() is not None:
        log.error("duty_ended", duty=task.get_name(), error=repr(task.exception()))


class _Server(uvicorn.Server):
    """Uvicorn with our way of ending: streams of events never end by themselves, so they are not waited for."""

    def __init__(self, application: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                log_config=None,
                access_log=False,
                timeout_keep_alive=_IDLE,
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
    if not city.settings.mqtt_port or city.taker is None:
        return None
    broker = Broker(
        city.settings.hosts,
        city.settings.mqtt_port,
        door.authorise,
        door.take,
        subscribe=feeds.open,
        arrivals=Arrivals(city.clock.city, door.take_at),
        refuse=door.refuse,
    )
    await broker.start()
    return broker


def _asked(city: City) -> AbstractAsyncContextManager[None]:
    """Backing up on request, by the process that keeps the observations."""
    save = saving.elsewhere if city.stores.own is None else partial(saving.save, city.stores, city.settings)
    return control.listening(city.settings.folder, save)


def _answers(city: City) -> Answers | None:
    """What this process answers to the others of its district."""
    settings, knows = city.settings, partial(belonging.knows, city.stores.transactions)
    me = Process(settings.role)
    if settings.role == "ingest":
        answers = series_answers(city.stores.mine, asyncio.get_running_loop())
        ledger: dict[str, Answer] = {"accounts": lambda _: plain(city.intake.accounts())}
        return Answers(settings.ingest_at, settings.secret, {**answers, **ledger}, papers(settings), me, knows)
    if settings.role == "worker":
        own: dict[str, Answer] = {
            "figures": lambda _: plain(city.indicators.figures()),
            "judged": lambda _: plain(city.doubts.judged),
            "behind": lambda _: plain(city.behind()),
        }
        told = {**facts_answers(city.stores.facts), **own}
        return Answers(settings.worker_at, settings.secret, told, papers(settings), me, knows)
    return None
