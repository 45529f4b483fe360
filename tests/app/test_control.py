"""The socket of the state folder: who has the folder asks the program that runs on it."""

import asyncio
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from citybrain.app import control
from citybrain.app.cli import main
from citybrain.kernel.errors import ConflictError, StorageFullError
from citybrain.kernel.text import Text


async def asked(state: Path, save: Callable[[Path], int], *targets: Path) -> list[object]:
    """What those who ask at once are told, one a thread."""
    async with control.listening(state, save):
        asking = [asyncio.to_thread(control.backup, state, target) for target in targets]
        return list(await asyncio.gather(*asking, return_exceptions=True))


async def test_a_request_is_answered_with_the_number_of_files(tmp_path: Path) -> None:
    seen: list[Path] = []

    def save(target: Path) -> int:
        seen.append(target)
        return 7

    assert await asked(tmp_path, save, tmp_path / "to") == [7]
    assert seen == [tmp_path / "to"]
    assert not (tmp_path / "control").exists()


async def test_a_path_that_is_longer_than_a_socket_s_may_be(tmp_path: Path) -> None:
    state = tmp_path / ("long" * 40)
    state.mkdir()
    assert await asked(state, lambda _: 3, tmp_path / "to") == [3]


async def test_only_the_account_of_the_program_may_open_it(tmp_path: Path) -> None:
    async with control.listening(tmp_path, lambda _: 0):
        assert stat.S_IMODE((tmp_path / "control").stat().st_mode) == 0o600


async def test_what_is_wrong_is_told_in_both_languages(tmp_path: Path) -> None:
    def full(_: Path) -> int:
        raise StorageFullError(Text("满了", "It is full"))

    def broken(_: Path) -> int:
        message = "no such device"
        raise OSError(message)

    (error,) = await asked(tmp_path, full, tmp_path / "to")
    assert isinstance(error, ConflictError)
    assert error.what == Text("满了", "It is full")
    (error,) = await asked(tmp_path, broken, tmp_path / "to")
    assert isinstance(error, ConflictError)
    assert "no such device" in error.what.en


async def test_one_backup_at_a_time(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: Path) -> int:
        begun.set()
        assert go_on.wait(30)
        return 1

    async with control.listening(tmp_path, slow):
        first = asyncio.create_task(asyncio.to_thread(control.backup, tmp_path, tmp_path / "a"))
        await asyncio.to_thread(begun.wait, 30)
        with pytest.raises(ConflictError, match="under way"):
            await asyncio.to_thread(control.backup, tmp_path, tmp_path / "b")
        go_on.set()
        assert await first == 1


async def test_what_is_no_request_is_told_so_and_nobody_is_asked(tmp_path: Path) -> None:
    def never(_: Path) -> int:
        raise AssertionError

    async with control.listening(tmp_path, never):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "control")
        writer.write(b'{"backup": 1}\n')
        assert b"cannot be read" in await reader.readline()
        writer.close()


def test_where_nobody_answers_the_command_copies_the_folder_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "city.sqlite").write_bytes(b"city")
    # A program that was killed left its socket behind.
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "var" / "control"))
    assert control.backup(tmp_path / "var", tmp_path / "kept") is None
    assert main(["backup", str(tmp_path / "kept"), "--state", str(tmp_path / "var")]) == 0
    assert [path.name for path in (tmp_path / "kept" / "state").iterdir()] == ["city.sqlite"]
    capsys.readouterr()
