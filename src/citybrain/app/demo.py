"""The demo district: generated areas and offices, invented accounts, and real measurements replayed as if today, the rest simulated."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import structlog

from citybrain.app import clockwork, demo_bookings, demo_cases, demo_reports, district
from citybrain.app.city import City, datasets
from citybrain.app.parts import DemoNotes
from citybrain.app.replaying import Player, player, simulated
from citybrain.app.settings import Settings
from citybrain.app.walltime import wall
from citybrain.brain import exchange
from citybrain.kernel.access import ROLES
from citybrain.kernel.clock import Replay as Run
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant, duration, local_date
from citybrain.kernel.pack import Pack, Planted, Replay
from citybrain.kernel.text import Text
from citybrain.web.frame_views import Account

log = structlog.get_logger()

SEED = 120104
PASSWORD = "Chengqu-2026"  # noqa: S105 - the demo's one shared password, printed at the start and on its sign-in page
DEVICE = "device"
HISTORY_DAYS = 400
"""Days of history loaded at the first start: a year and a month, so that the same season is known."""
SIMULATED_DAYS = 28
"""Days of history that a simulated pack gets."""
LIVED_DAYS = 7
"""Days before the first start that are lived through hour by hour, so that alerts and cases have a past of their own."""
_GLANCE = 5 * MINUTE
"""City time between two looks into the source of a replay."""
NAME = Text("示意城区", "Demo district")


def clock(settings: Settings, packs: Sequence[Pack]) -> clockwork.HeldClock:
    """The replaying clock of a state folder, its anchor kept over restarts."""
    file = settings.folder / "replay.json"
    replays = tuple(pack.replay for pack in packs if pack.replay is not None)

    def ends(run: Run) -> Instant:
        found = (clockwork.source_end(replay.until, shift(replay, run)) for replay in replays)
        return min(found, default=Instant(run.anchor_city + 10_000 * DAY))

    running = clockwork.DemoClock(wall, clockwork.read_replay(file), ends, lambda run: clockwork.write_replay(file, run))
    return clockwork.HeldClock(running)


def shift(replay: Replay, run: Run) -> int:
    """Days from source time to city time, fixed by the day on which the replay was anchored."""
    return clockwork.shift_days(local_date(run.anchor_city), local_date(replay.since), local_date(replay.until))


def load(city: City, clock: clockwork.HeldClock, source: Path) -> DemoNotes:
    """Make the district where it does not stand yet, plant what the packs replay, load its history and live through its last week.

    Returns what the demo says of itself.
    """
    run = clock.replay
    if not city.areas.all():
        _found(city, source)
    stage = district.stage(city.areas.all())
    origins = []
    for pack, replay in _played(city.packs):
        origins.append(replay.origin)
        _plant(city, pack, replay.entities(stage))
    if any(pack.reports for pack in city.packs):
        origins.append(demo_reports.ORIGIN)
    if demo_bookings.sampled(city.packs):
        origins.append(demo_bookings.ORIGIN)
    origins.append(demo_cases.ORIGIN)
    city.catalogue.register_all(datasets(city.packs, city.origin))
    city.catalogue.link_all((*city.indicators.edges(), *exchange.declared(city.packs)))
    playing = players(city, run, source)
    lived = Instant(run.anchor_city - run.anchor_city % HOUR - LIVED_DAYS * DAY)
    if [one for one in playing if _load_history(city, one, lived)]:
        asyncio.run(_live(city, clock, playing, lived))
    return DemoNotes(Text("；".join(origin.zh for origin in origins), "; ".join(origin.en for origin in origins)), accounts())


def accounts() -> tuple[Account, ...]:
    """Who may sign in, for the sign-in page and the terminal: one account a role."""
    shown = (one for one in district.demo_accounts() if one.login in ROLES and one.role != "device")
    return tuple(Account(one.login, ROLES[one.role], PASSWORD) for one in shown)


def device_secret(city: City) -> str:
    """The demo device's secret: made at the first start and kept in the state folder, for whoever may read that."""
    file = city.settings.folder / "device.secret"
    if not file.exists():
        secret = city.accounts.devices.create("演示设备", DEVICE, ("*",))
        file.touch(0o600)
        file.write_text(secret, encoding="ascii")
    return file.read_text(encoding="ascii")


def players(city: City, run: Run, source: Path) -> tuple[Player, ...]:
    """One player for each pack that replays or simulates."""
    stage, numbers = district.stage(city.areas.all()), city.registry.stream_numbers()
    return tuple(
        player(
            pack,
            replay,
            source,
            shift(replay, run) if pack.replay is not None else 0,
            [entity.id for entity in replay.entities(stage)],
            numbers,
        )
        for pack, replay in _played(city.packs)
    )


async def feed(city: City, run: Run, source: Path) -> None:
    """Send, once a wall second, what the source holds for the city time that has passed, through the same intake as everybody."""
    playing = await asyncio.to_thread(players, city, run, source)
    fed: dict[str, Instant] = {}
    while True:
        fed = await catch_up(city, playing, fed)
        await asyncio.sleep(1.0)


async def catch_up(city: City, playing: Sequence[Player], fed: Mapping[str, Instant]) -> dict[str, Instant]:
    """Send what came since each pack was ``fed`` (at first: since its newest reading); returns up to when each is fed now."""
    return {
        one.pack.name: await _feed_once(city, one, fed[one.pack.name] if one.pack.name in fed else _fed_until(city, one))
        for one in playing
    }


