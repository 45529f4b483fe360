"""The administration's page: dead streams are named to those who may see streams, and never passed off as calm to the others."""

import pytest

from citybrain.kernel.access import Role
from tests.doors.pages.conftest import World


@pytest.mark.parametrize(("role", "named"), [("admin", True), ("auditor", False)])
async def test_streams_that_never_reported_are_named_to_whom_may_see_streams(*, world: World, role: Role, named: bool) -> None:
    async with world.client(role) as client:
        answer = await client.get("/admin?lang=en")

    assert answer.status_code == 200
    assert ("air-01.temperature" in answer.text) is named
    assert ("Streams to look after" in answer.text) is named
    assert "All are live" not in answer.text
