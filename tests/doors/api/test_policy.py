"""No route without an action, and every route answers every role exactly as policy says."""

import re

import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from citybrain.brain.protect import ACTIONS
from citybrain.doors.api.caller import at_best
from citybrain.kernel.access import ANYONE, ROLES, Caller, Role
from tests.doors.conftest import World

Call = tuple[str, str, str, str]


def calls(world: World) -> list[Call]:
    """Method, path with its parameters filled, action and dataset of every registered route."""
    found: list[Call] = []
    for route in world.app.routes:
        assert isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items():
            if method == "OPTIONS":
                continue
            assert isinstance(handler, HTTPRouteHandler)
            action = handler.opt.get("action")
            assert action in ACTIONS, f"{method} {route.path_format} has no action of policy"
            found.append((str(method), re.sub(r"{[^}]+}", "none", route.path_format), str(action), str(handler.opt["of"])))
    return found


def test_every_route_names_an_action_of_policy(world: World) -> None:
    assert len(calls(world)) > 40


@pytest.mark.thorough
@pytest.mark.parametrize("role", [None, *ROLES])
async def test_every_route_answers_every_role_as_policy_says(world: World, role: Role | None) -> None:
    unit = "water" if role == "handler" else None
    caller = ANYONE if role is None else Caller("x", "", frozenset({role}), unit)
    async with world.client(role) as client:
        for method, path, action, of in calls(world):
            if (method, path) in {("DELETE", "/api/v1/protect/session"), ("GET", "/api/v1/see/live")}:
                continue
            answer = await client.request(method, path)
            allowed = world.parts.policy.decide(at_best(world.parts, caller, action, of, "")).allowed
            denied = (
                (answer.status_code, answer.json().get("action")) in {(401, action), (403, action)} if answer.is_error else False
            )
            assert denied is not allowed, (method, path, action, role, answer.status_code, answer.text)
            assert answer.status_code < 500, (method, path, answer.text)


async def test_a_refusal_says_who_may_not_what_and_stands_in_the_trail(world: World) -> None:
    async with world.client() as anyone, world.client("citizen") as citizen:
        nobody = await anyone.get("/api/v1/act/cases")
        assert (nobody.status_code, nobody.json()["code"]) == (401, "sign_in_needed")
        known = await citizen.get("/api/v1/observe/doors")
        assert (known.status_code, known.json()["code"], known.json()["policies"]) == (403, "forbidden", ["default-deny"])
    async with world.client("auditor") as auditor:
        rows = (await auditor.get("/api/v1/protect/audit?allowed=false")).json()["items"]
    assert [row["action"] for row in rows] == ["door.read", "case.read"]
