"""Signing in: the right password, not too often, for a limited time, and always on record."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from citybrain.brain.protect import METADATA, Accounts, Limits, sources
from citybrain.brain.protect.attempts import network
from citybrain.engines.space import FreeSpace
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import Order, Query
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, BusyError, ConflictError, NotFoundError, StorageFullError, UnauthenticatedError
from citybrain.kernel.instant import HOUR, MINUTE, Instant

PASSWORD = "Right-horse-9"


@pytest.fixture
def zhang(accounts: Accounts) -> str:
    return accounts.create("张三", "zhangsan", PASSWORD, ["handler"], "unit-street")


def later(clock: FixedClock, span: int) -> None:
    clock.set(clock.city(), wall=Instant(clock.wall() + span))


def test_the_holder_of_a_token_is_known_with_roles_and_unit(accounts: Accounts, zhang: str) -> None:
    caller = accounts.caller(accounts.sign_in("zhangsan", PASSWORD))
    assert caller is not None
    assert (caller.account, caller.name, caller.roles, caller.unit) == (zhang, "张三", frozenset(("handler",)), "unit-street")
    assert accounts.caller("made-up") is None
    assert [accounts.name_of(each) for each in (zhang, "system", "gone")] == ["张三", "系统", "gone"]


@pytest.mark.usefixtures("zhang")
def test_neither_password_nor_token_stands_in_the_store(accounts: Accounts, rooms: SqlTransactions) -> None:
    token = accounts.sign_in("zhangsan", PASSWORD)
    with rooms.read() as connection:
        kept = connection.execute(text("SELECT password FROM account")).scalar_one()
        session = connection.execute(text("SELECT token FROM session")).scalar_one()
    assert kept.startswith("$argon2id$")
    assert len(token) == 43
    assert session not in (token, PASSWORD)
    assert len(session) == 64


@pytest.mark.usefixtures("zhang")
def test_a_session_ends_after_half_an_hour_of_silence(accounts: Accounts, clock: FixedClock) -> None:
    token = accounts.sign_in("zhangsan", PASSWORD)
    later(clock, 29 * MINUTE)
    assert accounts.caller(token) is not None
    later(clock, 29 * MINUTE)
    assert accounts.caller(token) is not None
    later(clock, 30 * MINUTE)
    assert accounts.caller(token) is None


def test_who_has_signed_in_goes_on_reading_while_the_disk_is_full(tmp_path: Path, clock: FixedClock) -> None:
    left = [2]
    store = open_sqlite(tmp_path / "full.sqlite", FreeSpace(tmp_path, 1, lambda _: left[0]))
    with store.begin() as tx:
        METADATA.create_all(tx.connection)
    accounts = Accounts(store, clock)
    accounts.create("张三", "zhangsan", PASSWORD, ["handler"])
    token = accounts.sign_in("zhangsan", PASSWORD)
    left[0] = 0
    for _ in range(3):
        later(clock, 20 * MINUTE)
        assert accounts.caller(token) is not None
    with pytest.raises(StorageFullError):
        accounts.sign_out(token)
    left[0] = 2
    assert accounts.caller(token) is not None
    assert Accounts(store, clock).caller(token) is not None, "and it is written when there is room"
    later(clock, 30 * MINUTE)
    assert accounts.caller(token) is None
    store.close()


@pytest.mark.usefixtures("zhang")
def test_a_session_ends_after_twelve_hours_however_busy(accounts: Accounts, clock: FixedClock) -> None:
    token = accounts.sign_in("zhangsan", PASSWORD)
    for _ in range(35):
        later(clock, 20 * MINUTE)
        assert accounts.caller(token) is not None
    later(clock, 20 * MINUTE)
    assert accounts.caller(token) is None


@pytest.mark.usefixtures("zhang")
def test_the_city_clock_does_not_end_a_session(accounts: Accounts, clock: FixedClock) -> None:
    token = accounts.sign_in("zhangsan", PASSWORD)
    clock.set(Instant(clock.city() + 48 * HOUR), wall=clock.wall())
    assert accounts.caller(token) is not None


def test_signing_out_and_shutting_an_account_end_its_sessions(accounts: Accounts, zhang: str) -> None:
    one, two, three = (accounts.sign_in("zhangsan", PASSWORD) for _ in range(3))
    accounts.sign_out(one)
    assert accounts.caller(one) is None
    accounts.change_password(zhang, "Other-horse-8")
    assert accounts.caller(two) is None
    accounts.enable(zhang, enabled=False)
    assert accounts.caller(three) is None
    with pytest.raises(UnauthenticatedError):
        accounts.sign_in("zhangsan", "Other-horse-8")


@pytest.mark.usefixtures("zhang")
def test_five_wrong_passwords_shut_the_login_for_a_quarter_of_an_hour(accounts: Accounts, clock: FixedClock) -> None:
    for _ in range(5):
        with pytest.raises(UnauthenticatedError):
            accounts.sign_in("zhangsan", "wrong")
    with pytest.raises(BusyError) as busy:
        accounts.sign_in("ZhangSan", PASSWORD)
    assert busy.value.fields["retry_after"] == 900
    later(clock, 15 * MINUTE)
    assert accounts.sign_in("zhangsan", PASSWORD)


@pytest.mark.usefixtures("zhang")
def test_guessing_in_parallel_gets_no_more_tries(accounts: Accounts) -> None:
    def guess(_: int) -> str:
        try:
            accounts.sign_in("zhangsan", "wrong")
        except BusyError:
            return "busy"
        except UnauthenticatedError:
            return "wrong"
        return "in"

    with ThreadPoolExecutor(6) as pool:
        ends = list(pool.map(guess, range(12)))
    assert sorted(ends) == ["busy"] * 7 + ["wrong"] * 5


def test_an_address_is_counted_over_many_logins_and_a_whole_64_is_one(rooms: SqlTransactions, clock: FixedClock) -> None:
    accounts = Accounts(rooms, clock, limits=Limits(per_login=5, per_address=3))
    for n in range(3):
        with pytest.raises(UnauthenticatedError):
            accounts.sign_in(f"nobody{n}", "wrong", f"2001:db8:1:2::{n}")
    with pytest.raises(BusyError):
        accounts.sign_in("nobody9", "wrong", "2001:db8:1:2:ffff::1")
    with pytest.raises(UnauthenticatedError):
        accounts.sign_in("nobody9", "wrong", "2001:db8:1:3::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") == "192.0.2.1"
    assert network("fe80::1%eth0") == "fe80::/64"


@pytest.mark.usefixtures("zhang")
def test_every_sign_in_stands_in_the_trail(accounts: Accounts, rooms: SqlTransactions) -> None:
    accounts.sign_in("zhangsan", PASSWORD, "192.0.2.1")
    with pytest.raises(UnauthenticatedError):
        accounts.sign_in("zhangsan", "wrong", "192.0.2.1")
    rows = sources(rooms)["audit"](Query("audit", order=Order("no"))).rows
    assert [(row["allowed"], row["reasons"]) for row in rows] == [(True, ["password"]), (False, ["wrong-login-or-password"])]
    assert rows[1]["detail"] == {"address": "192.0.2.1", "login": "zhangsan"}


def test_weak_passwords_doubled_logins_and_impossible_roles_are_refused(accounts: Accounts, zhang: str) -> None:
    for weak in ("Sh0rt-1", "onlylowercase", "Zhangsan-2026", "12345678"):
        with pytest.raises(BadInputError):
            accounts.create("李四", "zhangsan", weak, ["handler"])
    with pytest.raises(ConflictError, match="taken"):
        accounts.create("李四", "zhangsan", PASSWORD, ["handler"])
    with pytest.raises(BadInputError):
        accounts.create("机器", "robot", PASSWORD, ["device"])
    with pytest.raises(NotFoundError):
        accounts.entrust("nobody", ["handler"], None)
    accounts.entrust(zhang, ["dispatcher"], None)
    (only,) = accounts.all()
    assert (only.roles, only.unit, only.enabled) == (frozenset(("dispatcher",)), None, True)
