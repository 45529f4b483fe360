"""The duties of a city: what runs beside the doors, by what this process is for."""

import asyncio
import signal
from collections.abc import Coroutine

import msgspec
import structlog

from citybrain.app.city import City, Lag
from citybrain.app.loops import Wake, follow, regularly, threaded
from citybrain.app.sent import make_corrections, take_readings
from citybrain.brain import act, observe, see
from citybrain.doors.sensorthings import Feeds
from citybrain.engines.postgres import Alone
from citybrain.kernel.datasets import Figure
from citybrain.kernel.errors import BusyError, ConflictError, StorageFullError
from citybrain.kernel.instant import DAY, Instant, local_date, midnight, rfc3339

log = structlog.get_logger()

Duty = Coroutine[None, None, None]
_COALESCE = 0.02
"""Seconds that detect waits for more observations: one evaluation serves them all."""
_REST = 9.0
"""Figures rest nine times as long as each took: they never take more than a tenth of a processor."""
_FED = 4.0
"""Those who subscribed are told in at most a fifth of a processor: in a flood the oldest of what they have not read makes room."""
_GATHER = 0.5
"""Seconds that events gather before they become facts in one commit: nobody waits for facts."""
_ALONE = 5.0
"""Seconds between two looks whether this process is still the only one of its role."""
_SURE = 6
"""Looks that find another process one after the other, until this one ends."""
_RENEW = 0.5
"""Seconds between two looks at what other processes have entered."""
_OUTBOX_DAYS = 30
"""City days that an event stays in the outbox after all its readers had it: a screen that was off so long reads on without a gap."""
_LATE_DAYS = 2
"""Days are closed to Parquet when they are so old; late rows that come after are merged at the next closing."""


def duties(city: City, feeds: Feeds) -> tuple[Duty, ...]:
    """What this process does of its own accord; in a district of one process that is everything."""
    role = city.settings.role
    city.stores.transactions.on_commit(lambda: city.bus.publish("outbox", None))
    return (
        regularly("audit", lambda: asyncio.to_thread(city.audit.settle), 20.0),
        *(_keeping(city, feeds) if role in ("all", "ingest") else ()),
        *(_thinking(city) if role in ("all", "worker") else (_informed(city),)),
        *(() if city.following is None else (_following(city, city.following), regularly("past", lambda: _past(city), 3600.0))),
        *(() if city.stores.alone is None else (stay_alone(city.stores.alone),)),
        *(() if city.links is None else (regularly("renew", lambda: asyncio.to_thread(_renew, city), _RENEW),)),
    )


def _keeping(city: City, feeds: Feeds) -> tuple[Duty, ...]:
    """Of the process that owns the observations."""
    handed: tuple[Duty, ...] = ()
    if city.links is not None and city.taker is not None:
        handed = (
            take_readings(city.links.readings, city.taker),
            make_corrections(city.links.corrections, city.corrections, city.registry),
        )
    return (
        _fed(city, feeds),
        regularly("closing", lambda: tidy(city), 600.0),
        regularly("corrections", city.corrections.finish, 5.0),
        *handed,
    )


def _thinking(city: City) -> tuple[Duty, ...]:
    """Of the process that judges, figures and tidies."""
    derived, told, figured, noticed = Wake(), Wake(), Wake(), Wake()
    return (
        _relay(city, "recorded", derived),
        _relay(city, "outbox", told, figured, noticed),
        follow("derive", city.deriver.run_once, derived, pause=_COALESCE),
        city.watch.run(),
        follow("facts", threaded(lambda: _told(city)), told, pause=_GATHER),
        _figures(city, figured),
        follow("notices", threaded(city.notices.run_once), noticed, pause=_GATHER, rest=1.0),
        regularly("doubts", lambda: asyncio.to_thread(city.doubts.run_once), 2.0),
        regularly("bookings", lambda: asyncio.to_thread(city.bookings.lapse), 5.0),
        regularly("forecasts", lambda: asyncio.to_thread(_ahead, city), 5.0),
        regularly("erasing", lambda: asyncio.to_thread(city.reports.erase_due), 3600.0),
        regularly("photos", lambda: asyncio.to_thread(city.reports.clear_photos), 3600.0),
        regularly("forgetting", lambda: asyncio.to_thread(_forget, city), 3600.0),
    )


