"""The pack of *first pack in an hour*, as its reader has it at the end, in the demo: what the page says is seen there is seen."""

import asyncio
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from citybrain.app import asgi, demo
from citybrain.app.city import City, build
from citybrain.app.parts import DemoNotes
from citybrain.app.settings import Settings
from citybrain.app.stores import opened
from citybrain.app.walltime import wall
from citybrain.kernel.clock import Replay
from citybrain.kernel.instant import parse
from citybrain.kernel.pack import Pack
from citybrain.services import livelihood
from tests.docs import stages
from tests.docs.examples import TREE, plays

PAGE = "docs/tutorials/first-pack.md"
MORNING = parse("2026-11-22T07:30:00+08:00")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Lit:
    """The demo city with that pack alone, and what it says of itself."""

    city: City
    notes: DemoNotes

    async def page(self, path: str, role: str = "") -> str:
        """A page as HTML, as somebody of a role or as nobody sees it."""
        async with AsyncTestClient(asgi.application(self.city, self.notes), "http://city.local") as client:
            if role:
                client.cookies.set("session", self.city.accounts.sign_in(role, demo.PASSWORD))
            answer = await client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, answer.text[:500]
        return answer.text


@pytest.fixture(scope="module")
def lamps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    """The pack, made by doing what the page says; its checks are another test's."""
    stage = stages.tree(tmp_path_factory.mktemp("tree"))
    for one in next(acts for page, at, acts in plays() if (page, at) == (PAGE, "tree")):
        if one.verb != "output" and not one.text.startswith(".venv/bin/citybrain check"):
            stage.play(one)
    before = list(livelihood.__path__)
    livelihood.__path__.append(str(stage.folder / "src" / "citybrain" / "services" / "livelihood"))
    pack = importlib.import_module("citybrain.services.livelihood.lamps").PACK
    assert isinstance(pack, Pack)
    yield pack
    livelihood.__path__[:] = before
    for name in [name for name in sys.modules if name.startswith("citybrain.services.livelihood.lamps")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def lit(tmp_path_factory: pytest.TempPathFactory, lamps: Pack) -> Iterator[Lit]:
    """At half past seven of the demo's first day, fed, judged and counted once."""
    state = tmp_path_factory.mktemp("demo")
    settings = Settings(state=str(state), district="990104", district_name=demo.NAME, case_prefix="YS", low_water=0)
    (state / "replay.json").write_bytes(msgspec.json.encode(Replay(wall(), MORNING, 1.0)))
    with opened(settings, upgrade=True) as stores:
        clock = demo.clock(settings, (lamps,))
        city = build(settings, stores, (lamps,), clock, "demo")
        notes = demo.load(city, clock, TREE / "data")
        asyncio.run(demo.catch_up(city, demo.players(city, clock.replay, TREE / "data"), {}))
        city.watch.sweep()
        while city.feed.run_once():
            pass
        city.indicators.run_once()
        yield Lit(city, notes)


async def test_the_portal_shows_its_board_to_anybody_marked_as_demonstration(lit: Lit) -> None:
    page = await lit.page("/")
    assert 'id="topic-lamps"' in page
    assert "较多不亮" in page
    assert "演示数据" in page
    assert "灯箱自检（模拟生成）" in page


async def test_the_cockpit_shows_the_blue_alert_and_both_figures(lit: Lit) -> None:
    page = await lit.page("/cockpit", "leader")
    assert "路灯 04有 12% 不亮，已持续四小时" in page
    assert "路灯在办案件" in page
    assert "路灯不亮比例" in page


async def test_the_desk_has_the_case_that_the_form_opened(lit: Lit) -> None:
    assert "路灯损坏" in await lit.page("/desk", "dispatcher")


async def test_the_studio_tries_its_limit_and_the_catalogue_has_its_kind(lit: Lit) -> None:
    assert "/studio/lamps/lamps_dark" in await lit.page("/studio", "data_officer")
    limit = next(one for one in lit.city.limits.all() if one.key == "lamps.lamps_dark_above")
    assert (limit.value, limit.low, limit.high, limit.rules) == (4.0, 1.0, 20.0, ("lamps_dark",))
    assert "lamps" in await lit.page("/data", "data_officer")
