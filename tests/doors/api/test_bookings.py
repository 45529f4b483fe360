"""Offers and bookings over HTTP: for oneself, by the owner, with the version that was seen, and never twice."""

import asyncio
import dataclasses
from collections import Counter

import pytest
from httpx import AsyncClient, Response

from citybrain.brain.act import Bookings, Offers, Terms, Units
from citybrain.kernel.instant import MINUTE, Instant, parse, rfc3339
from citybrain.kernel.parties import Unit
from citybrain.kernel.text import same
from tests.brain.act.booking_world import PACK, at, hall
from tests.doors.conftest import World, native

OFFERS, BOOKINGS = "/api/v1/act/offers", "/api/v1/act/bookings"
OFFERING = {
    "entity": "hall-1",
    "units": 3,
    "since": rfc3339(at(0)),
    "until": rfc3339(at(24 * 10)),
    "price": 500,
    "words": "限小型车",
}


@pytest.fixture
def courts(world: World) -> World:
    """The same city with halls of courts that handlers of ``water`` own (they answer for sports too)."""
    units = Units(world.transactions)
    units.put(Unit("water", same("水务"), ("water", "environment", "sports"), None))
    offers = Offers(world.transactions, Terms((PACK,), hall, units, world.clock), world.clock, "demo")
    parts = dataclasses.replace(world.parts, offers=offers, bookings=Bookings(world.transactions, offers, world.clock))
    return dataclasses.replace(world, parts=parts, build=lambda: native(parts))


def wish(offer: str, begins: float = 0, ends: float = 1, units: int = 1) -> dict[str, object]:
    return {"offer": offer, "begins": rfc3339(at(begins)), "ends": rfc3339(at(ends)), "units": units}


