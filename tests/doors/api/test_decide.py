"""Decisions over HTTP: a question with its newest advice, the ledger, and one decision with a reason that stands in the audit trail."""

from citybrain.kernel.access import Role
from tests.doors.conftest import World

ROOT = "/api/v1/decide"


def asked(world: World) -> str:
    """The id of a fresh advice."""
    posed = world.parts.questions.ask("which_well")
    assert posed is not None
    return posed.id


async def test_a_question_says_what_it_rests_on_and_its_newest_advice_with_its_time(world: World) -> None:
    async with world.client("leader") as client:
        (first,) = (await client.get(f"{ROOT}/questions")).json()
        advice = asked(world)
        (found,) = (await client.get(f"{ROOT}/questions")).json()
        assert (await client.get(f"{ROOT}/questions/which_well")).json() == found
        assert (await client.get(f"{ROOT}/questions/which_river")).status_code == 404
    assert first["newest"] is None
    newest = found["newest"]
    assert (newest["id"], newest["asked"], newest["demo"]) == (advice, "2026-11-22T07:00:00Z", True)
    assert (newest["advice"]["cost"], newest["advice"]["idle"], newest["advice"]["simple"]) == (3.0, 9.0, 4.5)
    assert newest["advice"]["sheets"][0]["rows"] == [[{"zh": "1", "en": "1"}, 2.0]]
    assert [(one["name"], one["value"], one["source"], one["mark"]) for one in found["parameters"]] == [
        ("well_limit", 40.0, "test", "local")
    ]


async def test_an_advice_is_accepted_once_with_a_reason_and_stands_in_ledger_and_audit_trail(world: World) -> None:
    advice = asked(world)
    decision = f"{ROOT}/advice/{advice}/decision"
    async with world.client("dispatcher") as client:
        short = await client.post(decision, json={"verdict": "accepted", "words": "ok"})
        assert (short.status_code, short.json()["code"]) == (400, "bad_input")
        assert (await client.post(decision, json={"verdict": "perhaps", "words": "按此执行"})).status_code == 400
        made = await client.post(decision, json={"verdict": "accepted", "words": "按此执行"})
        assert made.status_code == 201
        assert made.json()["decision"]["verdict"] == "accepted"
        again = await client.post(decision, json={"verdict": "declined", "words": "改主意了"})
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        rows = (await client.get(f"{ROOT}/advice?verdict=accepted")).json()["items"]
        assert (await client.get(f"{ROOT}/advice/{advice}")).json()["decision"]["words"] == "按此执行"
    assert [(row["id"], row["words"]) for row in rows] == [(advice, "按此执行")]
    async with world.client("auditor") as client:
        trail = (await client.get("/api/v1/protect/audit?action=advice.decide&allowed=true")).json()["items"]
    assert {row["resource"] for row in trail} == {f"advice:{advice}"}


async def test_who_may_look_may_not_always_decide(world: World) -> None:
    advice = asked(world)
    answers: tuple[tuple[Role, int], ...] = (("data_officer", 403), ("handler", 403), ("leader", 201))
    for role, status in answers:
        async with world.client(role) as client:
            assert (await client.get(f"{ROOT}/advice/{advice}")).status_code == 200
            sent = await client.post(f"{ROOT}/advice/{advice}/decision", json={"verdict": "declined", "words": "暂不采用"})
            assert sent.status_code == status, (role, sent.text)
    async with world.client("citizen") as client:
        assert (await client.get(f"{ROOT}/advice/{advice}")).status_code == 403
