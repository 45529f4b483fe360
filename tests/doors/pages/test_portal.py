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
