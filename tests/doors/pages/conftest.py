"""A whole city behind the pages: the air pack over real stores, one foul station, one case, one account a role."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import shapely
from httpx import ASGITransport, AsyncClient
from litestar import Litestar

from citybrain.app import asgi
from citybrain.app.city import City, build, datasets
from citybrain.app.packs import installed
from citybrain.app.settings import Settings
from citybrain.app.stores import opened
from citybrain.kernel.access import ROLES, Caller, Query, Role
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import HOUR, parse
from citybrain.kernel.pack import Pack, Planted
from citybrain.kernel.parties import Unit
from citybrain.kernel.places import Area, Place
from citybrain.kernel.text import Text, same

NOW = parse("2026-11-22T07:00:00Z")
PASSWORD = "Nine-willows-by-the-weir-7"
FOUL = {"pm25": 187.5, "pm10": 210.0, "so2": 9.0, "no2": 41.0, "co": 1.1, "o3": 24.0}


@dataclass(frozen=True)
class World:
    """The city, its application, and the number of the case that lasting pollution opened."""

    city: City
    app: Litestar
    number: str
    alert: str
    tokens: dict[str, str] = field(default_factory=dict)
    """Sessions by role: hashing a password is slow on purpose, so it is done once for each."""

    @asynccontextmanager
    async def client(self, role: Role | None = None) -> AsyncIterator[AsyncClient]:
        """A browser of a role, signed in; or of nobody."""
        # httpx and Litestar spell the types of ASGI differently.
        transport = ASGITransport(self.app)  # type: ignore[arg-type]  # see above
        async with AsyncClient(transport=transport, base_url="http://city", headers={"Accept": "text/html"}) as client:
            if role is not None and role != "device":
                if role not in self.tokens:
                    self.tokens[role] = self.city.accounts.sign_in(role, PASSWORD)
                client.cookies.set("session", self.tokens[role])
            yield client


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of the city after its two foul hours, made once: the tests of each module begin with a copy."""
    folder = tmp_path_factory.mktemp("pages")
    with opened_as(folder, installed()) as city:
        _furnish(city)
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, furnished: Path) -> Iterator[World]:
    with opened_as(Path(shutil.copytree(furnished, tmp_path_factory.mktemp("pages") / "var")), installed()) as city:
        yield behind_pages(city)


def behind_pages(city: City) -> World:
    """A furnished city with its application."""
    case = city.guard.reader(city_leader()).read(Query("case")).rows[0]
    alert = str(case["cause"]).partition(":")[2]
    return World(city, asgi.application(city), str(case["number"]), alert)


@contextmanager
def opened_as(folder: Path, packs: Sequence[Pack]) -> Iterator[City]:
    """The city over the stores of a folder, as packs declare it."""
    settings = Settings(
        state=str(folder),
        district="990104",
        district_name=Text("示意城区", "Demo district"),
        case_prefix="YS",
        low_water=0,
        frame_ancestors=("https://portal.example",),
    )
    with opened(settings, upgrade=True) as stores:
        yield build(settings, stores, packs, FixedClock(NOW), "demo")


def city_leader() -> Caller:
    """Somebody who may read every case."""
    return Caller("leader", "", frozenset({"leader"}))


def _furnish(city: City) -> None:
    outline = shapely.to_wkb(shapely.box(117, 39, 117.3, 39.2))
    city.areas.put((Area("990104", "district", same("示意"), None, outline, "generated"),))
    city.areas.put((Area("990104001", "subdistrict", Text("一街道", "First Subdistrict"), "990104", outline, "generated"),))
    city.units.put(Unit("unit-environment", Text("环境示范科", "Environment Office"), ("environment",), "990104"))
    city.units.put(Unit("unit-roads", Text("道路示范科", "Roads Office"), ("roads", "city_management"), "990104"))
    city.registry.plant(
        (Planted("air-01", "air_station", same("示范站"), Place(117.15, 39.1), "990104001", {}),), "test", "demo", NOW
    )
    city.catalogue.register_all(datasets(city.packs, city.origin))
    for role in ROLES:
        if role != "device":
            city.accounts.create(f"王䶮{ROLES[role].zh}", role, PASSWORD, [role], "unit-environment" if role == "handler" else None)
    asyncio.run(_pollute(city))


async def _pollute(city: City) -> None:
    """Two foul hours, derived, judged, told and counted."""
    numbers = [city.registry.stream(f"air-01.{field}").no for field in FOUL]
    for hours in (2, 1, 0):
        times = np.full(len(numbers), NOW - hours * HOUR, np.int64)
        await city.intake.take_columns(np.array(numbers, np.int32), times, np.array(list(FOUL.values())), "mqtt", None)
    while await city.deriver.run_once():
        pass
    city.watch.sweep()
    while city.feed.run_once():
        pass
    city.indicators.run_once()
