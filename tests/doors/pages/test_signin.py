"""Signing in and out: only within this site, only with the right word, never from elsewhere."""

import pytest

from citybrain.kernel.access import Role
from tests.doors.pages.conftest import PASSWORD, World


async def sign_in(world: World, login: str, password: str, after: str = "") -> tuple[int, str, str]:
    """Status, location and text of a sign-in."""
    async with world.client() as client:
        answer = await client.post("/signin", data={"name": login, "password": password, "next": after})
        return answer.status_code, answer.headers.get("location", ""), answer.text


@pytest.mark.parametrize(
    ("role", "home"),
    [
        ("leader", "/cockpit"),
        ("dispatcher", "/cockpit"),
        ("handler", "/desk"),
        ("admin", "/admin"),
        ("auditor", "/admin"),
        ("data_officer", "/data"),
        ("citizen", "/"),
    ],
)
async def test_everybody_starts_where_their_work_is(world: World, role: Role, home: str) -> None:
    assert (await sign_in(world, role, PASSWORD))[:2] == (303, home)


@pytest.mark.parametrize("after", ["/desk?tab=late&q=%E4%B8%80", "/figures/open_cases"])
async def test_somebody_who_was_sent_to_sign_in_comes_back_to_where_they_were_going(world: World, after: str) -> None:
    assert (await sign_in(world, "dispatcher", PASSWORD, after))[1] == after


@pytest.mark.parametrize(
    "after",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "/\t/elsewhere.example",
        "javascript:alert(1)",
        "desk",
    ],
)
async def test_nobody_is_sent_outside_after_signing_in(world: World, after: str) -> None:
    assert (await sign_in(world, "dispatcher", PASSWORD, after))[1] == "/cockpit"
    async with world.client() as client:
        assert 'name="next" value=""' in (await client.get("/signin", params={"next": after})).text


async def test_a_wrong_password_gives_the_name_back_and_not_the_password(world: World) -> None:
    status, _, text = await sign_in(world, "王䶮", "Wrong-sesame-8")
    assert status == 401
    assert 'value="王䶮"' in text
    assert "Wrong-sesame-8" not in text
    assert 'role="alert"' in text


async def test_the_session_cookie_is_kept_from_scripts_and_from_other_sites(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/signin", data={"name": "leader", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_nobody_is_signed_out_without_the_word_of_our_own_page(world: World) -> None:
    world.tokens.clear()
    async with world.client("leader") as client:
        assert (await client.post("/signout", data={"csrf": "guess"})).status_code == 403
        assert (await client.get("/cockpit")).status_code == 200
        word = (await client.get("/cockpit")).text.partition('name="csrf" value="')[2].partition('"')[0]
        assert (await client.post("/signout", data={"csrf": word})).headers["location"] == "/?done=signed_out"
        assert (await client.get("/cockpit")).status_code == 303
    world.tokens.clear()


async def test_the_way_to_sign_in_remembers_the_whole_address(world: World) -> None:
    async with world.client() as client:
        answer = await client.get("/desk?tab=late&q=a")
    assert answer.headers["location"] == "/signin?next=%2Fdesk%3Ftab%3Dlate%26q%3Da"
