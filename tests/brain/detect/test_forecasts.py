"""Forecasts: fitted once a day, issued each hour, held against what came."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from bench.program import free_port
from citybrain.brain.detect import Forecasts, datasets, sources
from citybrain.engines.flight import Calls, RemoteSeries
from citybrain.kernel.access import Query
from citybrain.kernel.datasets import ForecastPoint, Reliability, Skill
from citybrain.kernel.errors import BusyError
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.pack import Forecast, History
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import same
from tests.brain import tiny
from tests.brain.detect.conftest import START, World


@dataclass(frozen=True)
class Steady:
    """The next three hours are as the last one was, plus what it has learnt to add."""

    version: str
    extra: float

    def predict(self, history: History, entity: int, at: Instant) -> tuple[ForecastPoint, ...]:
        level = float(history.fields["level"][-1, entity])
        if np.isnan(level):
            return ()
        mean = level + self.extra
        return tuple(ForecastPoint(Instant(at + hour * HOUR), mean, mean - 1, mean + 1) for hour in range(3))

    def reliability(self) -> tuple[Reliability, ...]:
        return ()

    def skill(self) -> tuple[Skill, ...]:
        return (Skill(1, 0.5, 0.7, 0.8, "model", 24),)


fits: list[int] = []


def fit(history: History, at: Instant) -> Steady:
    fits.append(len(history.times))
    return Steady(f"steady-{at // DAY}", 0.5)


STEADY = Forecast("steady", same("steady"), "pump", "level", ("flow",), fit, same("persistence"))
PACK = replace(tiny.PACK, forecasts=(STEADY,))


@pytest.fixture
def forecasts(world: World) -> Forecasts:
    fits.clear()
    book = Forecasts(world.transactions, world.series, world.registry, world.clock)
    book.register((PACK,))
    return book


async def test_each_hour_is_issued_once_from_complete_hours_with_one_fit_a_day(world: World, forecasts: Forecasts) -> None:
    await world.send(("p1.level", -150, 2.0), ("p1.level", -30, 4.0), ("p1.level", -20, 6.0), ("p1.level", 0, 9.0))
    assert (forecasts.run_once(), forecasts.run_once()) == (1, 0)
    issue = forecasts.latest("p1.level")
    assert issue is not None
    assert (issue.issued, issue.origin, issue.model) == (START, "demo", f"steady-{START // DAY}")
    assert [(point.time, point.mean) for point in issue.points] == [(START + hour * HOUR, 5.5) for hour in range(3)]
    assert issue.skill[0].error == 0.5
    world.at(60)
    assert forecasts.run_once() == 1
    assert fits == [3]
    assert forecasts.latest("p2.level") is None
    assert (forecasts.algorithms()[0].version, forecasts.algorithms()[0].skill[0].cases) == (issue.model, 24)


async def test_past_forecasts_are_held_against_what_came(world: World, forecasts: Forecasts) -> None:
    await world.send(("p1.level", -30, 5.0))
    forecasts.run_once()
    await world.send(("p1.level", 30, 6.0), ("p1.level", 90, 8.0))
    world.at(125)
    came = forecasts.errors(world.registry.stream("p1.level"), START)
    assert [(each.horizon, each.error, each.covered, each.cases) for each in came] == [(1, 0.5, 1.0, 1), (2, 2.5, 0.0, 1)]


async def test_an_hour_with_a_fault_of_the_instrument_is_a_gap(world: World, forecasts: Forecasts) -> None:
    await world.send(("p1.level", -30, 5.0), ("p1.level", -20, 99.0))
    assert forecasts.run_once() == 0


async def test_an_algorithm_that_fails_leaves_the_others_alone(world: World, forecasts: Forecasts) -> None:
    def broken(_: History, __: Instant) -> Steady:
        raise ZeroDivisionError

    forecasts.register((replace(PACK, forecasts=(replace(STEADY, name="broken", fit=broken, field="flow"),)),))
    await world.send(("p1.level", -30, 5.0), ("p1.flow", -30, 5.0))
    assert forecasts.run_once() == 1


async def test_what_cannot_be_forecast_is_tried_once_an_hour(world: World, forecasts: Forecasts) -> None:
    await world.send(("p1.level", -30, 5.0), ("p1.level", -20, 99.0))
    assert (forecasts.run_once(), forecasts.run_once()) == (0, 0)
    assert len(fits) == 1
    await world.send(("p1.level", 30, 6.0))
    world.at(60)
    assert (forecasts.run_once(), forecasts.run_once()) == (1, 0)


async def test_an_hour_in_which_the_observations_are_away_is_issued_when_they_are_back(world: World, forecasts: Forecasts) -> None:
    await world.send(("p1.level", -30, 5.0))
    calls = Calls(f"grpc://127.0.0.1:{free_port()}", "s")
    away = Forecasts(world.transactions, RemoteSeries(calls), world.registry, world.clock)
    away.register((PACK,))
    with pytest.raises(BusyError):
        away.run_once()
    calls.close()
    assert forecasts.run_once() == 1


async def test_alerts_and_forecasts_are_datasets_with_their_columns(world: World, forecasts: Forecasts) -> None:
    await world.send(("p1.level", -5, 9.0))
    await world.send(("p1.level", -1, 9.0), ("p2.level", 0, 9.0))
    await world.send(("p1.level", 1, 9.5))
    world.watch().run_once()
    forecasts.run_once()
    served = sources(world.transactions)
    shelved = {dataset.name: dataset for dataset in datasets((PACK,))}
    for name, dataset in shelved.items():
        assert set(served[name](Query(name)).rows[0]) == {column.name for column in dataset.columns}
    rows = served["alert"](Query("alert", Compare("entity", "eq", "p2"))).rows
    assert [(row["state"], row["grade"], row["case"], row["told"]) for row in rows] == [
        ("open", 2, "case-2", "2026-11-22T07:01:00Z")
    ]
