"""No route of the door without an action, and every route answers every role as policy says."""

import re

import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from citybrain.brain.protect import ACTIONS
from citybrain.doors.api.caller import action_of, at_best
from citybrain.doors.sensorthings import ROOT
from citybrain.kernel.access import ANYONE, ROLES, Caller, Role
from tests.doors.conftest import World

ONE = ("Observations('1.1')", "Datastreams('none')/Observations('it''s 1')")
ENDINGS = {"POST": ("Things", "Observations", "$batch"), "PATCH": ONE, "PUT": ONE, "DELETE": ONE}
"""What paths end with whose action is another one."""


def calls(world: World) -> list[tuple[str, str, str, str]]:
    """Method, path, action and dataset of every route of the door."""
    found = []
    for route in world.app.routes:
        if not isinstance(route, HTTPRoute) or not route.path_format.startswith(ROOT):
            continue
        for method, (handler, _) in route.route_handler_map.items():
            if method != "OPTIONS":
                assert isinstance(handler, HTTPRouteHandler)
                of = str(handler.opt["of"])
                for below in ("Things('none')", *ENDINGS.get(str(method), ())):
                    path = re.sub(r"{[^}]+}", below, route.path_format)
                    found.append((str(method), path, action_of(handler, path), of))
    return found


def test_every_route_names_an_action_of_policy(sta: World) -> None:
    found = calls(sta)
    assert {(method, action) for method, _, action, _ in found} == {
        ("GET", "catalogue.read"),
        ("GET", "entity.read"),
        ("POST", "observation.write"),
        ("POST", "entity.write"),
        ("POST", "catalogue.read"),
        ("PATCH", "entity.write"),
        ("PUT", "entity.write"),
        ("DELETE", "entity.write"),
        ("PATCH", "observation.correct"),
        ("PUT", "observation.correct"),
        ("DELETE", "observation.correct"),
    }
    assert {action for _, _, action, _ in found} <= set(ACTIONS)


@pytest.mark.parametrize("role", [None, *ROLES])
async def test_every_route_answers_every_role_as_policy_says(sta: World, role: Role | None) -> None:
    unit = "water" if role == "handler" else None
    caller = ANYONE if role is None else Caller("x", "", frozenset({role}), unit)
    async with sta.client(role) as client:
        for method, path, action, of in calls(sta):
            answer = await client.request(method, path, json={})
            # None of what is called here is of the device's list: the door asks again, of the thing that is to be made.
            own = (role, action) == ("device", "entity.write")
            allowed = sta.parts.policy.decide(at_best(sta.parts, caller, action, of, "")).allowed and not own
            assert (answer.status_code in (401, 403)) is not allowed, (method, path, action, role, answer.status_code, answer.text)
            assert answer.status_code in (200, 400, 401, 403, 404, 501), (method, path, answer.text)
