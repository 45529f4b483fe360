"""The small city of the doors with SensorThings on it, and three readings of its wells."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from httpx import AsyncClient
from litestar import Litestar
from litestar.types import ASGIApp

from citybrain.app import problems
from citybrain.app.shortcut import Shortcut
from citybrain.brain.observe import AreaBook, Featured, Making
from citybrain.doors import api, sensorthings
from citybrain.kernel.access import Role
from citybrain.kernel.pack import Planted
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import By, Field, Kind
from tests.doors import conftest as doors
from tests.doors.conftest import NOW, World, basic

ROOT = "/sta/v1.1"
WIND = Field("wind", Text("风速", "Wind"), By.SENSOR, "m/s", every="PT10M", silent_after="PT1H")
GUST = Field("gust", Text("阵风", "Gust"), By.SENSOR, "m/s", every="PT10M", silent_after="PT1H")
BEARING = Field("bearing", Text("风向", "Bearing"), By.SENSOR, "deg", every="PT10M", silent_after="PT1H")
MAST = Kind("mast", Text("测风塔", "Mast"), (WIND, GUST, BEARING), "environment")
READINGS = (
    ("well-1.level", "06:50", 10.0),
    ("well-1.level", "06:55", 11.0),
    ("well-1.level", "06:59", 12.5),
    ("well-2.salt", "06:58", 3.0),
)

STANDING: Any = doors.Standing()


def parts_of(world: World) -> sensorthings.SensorThingsParts:
    """What the door is handed in this world."""
    return sensorthings.SensorThingsParts(
        guard=world.parts.guard,
        accounts=world.parts.accounts,
        registry=world.parts.registry,
        making=Making(world.parts.registry, AreaBook(world.transactions), world.clock),
        intake=world.parts.intake,
        featured=Featured(world.transactions),
        featuring=asyncio.Lock(),
        corrections=world.parts.corrections,
        series=world.series,
        clock=world.clock,
        admit=api.gate(doors.STANDING),
        purpose=api.purpose,
    )


def on(world: World) -> World:
    """The world with the door on its application."""
    parts = parts_of(world)
    doors.STANDING.parts, STANDING.parts = world.parts, parts
    app = _application()
    return replace(world, build=lambda: app, front=before(world, app))


def before(world: World, whole: ASGIApp) -> Shortcut:
    """The short way before the routes, as the world is served."""
    ways = (api.Bulk(world.parts, api.Metrics(world.parts)), sensorthings.Singles(STANDING.parts))
    return Shortcut(whole, world.parts.accounts, api.may(world.parts), ways)


@cache
def _application() -> Litestar:
    return Litestar(
        [*api.routes(doors.STANDING, api.Metrics(doors.STANDING)), *sensorthings.routes(STANDING)],
        exception_handlers=problems.handlers(),
    )


@dataclass(frozen=True)
class Desk:
    """Somebody who asks."""

    client: AsyncClient

    async def get(self, path: str, **words: str) -> dict[str, Any]:
        """The answer under a path of the door."""
        answer = await self.client.get(ROOT + path, params={name.replace("_", "$", 1): text for name, text in words.items()})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ids(self, path: str, **words: str) -> list[str]:
        """The ids of a set."""
        value = (await self.get(path, **words))["value"]
        assert isinstance(value, list)
        return [each["@iot.id"] for each in value]

    async def refused(self, path: str, **words: str) -> tuple[int, str]:
        """Status and message of a refusal."""
        answer = await self.client.get(ROOT + path, params={name.replace("_", "$", 1): text for name, text in words.items()})
        assert answer.json()["code"] == answer.status_code
        return answer.status_code, answer.json()["message"]


@pytest.fixture
def sta(world: World) -> World:
    """The city with SensorThings."""
    return on(world)


@pytest.fixture
def masts(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> World:
    """The city with SensorThings and two masts in it, whose three fields come every ten minutes."""
    return planted(monkeypatch, request, MAST, *((f"mast-{n}", f"塔{n}") for n in (1, 2)))


def planted(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, kind: Kind, *things: tuple[str, str]) -> World:
    """The city with SensorThings, and things of one more kind in it, each with its id and title."""
    monkeypatch.setattr(doors, "PACK", replace(doors.PACK, kinds=(*doors.PACK.kinds, kind)))
    world: World = request.getfixturevalue("world")
    listed = [Planted(key, kind.name, same(title), Place(117.1, 39.06), "120104", {}) for key, title in things]
    world.parts.registry.plant(listed, "test", "demo", NOW)
    return on(world)


@asynccontextmanager
async def desk(world: World, role: Role | None = "dispatcher") -> AsyncIterator[Desk]:
    """Somebody with a role."""
    async with world.client(role) as client:
        yield Desk(client)


async def fill(world: World) -> None:
    """Send the readings."""
    secret = world.parts.accounts.devices.create("全部", "all", ["well-*"])
    rows = [{"stream": stream, "time": f"2026-11-22T{at}:00Z", "value": value} for stream, at, value in READINGS]
    async with world.client("device") as device:
        device.auth = ("all", secret)
        device.headers.pop("Authorization")
        answer = await device.post("/api/v1/observe/observations", json=rows)
    assert answer.json()["stored"] == 4, answer.text


def entrusted(world: World, device: AsyncClient, *streams: str) -> None:
    """Sign a client in as a device that may write these streams alone."""
    device.headers["Authorization"] = basic("mast", world.parts.accounts.devices.create("塔", "mast", list(streams)))
