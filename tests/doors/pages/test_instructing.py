"""A leader's instruction on the page of a case: given, answered, closed; the list and the cockpit say that it is followed and late."""

import re

from citybrain.kernel.access import Caller
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import HOUR, Instant
from tests.doors.pages.conftest import World


def token(text: str) -> str:
    """The word that shows that a form is our own."""
    found = re.search(r'name="csrf" value="([^"]+)"', text)
    assert found is not None
    return found[1]


async def test_a_leader_instructs_the_unit_answers_and_the_leader_closes(world: World) -> None:
    page = f"/desk/{world.number}"
    async with world.client("leader") as leader, world.client("handler") as handler:
        text = (await leader.get(page)).text
        empty = await leader.post(f"{page}/instructions", data={"csrf": token(text), "words": " ", "term": "3d"})
        assert empty.status_code == 400
        assert '<option value="3d" selected>' in empty.text
        given = await leader.post(f"{page}/instructions", data={"csrf": token(text), "words": "请说明 <b> 原因", "term": "4h"})
        assert given.status_code == 303
        assert "请说明 &lt;b&gt; 原因" in (await handler.get(page)).text
        listed = (await handler.get("/desk?tab=instructed")).text
        assert ">督办</span>" in listed
        assert world.number in listed
        text = (await handler.get(page)).text
        (action,) = set(re.findall(r'action="(/desk/[^"]+/instructions/[^"]+)"', text))
        forged = await handler.post(action, data={"csrf": "guess", "following": "answer", "words": "已核实"})
        assert forged.status_code == 403
        sent = {"csrf": token(text), "following": "answer", "words": "已核实"}
        assert (await handler.post(action, data=sent)).status_code == 303
        refused = await handler.post(action, data={**sent, "following": "close"})
        assert (refused.status_code, "办结和退回由领导办理" in refused.text) == (403, True)
        assert (await handler.post(action, data={**sent, "following": "none"})).status_code == 400
        text = (await leader.get(page)).text
        assert "已核实" in text
        assert (await leader.post(action, data={"csrf": token(text), "following": "close", "words": ""})).status_code == 303
        text = (await leader.get(page)).text
        assert "督办办结" in text
        assert ">督办</span>" not in (await leader.get("/desk")).text


async def test_an_instruction_past_its_time_leads_what_is_late_on_the_cockpit(world: World) -> None:
    page = f"/desk/{world.number}"
    async with world.client("leader") as leader:
        text = (await leader.get(page)).text
        await leader.post(f"{page}/instructions", data={"csrf": token(text), "words": "请当日反馈", "term": "4h"})
        before = (await leader.get("/cockpit")).text
    assert "督办：" not in before
    assert isinstance(world.city.clock, FixedClock)
    now = world.city.clock.city()
    # Monday noon has passed: the term ends within working time. Sessions have run out by then.
    world.city.clock.set(Instant(now + 24 * HOUR))
    world.tokens.clear()
    try:
        async with world.client("leader") as leader:
            after = (await leader.get("/cockpit")).text
    finally:
        world.city.clock.set(now)
        world.tokens.clear()
        # The district is shared with the tests beside: nothing is left open.
        for one in world.city.instructions.of(world.city.cases.by_number(world.number).id):
            if one.state != "done":
                world.city.instructions.follow(one.id, "close", Caller("leader", "", frozenset({"leader"})), "")
    assert "督办：" in after