async def _feed_once(city: City, one: Player, fed: Instant) -> Instant:
    now = city.clock.city()
    # What was measured need not lie on whole steps; a simulation is made a step at a time.
    step = duration(one.replay.every)
    until = Instant(now - now % (step if one.pack.replay is None else min(step, _GLANCE)) + 1)
    if until <= fed:
        return fed
    await _send(city, one, Instant(fed + 1), until)
    return Instant(until - 1)


async def _send(city: City, one: Player, since: Instant, until: Instant) -> None:
    await asyncio.to_thread(_fill, city, one, since, until)
    pieces = await asyncio.to_thread(lambda: tuple(one.measured(since, until)))
    for numbers, times, values in pieces:
        if len(times):
            await city.intake.take_columns(numbers, times, values, "replay", f"replay:{one.pack.name}:{times.min()}:{times.max()}")


def _fill(city: City, one: Player, since: Instant, until: Instant) -> None:
    """Hand in the forms that a simulation fills in [since, until); replays measure only."""
    forms = {} if one.pack.replay is not None else one.forms(since, until)
    if forms:
        planted = [each for each in one.replay.entities(district.stage(city.areas.all())) if each.id in forms]
        _plant(city, one.pack, planted, forms)


def _plant(
    city: City, pack: Pack, entities: Sequence[Planted], forms: Mapping[str, Mapping[str, float]] = MappingProxyType({})
) -> None:
    """Enter entities; what forms have stated of those that stand already stays, unless it is stated anew."""
    standing = {entity.id: entity.body for kind in pack.kinds for entity in city.registry.entities(kind.name)}
    whole = [replace(each, body={**each.body, **standing.get(each.id, {}), **forms.get(each.id, {})}) for each in entities]
    city.registry.plant(whole, _source(pack), "generated" if pack.replay is None else "demo", city.clock.city())


def _played(packs: Sequence[Pack]) -> tuple[tuple[Pack, Replay], ...]:
    """The packs that the demo can play: real measurements, or else a simulation."""
    found = []
    for pack in packs:
        if pack.replay is not None:
            found.append((pack, pack.replay))
        elif pack.simulator is not None:
            found.append((pack, simulated(pack, pack.simulator, SEED)))
    return tuple(found)


def _fed_until(city: City, one: Player) -> Instant:
    """City time of the newest replayed reading; what was sent to the same streams by others in the future does not count."""
    numbers = [stream.no for stream in city.registry.streams() if stream.source == _source(one.pack)]
    now = city.clock.city()
    found = [reading.time for number in numbers if (reading := city.latest.of(number)) is not None and reading.time is not None]
    return max((time for time in found if time <= now), default=Instant(now - DAY))


async def _live(city: City, clock: clockwork.HeldClock, playing: Sequence[Player], since: Instant) -> None:
    """Live through the hours from an instant until now as they came: observed, derived, judged, told, with the city's clock held at each."""
    began, hour = clock.wall(), since
    while hour <= clock.replay.anchor_city:
        clock.hold(hour)
        for one in playing:
            # What was read since the hour before, for not every source reads on the hour.
            await _send(city, one, since if hour == since else Instant(hour - HOUR + 1), Instant(hour + 1))
        while await city.deriver.run_once():
            pass
        await asyncio.to_thread(city.watch.sweep)
        await asyncio.to_thread(demo_cases.work, city, clock.hold, hour)
        hour = Instant(hour + HOUR)
    await asyncio.to_thread(demo_bookings.play, city, clock.hold, since, clock.replay.anchor_city)
    await asyncio.to_thread(demo_reports.play, city, clock.hold, clock.replay.anchor_city)
    clock.hold(clock.replay.anchor_city)
    await asyncio.to_thread(demo_cases.instruct, city, clock.hold, clock.replay.anchor_city)
    clock.release()
    while await asyncio.to_thread(city.feed.run_once):
        pass
    log.info("week_lived", hours=(hour - since) // HOUR, seconds=(clock.wall() - began) / 1e6)


def _load_history(city: City, one: Player, until: Instant) -> int:
    """Bring the days before an instant straight into closed segments; returns the rows, 0 where they stood already."""
    days = HISTORY_DAYS if one.pack.replay is not None else SIMULATED_DAYS
    since = Instant(max(one.replay.since + one.delta, until - days * DAY))
    name = f"{one.pack.name}-{until}"
    stored = 0
    for number, (numbers, times, values) in enumerate(one.history(since, until)):
        rows = pa.table({"stream_no": numbers, "time": times, "value": values})
        stored += city.stores.mine.import_segment(f"{name}-{number}", rows, "import", city.clock.wall())
    if stored:
        city.latest.rebuild(city.stores.series)
        log.info("history_loaded", pack=one.pack.name, rows=stored)
    return stored


def _source(pack: Pack) -> str:
    return f"replay:{pack.name}"


def _found(city: City, source: Path) -> None:
    areas = district.demo_areas(district.read_shape(source / "district"), np.random.default_rng(SEED))
    city.areas.put(areas)
    for unit in district.demo_units(areas):
        city.units.put(unit)
    for one in district.demo_accounts():
        if one.role != "device":
            city.accounts.create(one.name.zh, one.login, PASSWORD, (one.role,), one.unit)