async def published(owner: AsyncClient) -> str:
    answer = await owner.post(OFFERS, json=OFFERING, headers={"Idempotency-Key": "o"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def version(answer: Response) -> dict[str, str]:
    return {"If-Match": answer.headers["etag"]}


@pytest.mark.thorough
async def test_two_hundred_requests_at_once_for_three_units_are_three_times_taken(courts: World) -> None:
    async with courts.client("handler") as owner, courts.client("citizen") as citizen:
        offer = await published(owner)
        asked = (citizen.post(BOOKINGS, json=wish(offer), headers={"Idempotency-Key": str(n)}) for n in range(200))
        answers = await asyncio.gather(*asked)
        again = await citizen.get(f"{OFFERS}/{offer}/free?since={rfc3339(at(0))}&until={rfc3339(at(2))}")
    assert Counter((answer.status_code, answer.json().get("code") == "full") for answer in answers) == {
        (201, False): 3,
        (409, True): 197,
    }
    assert [slot["free"] for slot in again.json()["items"]] == [0, 0, 3, 3]


async def test_a_booking_is_made_shown_arrived_at_and_left_with_the_version_that_was_seen(courts: World) -> None:
    async with courts.client("handler") as owner, courts.client("citizen") as citizen:
        offer = await published(owner)
        made = await citizen.post(BOOKINGS, json=wish(offer, 0, 2, 2), headers={"Idempotency-Key": "b"})
        again = await citizen.post(BOOKINGS, json=wish(offer, 0, 2, 2), headers={"Idempotency-Key": "b"})
        assert (made.status_code, made.json()["price"], made.json()["moves"]) == (201, 2000, ["cancel"])
        assert again.json() == made.json()
        place = made.headers["location"]
        assert len(made.json()["code"]) == 6
        without = await citizen.post(f"{place}/moves", json={"move": "cancel"})
        assert (without.status_code, without.json()["code"]) == (428, "needs_version")
        stale = await citizen.post(f"{place}/moves", json={"move": "cancel"}, headers={"If-Match": '"9"'})
        assert (stale.status_code, stale.json()["code"]) == (412, "stale")
        courts.clock.set(at(0), courts.clock.wall())
        seen = await citizen.get(place)
        here = await citizen.post(f"{place}/moves", json={"move": "arrive"}, headers=version(seen))
        gone = await citizen.post(f"{place}/moves", json={"move": "leave"}, headers=version(here))
        assert [answer.json()["state"] for answer in (seen, here, gone)] == ["booked", "arrived", "done"]
        assert [ticket["state"] for ticket in (await citizen.get(BOOKINGS)).json()["items"]] == ["done"]


@pytest.mark.parametrize(
    ("span", "status", "code"),
    [
        ((0, 1, 4), 409, "full"),
        ((-2, -1, 1), 422, "in_the_past"),
        ((0.2, 1, 1), 422, "outside_hours"),
        ((24 * 11, 24 * 11 + 1, 1), 422, "outside_hours"),
    ],
)
async def test_a_refusal_says_why_by_its_code(courts: World, span: tuple[float, float, int], status: int, code: str) -> None:
    async with courts.client("handler") as owner, courts.client("citizen") as citizen:
        answer = await citizen.post(BOOKINGS, json=wish(await published(owner), *span))
    assert (answer.status_code, answer.json()["code"], answer.headers["content-type"]) == (status, code, "application/problem+json")


async def test_what_is_unknown_or_malformed_is_told(courts: World) -> None:
    async with courts.client("citizen") as citizen:
        assert (await citizen.post(BOOKINGS, json=wish("none"))).json()["code"] == "not_found"
        bad = await citizen.post(BOOKINGS, json={**wish("none"), "begins": "tomorrow"})
        assert (bad.status_code, bad.json()["field"]) == (400, "begins")
        assert (await citizen.get(f"{OFFERS}/none/free")).status_code == 404


async def test_too_many_no_shows_are_a_problem_with_its_end_and_an_appeal_that_the_owner_decides(courts: World) -> None:
    async with courts.client("handler") as owner, courts.client("citizen") as citizen:
        offer = await published(owner)
        for hours in (0, 2):
            assert (await citizen.post(BOOKINGS, json=wish(offer, hours, hours + 1))).status_code == 201
            courts.clock.set(Instant(at(hours) + 15 * MINUTE), courts.clock.wall())
            courts.parts.bookings.lapse()
        refused = await citizen.post(BOOKINGS, json=wish(offer, 48, 49))
        assert (refused.status_code, refused.json()["code"], refused.json()["no_shows"]) == (409, "too_many_no_shows", 2)
        assert parse(refused.json()["until"]) > courts.clock.city()
        latest = (await citizen.get(BOOKINGS)).json()["items"][0]
        place, seen = f"{BOOKINGS}/{latest['id']}", {"If-Match": f'"{latest["version"]}"'}
        asked = await citizen.post(f"{place}/moves", json={"move": "appeal", "words": "车坏在路上"}, headers=seen)
        assert (asked.status_code, asked.json()["appeal"]) == (200, "asked")
        own = await citizen.post(f"{place}/appeal", json={"move": "excuse"}, headers=version(asked))
        assert own.status_code == 403
        decided = await owner.post(f"{place}/appeal", json={"move": "excuse"}, headers=version(asked))
        assert (decided.status_code, decided.json()["appeal"]) == (200, "excused")
        assert (await citizen.post(BOOKINGS, json=wish(offer, 48, 49))).status_code == 201


async def test_the_owner_sees_spans_and_codes_and_not_who_booked_and_others_see_nothing(courts: World) -> None:
    async with courts.client("handler") as owner, courts.client("citizen") as citizen, courts.client("dispatcher") as other:
        offer = await published(owner)
        made = (await citizen.post(BOOKINGS, json=wish(offer))).json()
        account = next(one.id for one in courts.parts.accounts.all() if one.login == "citizen")
        held = (await owner.get(f"{BOOKINGS}/held")).json()
        assert [row["code"] for row in held["items"]] == [made["code"]]
        assert held["masked"] == ["account"]
        assert account not in str(held)
        assert (await other.get(f"{BOOKINGS}/held")).json()["items"] == []
        assert (await other.get(f"{BOOKINGS}/{made['id']}")).status_code == 404
        assert (await owner.post(BOOKINGS, json=wish(offer))).status_code == 403
        assert account not in (await citizen.get(f"{OFFERS}/{offer}")).text


async def test_only_the_owner_publishes_and_withdraws_and_the_withdrawal_is_told(courts: World) -> None:
    async with courts.client("handler") as owner, courts.client("citizen") as citizen, courts.client() as anyone:
        offer = await published(owner)
        assert (await citizen.post(OFFERS, json=OFFERING)).status_code == 403
        assert (await owner.post(OFFERS, json={**OFFERING, "entity": "hall-2"})).status_code == 403
        assert (await anyone.get(f"{OFFERS}/{offer}")).json()["units"] == 3
        made = (await citizen.post(BOOKINGS, json=wish(offer, 48, 49))).json()
        url = f"{OFFERS}/{offer}/withdrawal"
        assert (await citizen.post(url, json={"why": "x"}, headers={"If-Match": '"1"'})).status_code == 403
        assert (await owner.post(url, json={"why": "维修"})).status_code == 428
        withdrawn = await owner.post(url, json={"why": "维修"}, headers={"If-Match": '"1"'})
        assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn")
        gone = (await citizen.get(f"{BOOKINGS}/{made['id']}")).json()
        assert (gone["state"], gone["words"]) == ("cancelled", "业主撤回：维修")
        assert (await citizen.post(BOOKINGS, json=wish(offer))).json()["code"] == "outside_hours"
