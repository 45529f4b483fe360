"""A feature deleted with the Observations about it: each is struck out with a record, whole or not at all, by who may do both."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from httpx import AsyncClient

from citybrain.brain.observe import About, Act, Correction, Making, read_rows
from citybrain.doors.sensorthings import SensorThingsParts, unobserving
from citybrain.doors.sensorthings.sending import Sender
from citybrain.kernel.access import Role
from citybrain.kernel.errors import StaleError, StorageFullError
from citybrain.kernel.instant import parse
from citybrain.kernel.text import same
from tests.doors.conftest import PASSWORD, World
from tests.doors.sensorthings.conftest import ROOT, STANDING, Desk, fill
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_correcting import corrections, trail
from tests.doors.sensorthings.test_featuring import POND, SPRING, made, reading, results
from tests.doors.sensorthings.test_making import posted, said
from tests.doors.sensorthings.test_together import of_group, status

AT = "/FeaturesOfInterest('pond')"
LEVELS = "/Datastreams('well-1.level')/Observations"


@asynccontextmanager
async def steward(world: World) -> AsyncIterator[AsyncClient]:
    """Somebody who may both change entities and correct readings."""
    async with world.client() as client:
        world.parts.accounts.create("管理和数据", "steward", PASSWORD, ["admin", "data_officer"], None)
        answer = await client.post("/api/v1/protect/session", json={"login": "steward", "password": PASSWORD})
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        yield client


async def observed(world: World, *minutes: int, about: str = "pond") -> list[str]:
    """Observations about a feature, each of its own minute; their addresses."""
    async with world.client("device") as device:
        return [await posted(device, "/Observations", reading(minute, float(minute), about=about)) for minute in minutes]


async def test_its_observations_go_with_it_and_no_others(sta: World) -> None:
    await fill(sta)
    await made(sta, POND, SPRING)
    one, two = await observed(sta, 51, 53)
    await observed(sta, 52, about="spring")
    async with steward(sta) as client:
        answer = await client.delete(ROOT + AT, headers={"X-Purpose": "duplicate"})
        assert answer.status_code == 200, answer.text
        for gone in (AT, one, two, f"{AT}/Observations"):
            assert (await client.get(ROOT + gone)).status_code == 404
        assert sorted(await results(client, LEVELS)) == [10.0, 11.0, 12.5, 52.0]
        assert await results(client, "/FeaturesOfInterest('spring')/Observations") == [52.0]
        assert (await client.delete(ROOT + AT)).status_code == 404
    first, second = sorted(corrections(sta), key=lambda found: found.change.since)
    assert [(found.change.strikes, found.rows, found.state) for found in (first, second)] == [(True, 1, "standing")] * 2
    assert first.why.startswith("duplicate · 经 SensorThings 随观测对象“pond”删除")
    assert [row["resource"] for row in await trail(sta)] == ["stream:well-1.level"]


async def test_readings_that_follow_one_another_are_one_correction_and_come_back_with_it(sta: World) -> None:
    await made(sta)
    at = (await observed(sta, 51, 52, 53))[0]
    async with steward(sta) as client:
        assert (await client.delete(ROOT + AT)).status_code == 200
        (found,) = corrections(sta)
        assert found.rows == 3
        back = await client.post(
            f"/api/v1/observe/streams/well-1.level/corrections/{found.no}/end", json={"why": "这些读数原来没有错"}
        )
        assert back.status_code == 201, back.text
        assert await results(client, LEVELS) == [53.0, 52.0, 51.0]
        # The feature is there no more, and each Observation has one: that of its own Thing.
        assert (await said(client, f"{at}/FeatureOfInterest"))["@iot.id"] == "well-1"
        everyone = Desk(client)
        (first, *_) = (await everyone.get(LEVELS, _expand="FeatureOfInterest"))["value"]
        assert first["FeatureOfInterest"]["@iot.id"] == "well-1"


@pytest.mark.parametrize("role", ["admin", "data_officer"])
async def test_who_may_do_but_one_of_both_changes_nothing(sta: World, role: Role) -> None:
    await made(sta)
    (at,) = await observed(sta, 51)
    async with sta.client(role) as client:
        answer = await client.delete(ROOT + AT)
        assert answer.status_code == 403, answer.text
        assert role == "data_officer" or "may not correct 'well-1.level'" in answer.json()["message"]
        async with sta.client("dispatcher") as reader:
            assert (await said(reader, f"{at}/FeatureOfInterest"))["@iot.id"] == "pond"
    assert corrections(sta) == ()


async def test_what_was_struck_out_before_holds_no_feature(sta: World) -> None:
    await made(sta)
    (at,) = await observed(sta, 51)
    async with sta.client("data_officer") as officer:
        assert (await officer.delete(ROOT + at)).status_code == 200
    async with sta.client("admin") as admin:
        assert (await admin.delete(ROOT + AT)).status_code == 200
        assert (await admin.get(ROOT + AT)).status_code == 404


@pytest.mark.parametrize(("name", "most"), [("MOST", 1), ("SPANS", 1)])
async def test_more_than_one_act_holds_is_refused_whole(sta: World, monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
    await made(sta, POND, SPRING)
    await observed(sta, 51, 53)
    await observed(sta, 52, about="spring")
    monkeypatch.setattr(unobserving, name, most)
    async with steward(sta) as client:
        answer = await client.delete(ROOT + AT)
        assert (answer.status_code, "Too many Observations" in answer.json()["message"]) == (409, True)
        assert await results(client, f"{AT}/Observations") == [53.0, 51.0]
    assert corrections(sta) == ()


async def test_pages_of_observations_go_in_one_act(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await made(sta)
    await observed(sta, 51, 52, 53, 54, 55)
    monkeypatch.setattr(unobserving, "_PAGE", 2)
    async with steward(sta) as client:
        assert (await client.delete(ROOT + AT)).status_code == 200
        assert await results(client, LEVELS) == []
    assert [found.rows for found in corrections(sta)] == [1, 2, 2]


async def test_in_a_change_set_a_feature_with_observations_is_kept_with_the_reason(sta: World) -> None:
    await made(sta, POND, SPRING)
    await observed(sta, 51)
    async with steward(sta) as client:
        ends = [{"method": "delete", "url": f"FeaturesOfInterest('{name}')"} for name in ("spring", "pond")]
        answers = await sent(client, *of_group(*ends))
        assert status(answers) == [424, 409]
        assert "delete it by itself" in answers[1]["body"]["message"]
        assert await results(client, f"{AT}/Observations") == [51.0]
        assert status(await sent(client, *of_group(ends[0]))) == [200]


async def test_one_that_comes_in_meanwhile_goes_too(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await made(sta)
    await observed(sta, 51)
    acts = sta.parts.corrections.acts
    later = iter((52, 53))

    async def beside(listed: Sequence[Act], by: str) -> tuple[tuple[Correction, ...], ...]:
        """Another observation is stored between the look and the end."""
        done = await acts(listed, by)
        for minute in later:
            await observed(sta, minute)
            break
        return done

    monkeypatch.setattr(sta.parts.corrections, "acts", beside)
    async with steward(sta) as client:
        assert (await client.delete(ROOT + AT)).status_code == 200
        assert await results(client, LEVELS) == []
        assert (await client.get(ROOT + AT)).status_code == 404


@pytest.mark.parametrize("which", ["a reading between two of them", "another feature of one of them"])
async def test_what_is_about_something_else_by_then_stays(sta: World, monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    await made(sta, POND, SPRING)
    first, _ = await observed(sta, 51, 53)
    wanted, loop = unobserving._wanted, asyncio.get_running_loop()
    row = b'[{"stream": "well-1.level", "time": "2026-11-22T06:52:00Z", "value": 52}]'

    async def other() -> None:
        """Somebody else is first."""
        if which.startswith("a reading"):
            await sta.parts.intake.take(read_rows(row), "test", None)
            return
        async with sta.client("data_officer") as officer:
            assert (await officer.put(f"{ROOT}{first}/FeatureOfInterest/$ref", json={"@iot.id": "spring"})).status_code == 200

    def late(parts: SensorThingsParts, sender: Sender, feature: str) -> object:
        """What is to be done, worked out just before that."""
        monkeypatch.setattr(unobserving, "_wanted", wanted)
        found = wanted(parts, sender, feature)
        asyncio.run_coroutine_threadsafe(other(), loop).result()
        return found

    monkeypatch.setattr(unobserving, "_wanted", late)
    async with steward(sta) as client:
        assert (await client.delete(ROOT + AT)).status_code == 200
        assert await results(client, LEVELS) == ([52.0] if which.startswith("a reading") else [51.0])
        assert (await client.get(ROOT + AT)).status_code == 404


async def test_a_reading_that_comes_between_two_looks_is_not_struck_out(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await made(sta)
    await observed(sta, 51, 53)
    spans, loop = unobserving.spans, asyncio.get_running_loop()
    row = b'[{"stream": "well-1.level", "time": "2026-11-22T06:52:00Z", "value": 52}]'

    def late(parts: SensorThingsParts, feature: str) -> Iterator[unobserving.Span]:
        """The spans, before the readings in them are looked at."""
        monkeypatch.setattr(unobserving, "spans", spans)
        yield from spans(parts, feature)
        asyncio.run_coroutine_threadsafe(sta.parts.intake.take(read_rows(row), "test", None), loop).result()

    monkeypatch.setattr(unobserving, "spans", late)
    async with steward(sta) as client:
        assert (await client.delete(ROOT + AT)).status_code == 200
        assert await results(client, LEVELS) == [52.0]


async def test_a_feature_to_which_they_keep_coming_stays(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await made(sta)
    featured, end, number = STANDING.parts.featured, Making.end_feature, sta.parts.registry.stream("well-1.level").no
    minutes = iter(range(10, 60))

    def later(self: Making, feature: str, known: int) -> None:
        """An observation about it comes after the look, each time."""
        featured.keep([About(number, parse(f"2026-11-22T06:{next(minutes)}:00Z"), feature)])
        end(self, feature, known)

    monkeypatch.setattr(Making, "end_feature", later)
    async with sta.client("admin") as client:
        answer = await client.delete(ROOT + AT)
        assert (answer.status_code, "keep coming in" in answer.json()["message"]) == (409, True)
        assert (await said(client, AT))["name"] == "Pond"


async def test_a_break_in_between_leaves_what_a_second_try_finds(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a kill does: the Observations are struck out, each on record, and the feature is there still."""
    await made(sta)
    await observed(sta, 51, 52)
    with monkeypatch.context() as broken:
        broken.setattr(Making, "end_feature", _full)
        async with steward(sta) as client:
            assert (await client.delete(ROOT + AT)).status_code == 507
            assert await results(client, f"{AT}/Observations") == []
            broken.undo()
            assert [(one.rows, one.state) for one in corrections(sta)] == [(2, "standing")]
            assert (await client.delete(ROOT + AT)).status_code == 200
            assert (await client.get(ROOT + AT)).status_code == 404
    assert len(corrections(sta)) == 1


def _full(*_: object) -> None:
    raise StorageFullError(same("The store is full."))


@pytest.mark.parametrize(("raised", "code"), [(StaleError, 412), (StorageFullError, 507)])
async def test_what_cannot_be_struck_out_leaves_the_feature(
    sta: World, monkeypatch: pytest.MonkeyPatch, raised: type[StaleError | StorageFullError], code: int
) -> None:
    await made(sta)
    await observed(sta, 51)

    async def refused(*_: object) -> None:
        raise raised(same("refused"))

    monkeypatch.setattr(sta.parts.corrections, "acts", refused)
    async with steward(sta) as client:
        assert (await client.delete(ROOT + AT)).status_code == code
        assert await results(client, f"{AT}/Observations") == [51.0]
