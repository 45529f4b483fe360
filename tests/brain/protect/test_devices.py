"""A device writes its own streams and no others."""

import pytest
from sqlalchemy import text

from citybrain.brain.protect import Accounts
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import Caller
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError
from tests.brain.protect.conftest import PEOPLE


def signed_in(accounts: Accounts, *writes: str) -> Caller:
    caller = accounts.device_caller("dev", accounts.devices.create("一号", "dev", writes))
    assert caller is not None
    return caller


@pytest.mark.parametrize(
    ("entry", "stream", "may"),
    [
        ("air-1", "air-1.pm25", True),
        ("air-1", "air-10.pm25", False),
        ("air-1.pm25", "air-1.pm25", True),
        ("air-1.pm25", "air-1.pm10", False),
        ("air-*", "air-10.pm25", True),
        ("air-*", "lot-1.free", False),
    ],
)
def test_the_list_of_a_device_covers_what_it_says(accounts: Accounts, entry: str, stream: str, may: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert accounts.may_write(signed_in(accounts, entry), stream) is may


def test_people_write_no_streams_through_the_doors_of_machines(accounts: Accounts) -> None:
    assert not any(accounts.may_write(caller, "air-1.pm25") for caller in PEOPLE.values())


def test_a_wrong_secret_or_a_shut_device_is_nobody(accounts: Accounts) -> None:
    secret = accounts.devices.create("一号", "dev", ["air-1"])
    device = accounts.device_caller("dev", secret)
    assert device is not None
    assert accounts.may_write(device, "air-1.pm25")
    assert accounts.device_caller("dev", secret + "x") is None
    assert accounts.device_caller("other", secret) is None
    accounts.devices.enable(device.account, enabled=False)
    assert accounts.device_caller("dev", secret) is None
    assert not accounts.may_write(device, "air-1.pm25")


def test_the_secret_does_not_stand_in_the_store(accounts: Accounts, rooms: SqlTransactions) -> None:
    secret = accounts.devices.create("一号", "dev", ["air-1"])
    with rooms.read() as connection:
        assert connection.execute(text("SELECT secret FROM device")).scalar_one() != secret


def test_a_removed_device_is_forgotten_and_bad_entries_are_refused(accounts: Accounts, clock: FixedClock) -> None:
    device = signed_in(accounts, "air-1")
    assert accounts.may_write(device, "air-1.pm25")
    with pytest.raises(ConflictError):
        accounts.devices.create("二号", "dev", ["air-2"])
    with pytest.raises(BadInputError):
        accounts.devices.create("三号", "dev3", [" "])
    with pytest.raises(NotFoundError):
        accounts.devices.enable("nobody", enabled=True)
    accounts.devices.remove("dev")
    assert not accounts.may_write(device, "air-1.pm25")
    assert clock.wall() == clock.city()
