"""The watch: alerts by event time, behind a durable cursor, with their cases."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from structlog.testing import capture_logs

from bench.program import free_port
from citybrain.brain.detect import Watch
from citybrain.brain.detect import watch as watching
from citybrain.brain.detect.rulebook import Rulebook
from citybrain.brain.observe import AreaBook, Registry
from citybrain.engines.flight import Answers, Calls, RemoteSeries, series_answers
from citybrain.kernel.alerts import Grade
from citybrain.kernel.instant import MINUTE
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import Life
from tests.brain import tiny
from tests.brain.detect.conftest import START, World


async def test_a_rule_fires_with_words_evidence_and_a_case_and_clears_itself(world: World) -> None:
    watch = world.watch()
    await world.send(("p1.level", 0, 5.0), ("p2.level", 0, 5.5))
    assert watch.run_once() == 2
    alert = world.alerts.open()[0]
    assert (alert.rule, alert.entity, alert.grade, alert.began) == ("pumps.high", "p2", Grade.ORANGE, START)
    assert alert.because == Text("泵站2水位 5.5 米，超过 5 米", "泵站2: level 5.5 m, over 5 m")
    assert [(seen.stream, seen.time, seen.value, seen.unit) for seen in alert.evidence] == [("p2.level", START, 5.5, "m")]
    assert (alert.case, alert.origin) == ("case-1", "demo")
    request = world.cases.requests[f"alert:pumps.high:p2:{START}"]
    assert (request.cause, request.entity, request.matter) == (f"alert:{alert.id}", "p2", "pump_high")
    await world.send(("p2.level", 1, 5.0))
    watch.run_once()
    assert world.alerts.open() == ()
    assert world.alerts.alert(alert.id).cleared == START + MINUTE
    names = [event.type for _, event in world.transactions.events_after(0, 9)]
    assert names == ["citybrain.detect.alert.told.v1", "citybrain.detect.alert.cleared.v1"]


async def test_what_is_struck_out_is_as_if_it_had_never_come_before_a_start_and_after(world: World) -> None:
    watch = world.watch()
    await world.send(("p1.level", -2, 5.0), ("p1.flow", 0, 95.0))
    await world.send(("p1.level", -1, 9.0))
    watch.run_once()
    assert [alert.rule for alert in world.alerts.open()] == ["pumps.high"]
    no = np.array([world.registry.stream("p1.level").no, world.registry.stream("p1.flow").no], np.int32)
    times = np.array([START - MINUTE, START], np.int64)
    await world.intake.take_columns(no, times, np.array([np.inf, np.inf]), "struck", None)
    watch.run_once()
    assert world.alerts.open() == ()
    world.at(6)
    watch.sweep()
    again = world.watch()
    again.sweep()
    assert world.alerts.open() == (), "nothing of the flow has lasted"
    await world.send(("p1.level", 6, 9.0))
    again.run_once()
    assert [alert.rule for alert in world.alerts.open()] == ["pumps.high"]


async def test_an_exceedance_within_one_batch_is_told_though_it_is_over(world: World) -> None:
    await world.send(("p1.level", 0, 4.0), ("p1.level", 1, 9.0), ("p1.level", 2, 4.0))
    world.watch().run_once()
    alert = world.told()[0]
    assert (alert.state, alert.began, alert.cleared) == ("cleared", START + MINUTE, START + 2 * MINUTE)
    assert len(world.cases.requests) == 1


async def test_the_watch_looks_at_fewer_where_much_changes_and_at_more_where_nothing_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much is looked at together, every alert is told and cleared once, in its order."""
    monkeypatch.setattr(watching, "FEWEST", 1)
    monkeypatch.setattr(watching, "MOST", 4)
    monkeypatch.setattr(watching, "CHANGES", 1)
    for minute in range(12):
        await world.send(("p1.level", minute - 12, 9.0 if minute in (3, 4, 8, 9) else 1.0))
    watch = world.watch()
    looked = []
    while rows := watch.run_once():
        looked.append(rows)
    assert sum(looked) == 12
    assert looked[:3] == [1, 2, 4], "nothing changes at first"
    assert looked.count(2) > 1, "two changes in one look: the next is at half as many"
    spans = [((alert.began - START) // MINUTE, ((alert.cleared or 0) - START) // MINUTE) for alert in world.told()]
    assert spans == [(-9, -7), (-4, -2)]


async def test_a_condition_must_last_by_event_time_and_clears_by_its_own_condition(world: World) -> None:
    watch = world.watch()
    await world.send(*(("p1.flow", minute, 95.0) for minute in range(5)))
    watch.run_once()
    assert world.told() == []
    watch = world.watch()  # a restart in between
    await world.send(("p1.flow", 5, 95.0))
    watch.run_once()
    assert [(alert.rule, alert.began) for alert in world.alerts.open()] == [("pumps.long", START)]
    await world.send(("p1.flow", 6, 60.0))
    watch.run_once()
    assert len(world.alerts.open()) == 1
    await world.send(("p1.flow", 7, 40.0))
    watch.run_once()
    assert world.alerts.open() == ()


async def test_a_dip_begins_the_lasting_anew(world: World) -> None:
    await world.send(*(("p1.flow", minute, 95.0 if minute != 3 else 50.0) for minute in range(8)))
    world.watch().run_once()
    assert world.told() == []


async def test_time_alone_brings_a_lasting_condition_about_while_its_feed_lives(world: World) -> None:
    watch = world.watch()
    await world.send(("p1.flow", 0, 95.0))
    world.at(4)
    watch.sweep()
    assert world.told() == []
    world.at(6)
    watch.sweep()
    assert [alert.rule for alert in world.alerts.open()] == ["pumps.long"]


async def test_a_dead_feed_sets_nothing_off_and_clears_nothing(world: World) -> None:
    watch = world.watch()
    await world.send(("p1.level", 0, 9.0), ("p2.flow", 0, 95.0))
    watch.run_once()
    world.at(30)
    watch.sweep()
    rules = {(alert.rule, alert.entity) for alert in world.alerts.open()}
    assert ("pumps.high", "p1") in rules
    assert not any(rule == "pumps.long" for rule, _ in rules)


@pytest.mark.parametrize("value", [11.0, -1.0])
async def test_a_value_out_of_range_neither_fires_nor_clears(world: World, value: float) -> None:
    watch = world.watch()
    await world.send(("p1.level", 0, 9.0))
    await world.send(("p1.level", 1, value), ("p2.level", 1, 11.0))
    watch.run_once()
    assert [alert.entity for alert in world.alerts.open()] == ["p1"]


async def test_a_value_that_its_neighbours_contradict_sets_nothing_off_and_is_told_as_a_lost_feed(world: World) -> None:
    await world.send(("p1.level", 0, 3.0))
    watch = world.watch()
    level = world.registry.stream("p1.level").no
    world.latest.doubt(level, Life.CONTRADICTED, START, same("疑似单位错误"))
    watch.sweep()
    await world.send(("p1.level", 1, 9.0))
    world.at(1)
    watch.sweep()
    assert [(alert.rule, alert.state) for alert in world.told()] == [("house.feed_lost", "open")]
    assert "与他源矛盾" in world.told()[0].because.zh
    world.latest.clear(level)
    watch.sweep()
    await world.send(("p1.level", 2, 9.0))
    world.at(2)
    watch.sweep()
    assert [(alert.rule, alert.state) for alert in world.told()] == [("house.feed_lost", "cleared"), ("pumps.high", "open")]


async def test_old_readings_are_history_and_set_nothing_off(world: World) -> None:
    await world.send(("p1.level", -11, 9.0), ("p2.level", 0, 1.0))
    world.watch().run_once()
    assert world.told() == []


@pytest.mark.parametrize("dies", ["before", "after"])
async def test_a_kill_around_the_opening_of_a_case_loses_nothing_and_doubles_nothing(world: World, dies: str) -> None:
    watch = world.watch()
    world.cases.dies = dies
    await world.send(("p1.level", 0, 9.0))
    with pytest.raises(ConnectionAbortedError):
        watch.run_once()
    world.cases.dies = ""
    world.watch().run_once()
    assert [(alert.entity, alert.case) for alert in world.told()] == [("p1", "case-1")]
    assert len(world.cases.requests) == 1
    assert len(world.transactions.events_after(0, 9)) == 1
    world.watch().run_once()
    assert world.cases.asked == (1 if dies == "before" else 2)


async def test_a_kill_before_the_commit_repeats_the_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = world.watch()
    await world.send(("p1.level", 0, 9.0))

    def die(*_: object) -> None:
        raise ConnectionAbortedError

    with monkeypatch.context() as patch:
        patch.setattr(world.transactions, "advance", die)
        with pytest.raises(ConnectionAbortedError):
            watch.run_once()
    assert world.told() == []
    assert watch.run_once() == 1
    assert [alert.entity for alert in world.told()] == ["p1"]


async def test_a_restart_neither_repeats_nor_forgets_an_open_alert(world: World) -> None:
    await world.send(("p1.level", 0, 9.0))
    world.watch().run_once()
    watch = world.watch()
    await world.send(("p1.level", 1, 9.5))
    watch.run_once()
    assert len(world.told()) == 1
    await world.send(("p1.level", 2, 1.0))
    watch.run_once()
    assert world.told()[0].state == "cleared"


async def test_a_lost_feed_is_told_once_for_its_entity_and_cleared_when_it_returns(world: World) -> None:
    watch = world.watch()
    await world.send(("p1.level", 0, 1.0), ("p1.flow", 0, 1.0), ("p2.level", 0, 1.0))
    world.at(9)
    await world.send(("p2.level", 9, 1.1))
    world.at(11)
    watch.sweep()
    watch.sweep()
    alert = world.alerts.open()[0]
    assert (alert.rule, alert.entity, alert.grade, alert.case) == ("house.feed_lost", "p1", Grade.BLUE, None)
    assert alert.because.zh == "泵站1数据异常：水位数据中断、流量数据中断"
    assert world.cases.asked == 0
    await world.send(("p1.level", 12, 1.2), ("p1.flow", 12, 1.0))
    watch.sweep()
    assert [(each.entity, each.state) for each in world.told()] == [("p1", "cleared")]


async def test_a_feed_of_which_nothing_is_within_its_range_is_told_as_lost_until_something_is(world: World) -> None:
    watch = world.watch()
    await world.send(("p1.level", 0, 3.0), ("p2.level", 0, 3.0))
    for minute in range(1, 12):
        # A spike of p2 is among sound readings.
        await world.send(("p1.level", minute, 90.0 + minute), ("p2.level", minute, 90.0 if minute == 6 else 3.0))
        watch.sweep()
        assert bool(world.told()) is (minute == 11), minute
    (alert,) = world.told()
    assert (alert.rule, alert.entity, alert.began) == ("house.feed_lost", "p1", START + 1 * MINUTE)
    assert (alert.because.zh, alert.because.en) == (
        "泵站1数据异常：水位超出量程（101，量程 0 至 10）",
        "泵站1, feed lost: Level: out of range (101, range 0 to 10)",
    )
    assert [(one.stream, one.value) for one in alert.evidence] == [("p1.level", 101.0)]
    watch = world.watch()
    await world.send(("p1.level", 12, 99.0))
    watch.sweep()
    assert [one.state for one in world.told()] == ["open"]
    # Between two looks one reading is sound and the newest is not: it says something again.
    await world.send(("p1.level", 12.4, 4.0), ("p1.level", 12.6, 99.0))
    watch.sweep()
    assert [one.state for one in world.told()] == ["cleared"]


async def test_a_silent_feed_that_comes_back_out_of_range_stays_lost_and_a_first_reading_is_none(world: World) -> None:
    watch = world.watch()
    await world.send(("p1.level", 0, 3.0))
    world.at(11)
    watch.sweep()
    await world.send(("p1.level", 12, 99.0), ("p2.level", 12, 99.0))
    watch.sweep()
    assert [(one.entity, one.state) for one in world.told()] == [("p1", "open")]
    await world.send(("p1.level", 13, 3.0))
    watch.sweep()
    assert [(one.entity, one.state) for one in world.told()] == [("p1", "cleared")]


async def test_a_house_that_slept_does_not_blame_the_sensors(world: World) -> None:
    await world.send(("p1.level", 0, 1.0))
    world.at(600)
    watch = world.watch()
    watch.sweep()
    assert world.told() == []
    world.at(611)
    watch.sweep()
    assert [alert.rule for alert in world.told()] == ["house.feed_lost"]


async def test_a_pack_may_have_a_case_opened_for_a_lost_feed(world: World) -> None:
    own = replace(tiny.HIGH, name="feed_lost", grade=Grade.YELLOW, when="false")
    watch = world.watch((replace(tiny.PACK, rules=(own,)),))
    await world.send(("p1.level", 0, 1.0))
    world.at(11)
    watch.sweep()
    assert [(alert.grade, alert.case) for alert in world.told()] == [(Grade.YELLOW, "case-1")]


async def test_an_alert_whose_rule_is_gone_is_cleared_at_start(world: World) -> None:
    await world.send(("p1.level", 0, 9.0))
    world.watch().run_once()
    world.watch((replace(tiny.PACK, rules=(tiny.LONG,)),)).run_once()
    assert [alert.state for alert in world.told()] == ["cleared"]


async def test_entities_planted_while_it_runs_are_watched(world: World) -> None:
    watch = world.watch()
    world.registry.plant(tiny.pumps(3), "test", "demo", world.clock.city())
    await world.send(("p3.level", 0, 9.0))
    watch.run_once()
    assert [alert.entity for alert in world.told()] == ["p3"]


async def test_the_running_watch_is_woken_by_what_is_recorded(world: World) -> None:
    running = asyncio.create_task(world.watch().run())
    try:
        await asyncio.sleep(0.05)
        await world.send(("p1.level", 0, 9.0))
        async with asyncio.timeout(20):
            await asyncio.to_thread(_until, lambda: bool(world.alerts.open()))
    finally:
        running.cancel()
    assert [alert.entity for alert in world.told()] == ["p1"]


async def test_while_who_keeps_the_observations_is_away_that_is_said_once_and_once_when_it_is_back(world: World) -> None:
    address = f"grpc://127.0.0.1:{free_port()}"
    calls = Calls(address, "s")
    rules, store = Rulebook((tiny.PACK,), world.clock, world.limits.published), RemoteSeries(calls)
    watch = Watch(rules, world.transactions, store, world.registry, world.latest, world.cases, world.clock, world.bus)
    with capture_logs() as said:
        running = asyncio.create_task(watch.run(every=0.02))
        await asyncio.sleep(0.5)
        assert [one["event"] for one in said] == ["watch_waits"]
        with Answers(address, "s", series_answers(world.series, asyncio.get_running_loop())):
            await world.send(("p1.level", 0, 9.0))
            async with asyncio.timeout(20):
                await asyncio.to_thread(_until, lambda: bool(world.alerts.open()) and len(said) > 1)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    calls.close()
    assert [one["event"] for one in said] == ["watch_waits", "watch_goes_on"]
    assert address in said[0]["why"]


def _until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.02)


async def test_a_rule_fires_for_what_another_process_has_entered_a_moment_ago(world: World) -> None:
    here = Registry(world.transactions, (tiny.PACK,), AreaBook(world.transactions))
    watch = replace(world, registry=here).watch()
    watch.renewed_by(here.renew)
    world.registry.plant(tiny.pumps(3), "test", "demo", world.clock.city())
    await world.send(("p3.level", 0, 5.5))
    watch.run_once()
    assert [alert.entity for alert in world.alerts.open()] == ["p3"]
