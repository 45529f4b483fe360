"""Backups: a round trip gives the same city, a changed file is refused, nothing is overwritten."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from citybrain.app.backups import backup, restore
from citybrain.app.city import City
from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.instant import HOUR
from tests.app.conftest import NOW, furnished


def _read(city: City) -> None:
    number = city.registry.stream("air-01.pm25").no
    columns = np.full(3, number, np.int32), np.array([NOW - 2 * HOUR, NOW - HOUR, NOW], np.int64), np.array([35.0, 41.0, 57.0])
    assert asyncio.run(city.intake.take_columns(*columns, "import", None)).stored == 3


def test_a_restored_city_has_the_same_readings_accounts_and_audit(tmp_path: Path) -> None:
    with furnished(tmp_path / "var") as city:
        _read(city)
        city.accounts.create("甲", "admin", "Nine-willows-by-the-weir-7", ("admin",))
        rows = city.audit.verify()
    count = backup(tmp_path / "var", tmp_path / "kept")
    assert restore(tmp_path / "kept", tmp_path / "again") == count
    with furnished(tmp_path / "again") as city:
        reading = city.latest.of(city.registry.stream("air-01.pm25").no)
        assert reading is not None
        assert (reading.value, reading.time) == (57.0, NOW)
        assert [account.login for account in city.accounts.all()] == ["admin"]
        assert city.audit.verify() == rows


def test_a_changed_file_of_a_backup_is_refused_and_nothing_is_restored(tmp_path: Path) -> None:
    with furnished(tmp_path / "var"):
        pass
    backup(tmp_path / "var", tmp_path / "kept")
    changed = tmp_path / "kept" / "state" / "city.sqlite"
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    with pytest.raises(BadInputError, match=r"city\.sqlite"):
        restore(tmp_path / "kept", tmp_path / "again")
    assert not (tmp_path / "again").exists()
    changed.unlink()
    with pytest.raises(BadInputError, match=r"city\.sqlite"):
        restore(tmp_path / "kept", tmp_path / "again")


def test_neither_a_backup_nor_a_restore_overwrites_anything(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "city.sqlite").write_bytes(b"city")
    backup(tmp_path / "var", tmp_path / "kept")
    with pytest.raises(ConflictError):
        backup(tmp_path / "var", tmp_path / "kept")
    with pytest.raises(ConflictError):
        restore(tmp_path / "kept", tmp_path / "var")


def test_a_folder_that_is_no_backup_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="manifest"):
        restore(tmp_path, tmp_path / "again")


def test_lock_and_log_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    for name in ("lock", "log", "replay.json"):
        (tmp_path / "var" / name).write_text("1", "ascii")
    assert backup(tmp_path / "var", tmp_path / "kept") == 1
    assert [path.name for path in (tmp_path / "kept" / "state").iterdir()] == ["replay.json"]
