"""The demo district: made once, marked everywhere, kept over restarts."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from litestar.testing import AsyncTestClient

from citybrain.app import asgi, demo, demo_bookings
from citybrain.app.city import City
from citybrain.app.clockwork import HeldClock
from citybrain.app.demo import PASSWORD
from citybrain.app.packs import installed
from citybrain.app.parts import DemoNotes
from citybrain.kernel.access import ROLES, Query
from citybrain.kernel.bookings import Span
from citybrain.kernel.instant import DAY, HOUR, Instant, local
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.things import Life
from tests.lived import DATA, SIX, copy, living

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, HeldClock, DemoNotes]]:
    """The demo on its first morning; one week of it is lived through."""
    with living(copy(tmp_path_factory.mktemp("demo"), SIX, 1.0)) as found:
        yield found


@pytest.fixture
def going_on(tmp_path: Path) -> Iterator[tuple[City, HeldClock, DemoNotes]]:
    """The same for a test that lets the city go on, whatever comes after it."""
    with living(copy(tmp_path, SIX, 1.0)) as found:
        yield found


def shown(city: City) -> None:
    """Every figure as of now; the running program rests a second of the wall between two of its turns, whichever test came before."""
    for one in city.indicators.all():
        city.indicators.compute(one.name)


def test_the_day_is_replayed_from_the_same_season_and_weekday(lived: tuple[City, HeldClock, DemoNotes]) -> None:
    _, clock, _ = lived
    air = next(pack.replay for pack in installed() if pack.replay is not None)
    days = demo.shift(air, clock.replay)
    source = local(Instant(SIX - days * DAY))
    assert days % 7 == 0
    assert abs((source.timetuple().tm_yday) - 326) <= 7


def test_every_subdistrict_has_its_station_but_the_last_and_everything_is_marked(lived: tuple[City, HeldClock, DemoNotes]) -> None:
    city, _, notes = lived
    stations = city.registry.entities("air_station")
    assert len(stations) == 11
    assert {station.origin for station in stations} == {"demo"}
    assert {stream.origin for stream in city.registry.streams()} == {"demo"}
    assert "UCI 501" in notes.origin.en


def test_a_year_and_a_month_of_history_stands_and_the_last_week_was_lived_through(
    lived: tuple[City, HeldClock, DemoNotes],
) -> None:
    city, clock, _ = lived
    doors = {door.door: door for door in city.stores.series.doors()}
    assert doors["import"].stored > 1_000_000
    assert doors["replay"].stored > 11 * 100
    assert doors["derived"].stored > 11 * 100
    assert city.watch.behind == 0
    told = city.stores.facts.query("SELECT min(time) AS first, max(time) AS last FROM alert_told", {}).to_pylist()[0]
    assert SIX - demo.LIVED_DAYS * DAY <= told["first"] <= told["last"] <= SIX
    assert clock.city() >= SIX


def test_the_newest_reading_of_a_station_is_of_this_hour(lived: tuple[City, HeldClock, DemoNotes]) -> None:
    city, _, _ = lived
    times = [reading.time for stream in city.registry.streams() if (reading := city.latest.of(stream.no)) is not None]
    assert max(times) == SIX
    number = city.registry.stream("air-01.pm25").no
    assert city.stores.series.scan(SeriesQuery((number,), Instant(SIX - HOUR), Instant(SIX + HOUR))).num_rows <= 2


def test_starting_again_brings_no_second_history_no_second_week_and_the_same_secret(
    lived: tuple[City, HeldClock, DemoNotes],
) -> None:
    city, clock, notes = lived
    secret = demo.device_secret(city)
    before = {door.door: door.received for door in city.stores.series.doors()}
    assert demo.load(city, clock, DATA) == notes
    assert {door.door: door.received for door in city.stores.series.doors()} == before
    assert demo.device_secret(city) == secret
    assert len(secret) > 30


def test_there_is_one_account_for_every_role_of_a_person(lived: tuple[City, HeldClock, DemoNotes]) -> None:
    city, _, notes = lived
    assert [account.name for account in notes.accounts] == [role for role in ROLES if role != "device"]
    for account in notes.accounts:
        caller = city.accounts.caller(city.accounts.sign_in(account.name, account.password))
        assert caller is not None
        assert caller.roles == {account.name}


def test_the_lots_are_closed_at_six_in_the_morning_which_is_neither_full_nor_empty(
    lived: tuple[City, HeldClock, DemoNotes],
) -> None:
    city, clock, notes = lived
    lots = city.registry.entities("parking_lot")
    assert len(lots) == 29
    assert local(clock.city()).hour < 8
    found = city.nearest.signs(city.nearest.declared()[0])
    assert {one.life for one in found} == {Life.CLOSED}
    assert {one.free for one in found} == {None}
    city.indicators.compute("parking_free")
    free = next(one for one in city.indicators.of("parking_free") if one.area is None)
    assert (free.value, free.unknown) == (None, 29)
    assert "UCI 482" in notes.origin.en


def test_a_lot_that_stayed_full_in_the_lived_week_opened_a_case_for_the_traffic_office(
    lived: tuple[City, HeldClock, DemoNotes],
) -> None:
    city, _, _ = lived
    rows = city.stores.facts.query("SELECT DISTINCT matter, unit, entity, cause FROM case_opened WHERE matter = 'lot_overflow'", {})
    cases = rows.to_pylist()
    assert cases
    for case in cases:
        office = city.units.responsible("traffic", city.registry.entity(case["entity"]).area)
        assert case["unit"] == office
        assert str(case["cause"]).startswith("alert:")


def test_owners_share_and_drivers_book_in_the_lived_week_and_the_gains_count_what_was_kept(
    lived: tuple[City, HeldClock, DemoNotes],
) -> None:
    city, _, notes = lived
    offers = city.offers.current("parking_lot")
    booked = [one for offer in offers for one in city.bookings.on(offer.id)]
    states = {one.state for one in booked}
    assert len(offers) == 9
    assert {"booked", "done", "no_show", "cancelled"} <= states
    assert {offer.origin for offer in offers} | {one.origin for one in booked} == {"demo"}
    assert all("模拟生成" in offer.words for offer in offers)
    assert "generated" in notes.origin.en
    for offer in offers:
        held = [
            Span(one.begins, one.ends, one.units) for one in city.bookings.on(offer.id) if one.state not in ("cancelled", "no_show")
        ]
        assert all(sum(span.units for span in held if span.begins <= at.begins < span.ends) <= offer.units for at in held)

    shown(city)
    figures = {one.indicator: one for one in city.indicators.figures() if one.area is None}
    kept = [one for one in booked if one.state in ("arrived", "done") and SIX - 7 * DAY < one.begins <= SIX]
    turnover = figures["parking_turnover_gained"]
    assert turnover.value == pytest.approx(sum(one.units for one in kept) / 7)
    assert turnover.origin == "demo"
    assert {row["booking"] for row in city.indicators.rows("parking_turnover_gained")} == {one.id for one in kept}
    assert (figures["parking_hours_released"].value or 0) > 0
    assert (figures["parking_berths_added"].value or 0) > 0


def test_what_drivers_do_goes_on_after_the_start_and_the_same_steps_again_change_nothing(
    lived: tuple[City, HeldClock, DemoNotes],
) -> None:
    city, clock, _ = lived
    drivers = demo_bookings.Drivers(city)
    ahead = demo_bookings.steps(city.packs, Instant(SIX + 1), Instant(SIX + DAY))
    assert {"book", "arrive", "leave"} <= {step.deed for step in ahead}
    try:
        counted = []
        for _ in range(2):
            for step in ahead:
                clock.hold(step.at)
                drivers.take(step)
            counted.append(
                {one.id: one.state for offer in city.offers.current("parking_lot") for one in city.bookings.on(offer.id)}
            )
        assert counted[0] == counted[1]
        assert {"arrived", "done"} <= set(counted[0].values())
    finally:
        clock.release()


def test_closings_were_rated_and_the_share_of_the_satisfied_says_of_how_many(lived: tuple[City, HeldClock, DemoNotes]) -> None:
    city, _, _ = lived
    shown(city)
    figures = {one.indicator: one for one in city.indicators.figures() if one.area is None}
    assert (figures["report_satisfaction"].value, figures["report_ratings"].value) == (75.0, 4.0)
    assert {row["grade"] for row in city.indicators.rows("report_satisfaction")} == {2, 3, 4, 5}


def test_most_of_what_alerts_opened_was_handled_in_time_and_some_was_not(lived: tuple[City, HeldClock, DemoNotes]) -> None:
    """The demo's own accounts did it, each step within the flow and marked as generated; a few cases wait for whoever looks."""
    city, _, notes = lived
    rows = [row for row in city.sources["case"](Query("case", limit=1000)).rows if str(row["cause"]).startswith("alert:")]
    done = [row for row in rows if row["closed"] is not None]
    in_time = [row for row in done if not row["overdue"]]
    assert len(rows) > len(done) > len(in_time) > len(rows) / 2
    for row in done:
        steps = [step for step in city.cases.steps(str(row["id"])) if step.move != "join"]
        assert [step.move for step in steps] == ["open", "take", "finish", "approve"]
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        assert any("模拟生成" in step.note for step in steps)
    assert "generated" in notes.origin.en


