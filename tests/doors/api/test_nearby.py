"""Nearest and signs over HTTP: what is near and known, a dash where nobody knows, and a clear answer to bad input."""

import pytest
from sqlalchemy import insert

from citybrain.brain.detect.store import FORECAST, issue_row
from citybrain.kernel.datasets import ForecastIssue, ForecastPoint, Reliability, Skill
from citybrain.kernel.instant import HOUR, Instant, rfc3339
from citybrain.kernel.text import same
from tests.doors.conftest import NOW, World

NEAR = "/api/v1/observe/nearby/wells"
THERE = f"{NEAR}?lon=117.1&lat=39.061"


async def send(world: World, value: float) -> None:
    async with world.client("device") as device:
        rows = [{"stream": "well-1.level", "time": rfc3339(NOW), "value": value}]
        assert (await device.post("/api/v1/observe/observations", json=rows)).status_code == 200


def foresee(world: World) -> None:
    """A forecast of the first well from the last whole hour on, and how its chances have held."""
    hour = Instant(NOW // HOUR * HOUR)
    points = tuple(ForecastPoint(Instant(hour + ahead * HOUR), 9.0, 8.0, 10.0, chance=0.75 - ahead / 4) for ahead in range(3))
    held = (Reliability(0.5, 0.75, 0.62, 0.6, 80),)
    skill = (Skill(1, 1.0, 2.0, 0.8, "model", 10),)
    issue = ForecastIssue("well-1.level", hour, "m", points, skill, same("-"), "demo", held)
    with world.transactions.begin() as tx:
        tx.connection.execute(insert(FORECAST), [issue_row(issue)])


async def test_the_nearest_say_how_far_what_is_free_and_the_chance_on_arrival(world: World) -> None:
    await send(world, 12.0)
    foresee(world)
    async with world.client("leader") as client:
        answer = await client.get(f"{THERE}&at={rfc3339(Instant(NOW + HOUR))}")
        first, second = answer.json()["items"]
        assert (first["id"], first["metres"], first["minutes"], first["free"], first["life"]) == ("well-1", 140, 3, 12, "live")
        assert first["chance"] == 0.5
        assert (second["id"], second["free"], second["life"], second["chance"]) == ("well-2", None, "never", None)
        assert answer.json()["reliability"] == [{"low": 0.5, "high": 0.75, "said": 0.62, "came": 0.6, "cases": 80}]
        soon = (await client.get(f"{THERE}&limit=1")).json()
        assert [one["chance"] for one in soon["items"]] == [0.75]
        far = (await client.get(f"{THERE}&at={rfc3339(Instant(NOW + 30 * HOUR))}")).json()
        assert [one["chance"] for one in far["items"]] == [None, None]


async def test_a_sign_shows_a_number_the_word_for_full_or_a_dash_with_its_reason(world: World) -> None:
    async with world.client("leader") as client:
        await send(world, 0.0)
        first, second = (await client.get(f"{NEAR}/signs")).json()["items"]
        assert (first["show"]["zh"], first["free"], first["life"], first["why"]) == ("已满", 0, "live", None)
        assert (second["show"]["zh"], second["free"], second["life"], second["why"]["zh"]) == ("—", None, "never", "从未上报")
        world.clock.set(Instant(NOW + 24 * HOUR))
        silent = (await client.get(f"{NEAR}/signs")).json()["items"][0]
        assert (silent["show"]["zh"], silent["free"], silent["life"]) == ("—", None, "late")


async def test_what_can_be_looked_for_is_listed(world: World) -> None:
    async with world.client() as nobody:
        assert (await nobody.get("/api/v1/observe/nearby")).json() == {"wells": {"zh": "找井", "en": "Find a well"}}


@pytest.mark.parametrize(
    ("address", "status", "what"),
    [
        (f"{NEAR}", 400, "lon"),
        (f"{NEAR}?lon=117.1", 400, "lat"),
        (f"{NEAR}?lon=217.1&lat=39", 400, "lon"),
        (f"{NEAR}?lon=nan&lat=39", 400, "lon"),
        (f"{THERE}&limit=0", 400, "limit"),
        (f"{THERE}&limit=21", 400, "limit"),
        (f"{THERE}&at=tomorrow", 400, "at"),
        (f"{THERE}&where=here", 400, "where"),
    ],
)
async def test_a_wrong_address_names_the_word_that_is_wrong(world: World, address: str, status: int, what: str) -> None:
    async with world.client("leader") as client:
        answer = await client.get(address)
    assert (answer.status_code, answer.json()["parameter"]) == (status, what)


async def test_everybody_may_look_where_the_kind_is_open_and_a_strange_name_is_not_found(world: World) -> None:
    async with world.client() as nobody:
        assert [(await nobody.get(address)).status_code for address in (THERE, f"{NEAR}/signs")] == [200, 200]
        strange = await nobody.get("/api/v1/observe/nearby/wolves?lon=117.1&lat=39")
    assert (strange.status_code, strange.json()["code"]) == (404, "not_found")
    assert "wells" in strange.json()["detail"]
