"""Signing in and out, who one is, and the trail that says who did what."""

from sqlalchemy import text

from tests.doors.conftest import PASSWORD, World

SESSION = "/api/v1/protect/session"


async def test_signing_in_works_with_json_and_with_a_form_and_ends_with_signing_out(world: World) -> None:
    async with world.client("dispatcher"):
        pass
    async with world.client() as browser:
        answer = await browser.post(SESSION, data={"login": "dispatcher", "password": PASSWORD})
        assert answer.status_code == 200
        cookies = answer.headers.get_list("set-cookie")
        assert any("session=" in cookie and "HttpOnly" in cookie and "SameSite=lax" in cookie for cookie in cookies)
        me = (await browser.get("/api/v1/protect/me")).json()
        assert (me["known"], list(me["roles"])) == (True, ["dispatcher"])
        token = browser.cookies["session"]
        out = await browser.delete(SESSION, headers={"X-CSRF-Token": me["csrf"]})
        assert out.status_code == 204
        again = await browser.get("/api/v1/protect/me", headers={"Authorization": f"Bearer {token}"})
        assert again.status_code == 401
        assert (await browser.get("/api/v1/protect/me")).json()["known"] is False


async def test_a_wrong_password_is_401_and_a_wrong_form_400(world: World) -> None:
    async with world.client("dispatcher"):
        pass
    async with world.client() as browser:
        wrong = await browser.post(SESSION, json={"login": "dispatcher", "password": "x"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "sign_in_needed")
        assert (await browser.post(SESSION, json={"login": "dispatcher"})).status_code == 400
        assert (await browser.post(SESSION, json={"login": "a\u0000", "password": "x"})).status_code == 400
        assert (await browser.post(SESSION, data={"login": "a\u0000", "password": "x"})).status_code == 400
        assert (await browser.post(SESSION, content=b"\xc4\xe3", headers={"Content-Type": "application/json"})).status_code == 400
        assert (await browser.post(SESSION, content=b"a=1", headers={"Content-Type": "text/plain"})).status_code == 415


async def test_the_trail_is_the_auditors_and_shows_when_it_was_changed(world: World) -> None:
    async with world.client("dispatcher") as desk:
        assert (await desk.get("/api/v1/protect/audit")).status_code == 403
    async with world.client("auditor") as auditor:
        rows = (await auditor.get("/api/v1/protect/audit?allowed=false")).json()["items"]
        assert [(row["action"], row["allowed"]) for row in rows] == [("audit.read", False)]
        whole = await auditor.get("/api/v1/protect/audit/verify")
        assert whole.status_code == 200
        assert whole.json()["rows"] >= 2
        with world.transactions.begin() as tx:
            tx.connection.execute(text("UPDATE audit SET resource = 'elsewhere' WHERE no = 2"))
        broken = await auditor.get("/api/v1/protect/audit/verify")
        assert (broken.status_code, broken.json()["row"]) == (409, 2)


async def test_personal_columns_are_masked_without_a_purpose(world: World) -> None:
    async with world.client("admin") as admin:
        masked = (await admin.get("/api/v1/protect/accounts")).json()
        assert masked["masked"] == ["login", "name"]
        assert masked["items"][0]["login"] != "admin"
        shown = (await admin.get("/api/v1/protect/accounts", headers={"X-Purpose": "%E8%B4%A6%E5%8F%B7%E5%AE%A1%E6%A0%B8"})).json()
        assert shown["items"][0]["login"] == "admin"
        also = (await admin.get("/api/v1/protect/accounts?purpose=账号审核")).json()
        assert also["items"][0]["login"] == "admin"
        assert (await admin.get("/api/v1/protect/accounts?login=admin")).status_code == 403
        assert (await admin.get("/api/v1/protect/accounts?purpose=" + "x" * 201)).status_code == 400
    async with world.client("auditor") as auditor:
        rows = (await auditor.get("/api/v1/protect/audit?action=account.read")).json()["items"]
        assert {row["purpose"] for row in rows} == {"账号审核"}
