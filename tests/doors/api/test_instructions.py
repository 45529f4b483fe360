"""Instructions over HTTP: given by leaders, answered by the unit, listed for whoever may see their case."""

from tests.doors.conftest import World

CASES, INSTRUCTIONS = "/api/v1/act/cases", "/api/v1/act/instructions"
FILING = {"title": "井盖缺失", "words": "路口东侧井盖缺失", "duty": "water"}


async def test_an_instruction_is_given_answered_sent_back_and_closed(world: World) -> None:
    async with world.client("dispatcher") as desk, world.client("handler") as handler, world.client("leader") as leader:
        number = (await desk.post(CASES, json=FILING)).json()["number"]
        given = await leader.post(f"{CASES}/{number}/instructions", json={"words": "请当日反馈", "term": "4h"})
        assert (given.status_code, given.json()["state"]) == (201, "open")
        steps = f"{INSTRUCTIONS}/{given.json()['id']}/steps"
        listed = (await handler.get(f"{INSTRUCTIONS}?count=true")).json()
        assert [(row["number"], row["words"], row["overdue"]) for row in listed["items"]] == [(number, "请当日反馈", False)]
        assert (await handler.post(steps, json={"following": "answer", "words": "已到现场"})).json()["answer"] == "已到现场"
        again = await handler.post(steps, json={"following": "answer", "words": "再报"})
        assert (again.status_code, again.json()["code"]) == (409, "refused_move")
        assert (await leader.post(steps, json={"following": "back", "words": "何时完成？"})).json()["state"] == "open"
        assert (await leader.post(steps, json={"following": "close"})).json()["state"] == "done"
        sheet = (await leader.get(f"{CASES}/{number}")).json()
    moves = [step["move"] for step in sheet["steps"]["items"]]
    assert moves == ["open", "instruct", "instruct_answer", "instruct_back", "instruct_close"]


async def test_who_may_not_instruct_or_see_the_case_is_refused(world: World) -> None:
    async with world.client("dispatcher") as desk, world.client("handler") as handler, world.client("leader") as leader:
        other = (await desk.post(CASES, json={**FILING, "duty": "roads"})).json()["number"]
        body = {"words": "请当日反馈", "term": "4h"}
        assert (await desk.post(f"{CASES}/{other}/instructions", json=body)).status_code == 403
        given = await leader.post(f"{CASES}/{other}/instructions", json=body)
        steps = f"{INSTRUCTIONS}/{given.json()['id']}/steps"
        assert (await handler.post(steps, json={"following": "answer", "words": "已办"})).status_code == 404
        assert (await handler.get(INSTRUCTIONS)).json()["items"] == []
        assert (await leader.post(steps, json={"following": "answer", "words": "已办"})).status_code == 403
        assert (await leader.post(f"{CASES}/none/instructions", json=body)).status_code == 404
        wrong = await leader.post(f"{CASES}/{other}/instructions", json={"words": " ", "term": "4h"})
        assert (wrong.status_code, wrong.json()["field"]) == (400, "words")
    async with world.client("citizen") as citizen:
        assert (await citizen.get(INSTRUCTIONS)).status_code == 403