async def _following(city: City, following: observe.Following) -> None:
    """Keep the latest values as the process that owns the observations has them."""
    durable = Wake()
    await _both(_relay(city, "recorded", durable), follow("latest", following.run_once, durable, pause=_COALESCE))


async def _past(city: City) -> None:
    """Forget the latest values of days that the process which owns them has deleted."""
    for span in await asyncio.to_thread(city.retaining.spans):
        city.latest.forget(span.streams, span.before)


async def stay_alone(alone: Alone) -> None:
    """See that no other process does the same; where one does, for our connection was lost, this one ends.

    Not at the first sight of it: a database lets go of a connection that was lost a while after we have noticed.
    """
    others = 0
    while others < _SURE:
        await asyncio.sleep(_ALONE)
        try:
            await asyncio.to_thread(alone.hold)
        except BusyError:
            continue
        except ConflictError as error:
            others += 1
            log.warning("not_alone", times=others, error=str(error))
        else:
            others = 0
    signal.raise_signal(signal.SIGTERM)


async def _informed(city: City) -> None:
    """Hold the figures and the doubts that the worker has made, as soon as it says that there are others."""
    figured = Wake()
    held = follow("held", threaded(lambda: _held(city)), figured, pause=_GATHER)
    await _both(_relay(city, "figure", figured), held)


def _held(city: City) -> int:
    city.doubts.renew()
    if city.stores.worker is not None:
        try:
            figures, judged = msgspec.convert(
                (city.stores.worker.plain("figures"), city.stores.worker.plain("judged")), tuple[tuple[Figure, ...], observe.Judged]
            )
        except BusyError:
            # Without the worker the figures that were kept stand in the store; it is looked for again in a moment.
            return 0
        city.indicators.hold(figures)
        city.doubts.judged = judged
    return 0


def _renew(city: City) -> None:
    """See what other processes have entered: things and streams, what was said anew, limits, and how far the rules are."""
    city.registry.renew()
    city.featured.renew()
    city.limits.renew()
    city.corrections.renew()
    city.registry.worded.renew()
    if isinstance(city.behind, Lag):
        city.behind.look()


async def _both(*work: Coroutine[None, None, None]) -> None:
    async with asyncio.TaskGroup() as group:
        for one in work:
            group.create_task(one)


async def _relay(city: City, topic: str, *wakes: Wake) -> None:
    """Ring whenever the bus says something of a topic."""
    async for _ in city.bus.listen(topic, 1):
        for wake in wakes:
            wake.ring()


async def _fed(city: City, feeds: Feeds) -> None:
    """Tell those who subscribed at the broker what is durable."""
    durable = Wake()
    await _both(_relay(city, "recorded", durable), follow("feeds", feeds.run_once, durable, pause=_COALESCE, rest=_FED))


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
    """Close days and copy them to the archive, then delete what was kept long enough; where the disk is too full for closing, that is what makes room."""
    try:
        await asyncio.to_thread(_close, city)
    except StorageFullError as error:
        log.exception("days_not_closed", error=str(error))
    if city.settings.archive:
        try:
            await asyncio.to_thread(city.stores.mine.ship)
        except (BusyError, ConflictError, StorageFullError) as error:
            log.warning("days_not_shipped", error=str(error))
    past = await asyncio.to_thread(city.retaining.run_once)
    # On the loop, as the readings come in: a newer one is not forgotten with the old.
    for span in past:
        city.latest.forget(span.streams, span.before)
        await asyncio.to_thread(city.corrections.forget, span.streams, span.before)
        await asyncio.to_thread(city.featured.forget, span.streams, span.before)
    await city.unsaying.run_once(past)


def _close(city: City) -> None:
    before = midnight(local_date(Instant(city.clock.city() - _LATE_DAYS * DAY)))
    rows = city.stores.mine.close_days(before)
    if rows:
        log.info("days_closed", rows=rows)


def _forget(city: City) -> None:
    before = Instant(city.clock.city() - _OUTBOX_DAYS * DAY)
    dropped = city.stores.transactions.forget(before, (see.FactFeed.READER, act.Notices.READER))
    if dropped:
        log.info("events_forgotten", events=dropped)
