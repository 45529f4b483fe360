"""The portal: what is offered can be opened by whoever it is offered to."""

import pytest

from citybrain.kernel.access import Role
from tests.doors.pages.conftest import World


@pytest.mark.parametrize(("role", "offered"), [(None, False), ("leader", True)])
async def test_the_way_to_a_definition_is_offered_to_whom_may_go_it(*, world: World, role: Role | None, offered: bool) -> None:
    async with world.client(role) as client:
        answer = await client.get("/")

    assert answer.status_code == 200
    assert ('href="/figures/' in answer.text) is offered


async def test_a_real_district_does_not_say_that_its_readings_are_those_of_the_demonstration(world: World) -> None:
    async with world.client() as client:
        zh, en = (await client.get("/")).text, (await client.get("/?lang=en")).text

    assert "UCI" not in zh
    assert "本区登记的监测点实时上报" in zh
    assert "reported by the stations that this district has registered" in en
