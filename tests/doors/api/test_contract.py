"""The OpenAPI document holds: whatever a generated request says, the answer is one of those that stand there, and never a 500."""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.doors.conftest import World

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_generated_requests_are_answered_as_the_document_says(world: World) -> None:
    async def prepared() -> tuple[dict[str, Any], dict[str, str]]:
        async with world.client("dispatcher") as desk:
            return (await desk.get("/api/openapi.json")).json(), {
                "Authorization": f"Bearer {desk.cookies['session']}",
            }

    document, headers = asyncio.run(prepared())
    # The live stream has no end, and whoever signs out gets no further answers.
    document["paths"].pop("/api/v1/see/live")
    document["paths"]["/api/v1/protect/session"].pop("delete")
    schema = schemathesis.openapi.from_dict(document)
    schema.app = world.app
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(
            max_examples=6,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(operation.as_strategy()))
        def answers(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        answers()