async def test_a_killed_feed_is_told_with_its_moment_and_totals_say_what_is_unknown(
    going_on: tuple[City, HeldClock, DemoNotes],
) -> None:
    """Journey 1 of the acceptance: four hours on, one station has sent nothing since six; nobody is shown its old value as today's."""
    city, clock, notes = going_on
    gone = [stream.no for stream in city.registry.streams_of("air-03")]
    now = Instant(SIX + 4 * HOUR)
    clock.hold(now)
    for one in demo.players(city, clock.replay, DATA):
        for numbers, times, values in one.measured(Instant(SIX + 1), now):
            fed = ~np.isin(numbers, gone)
            await city.intake.take_columns(numbers[fed], times[fed], values[fed], "replay", None)
    while await city.deriver.run_once():
        pass
    city.watch.sweep()
    shown(city)
    async with AsyncTestClient(asgi.application(city, notes), base_url="http://127.0.0.1") as client:
        portal = (await client.get("/")).text
        await client.post("/api/v1/protect/session", json={"login": "leader", "password": PASSWORD})
        cockpit = (await client.get("/cockpit")).text
    assert '<span class="unknown">+1不明</span>' in portal
    assert re.findall(r'<li id="place-(\d+)"><span>[^<]+</span><span class="missing">暂无数据（数据中断）</span></li>', portal) == [
        "990104003"
    ]
    assert portal.count("06:00起无数据") == 1
    assert "06:00起无有效数据" in cockpit
    assert re.search(r"\+\d+不明", cockpit)
    (alert,) = [alert for alert in city.alerts.open() if alert.rule == "house.feed_lost"]
    assert alert.entity == "air-03"
