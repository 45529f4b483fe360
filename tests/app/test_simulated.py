"""A pack without real data in the demo: its simulation is played, and what forms state becomes alerts and cases there."""

import asyncio
import importlib.util
import shutil
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from citybrain.app import demo
from citybrain.app.city import City, build
from citybrain.app.clockwork import HeldClock
from citybrain.app.new_pack import new_pack
from citybrain.app.replaying import Player
from citybrain.app.settings import Settings
from citybrain.app.stores import opened
from citybrain.app.walltime import wall
from citybrain.kernel.clock import Replay
from citybrain.kernel.instant import DAY, HOUR, Instant, parse
from citybrain.kernel.pack import Pack

TREE = Path(__file__).parents[2]
AFTERNOON = parse("2026-11-22T15:00:00+08:00")


@pytest.fixture(scope="module")
def lamps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    """What ``citybrain new pack services/livelihood/lamps`` writes, loaded as a program would."""
    tree = tmp_path_factory.mktemp("tree")
    (tree / "src" / "citybrain" / "services" / "livelihood").mkdir(parents=True)
    (tree / "tests").mkdir()
    shutil.copy(TREE / "pyproject.toml", tree)
    new_pack(tree, "services/livelihood/lamps")
    place = tree / "src" / "citybrain" / "services" / "livelihood" / "lamps" / "__init__.py"
    spec = importlib.util.spec_from_file_location("written_lamps", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["written_lamps"] = module
    spec.loader.exec_module(module)
    yield module.PACK
    del sys.modules["written_lamps"]


@pytest.fixture(scope="module")
def lit(tmp_path_factory: pytest.TempPathFactory, lamps: Pack) -> Iterator[tuple[City, HeldClock]]:
    """The demo with that pack alone, at three in the afternoon of its first day."""
    state = tmp_path_factory.mktemp("demo")
    settings = Settings(state=str(state), district="990104", district_name=demo.NAME, case_prefix="YS", low_water=0)
    (state / "replay.json").write_bytes(msgspec.json.encode(Replay(wall(), AFTERNOON, 1.0)))
    with opened(settings, upgrade=True) as stores:
        clock = demo.clock(settings, (lamps,))
        city = build(settings, stores, (lamps,), clock, "demo")
        demo.load(city, clock, TREE / "data")
        yield city, clock


def feed_once(city: City, clock: HeldClock) -> None:
    """The first round of what the running demo does every second."""
    asyncio.run(demo.catch_up(city, demo.players(city, clock.replay, TREE / "data"), {}))


@pytest.mark.timeout(120)
def test_the_form_of_many_broken_lamps_becomes_an_alert_with_a_case_marked_as_generated(lit: tuple[City, HeldClock]) -> None:
    city, clock = lit
    feed_once(city, clock)
    city.watch.sweep()
    with city.stores.transactions.read() as connection:
        cases = connection.exec_driver_sql('SELECT matter, origin FROM "case"').all()
    assert [(one.matter, one.origin) for one in cases] == [("lamps_broken", "generated")]


def test_what_forms_stated_is_kept_when_the_demo_starts_again(lit: tuple[City, HeldClock]) -> None:
    city, clock = lit
    feed_once(city, clock)
    before = {entity.id: dict(entity.body) for entity in city.registry.entities("lamps")}
    demo.load(city, clock, TREE / "data")
    assert {entity.id: dict(entity.body) for entity in city.registry.entities("lamps")} == before


def test_a_simulated_day_is_the_same_at_every_start_and_differs_from_the_next(lit: tuple[City, HeldClock]) -> None:
    city, clock = lit
    today = parse("2026-11-22T00:00:00+08:00")

    def drawn(player: Player, day: int) -> list[dict[str, Mapping[str, float]]]:
        hours = [Instant(today + day * DAY + hour * HOUR) for hour in range(25)]
        return [dict(player.forms(since, until)) for since, until in pairwise(hours)]

    one, other = (demo.players(city, clock.replay, TREE)[0] for _ in range(2))
    assert drawn(one, 0) == drawn(other, 0)
    assert len([form for form in drawn(one, 0) if form]) == len([form for form in drawn(one, 1) if form]) == 12
    assert drawn(one, 0) != drawn(one, 1)
