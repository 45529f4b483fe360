"""Rules on what forms state: asked when an entity is entered or changed, and about everything after a start."""

from dataclasses import replace

import pytest

from citybrain.kernel.alerts import Grade
from citybrain.kernel.text import Text
from citybrain.sdk import By, Field, Kind, Pack, Place, Planted, Rule, same
from tests.brain import tiny
from tests.brain.detect.conftest import World

LAMPS = Pack(
    "lamps",
    Text("路灯", "Lamps"),
    "四-3",
    Text("测试用。", "For tests."),
    kinds=(
        Kind(
            "lamps",
            Text("路灯", "Lamps"),
            owner="water",
            place="point",
            fields=(
                Field("total", Text("数量", "Number"), By.FORM, unit="{count}"),
                Field("broken", Text("损坏", "Broken"), By.FORM, unit="{count}"),
            ),
        ),
    ),
    rules=(
        Rule(
            "many",
            on="lamps",
            when="broken > total * 0.1",
            because=Text("{title}损坏 {broken:.0f} 个", "{title}: {broken:.0f} broken"),
            basis=Text("测试标准", "Test standard"),
            grade=Grade.YELLOW,
            fires=({"total": 20, "broken": 3},),
            silent=({"total": 20, "broken": 2},),
            opens=tiny.OPENS,
        ),
    ),
)
BOTH = (tiny.PACK, LAMPS)


@pytest.fixture
def lit(world: World) -> World:
    """A world whose register knows lamps too."""
    return world.knowing(BOTH)


def fill(world: World, broken: float | None, name: str = "l1") -> None:
    """Hand in the form of a row of twenty lamps."""
    body = {"total": 20.0} if broken is None else {"total": 20.0, "broken": broken}
    lamps = Planted(name, "lamps", same(f"路灯{name}"), Place(117.15, 39.1), "", body)
    world.registry.plant((lamps,), "form", "demo", world.clock.city())


def test_a_form_sets_an_alert_off_and_its_correction_clears_it(lit: World) -> None:
    watch = lit.watch(BOTH)
    fill(lit, 3.0)
    watch.sweep()
    alert = lit.alerts.open()[0]
    assert (alert.rule, alert.entity, alert.because.zh, alert.evidence) == ("lamps.many", "l1", "路灯l1损坏 3 个", ())
    assert alert.case == "case-1"
    lit.at(5)
    fill(lit, 1.0)
    watch.sweep()
    assert lit.alerts.open() == ()
    assert lit.told()[0].cleared == lit.clock.city()


def test_a_form_that_nobody_changed_is_asked_once(lit: World) -> None:
    watch = lit.watch(BOTH)
    fill(lit, 3.0)
    for minute in range(1, 4):
        lit.at(minute)
        fill(lit, 3.0)
        watch.sweep()
    assert len(lit.told()) == 1


def test_a_form_handed_in_while_the_program_was_down_is_asked_about_at_the_start(lit: World) -> None:
    fill(lit, None)
    lit.watch(BOTH).sweep()
    fill(lit, 3.0)
    watch = lit.watch(BOTH)
    watch.sweep()
    assert [alert.entity for alert in lit.alerts.open()] == ["l1"]
    again = lit.watch(BOTH)
    again.sweep()
    assert len(lit.told()) == 1


async def test_a_changed_capacity_counts_for_the_reading_that_stands(lit: World) -> None:
    """The flow of 95 is far under a capacity of 200; with 100 it is over nine tenths, and lasts five minutes from the change."""
    pump = replace(tiny.pumps(1)[0], body={"capacity": 200.0})
    lit.registry.plant((pump,), "test", "demo", lit.clock.city())
    watch = lit.watch(BOTH)
    await lit.send(("p1.flow", 0, 95.0))
    watch.sweep()
    lit.at(1)
    lit.registry.plant((replace(pump, body={"capacity": 100.0}),), "test", "demo", lit.clock.city())
    watch.sweep()
    assert lit.told() == []
    lit.at(6)
    watch.sweep()
    assert [alert.rule for alert in lit.alerts.open()] == ["pumps.long"]


async def test_a_failed_commit_asks_the_form_again(lit: World, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = lit.watch(BOTH)
    fill(lit, 3.0)

    def fails(*_: object, **__: object) -> None:
        raise ConnectionAbortedError

    with monkeypatch.context() as broken:
        broken.setattr("citybrain.brain.detect.alerts.Changes.write", fails)
        with pytest.raises(ConnectionAbortedError):
            watch.sweep()
    watch.sweep()
    assert [alert.entity for alert in lit.alerts.open()] == ["l1"]
