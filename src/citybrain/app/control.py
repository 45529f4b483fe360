"""The socket in the state folder at which whoever may use that folder asks the program that runs for what only it can do.

One line of JSON each way: ``{"backup": "/folder"}``, then ``{"files": 12}`` or what is wrong in both languages. Only the account that
runs the program can open the socket; over the network it is not to be reached.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import structlog

from citybrain.kernel.errors import CityError, ConflictError
from citybrain.kernel.text import Text

log = structlog.get_logger()

_NAME: Final = "control"
_LONGEST: Final = 100
"""Bytes of a path that a socket can have, less some."""


class _Asked(msgspec.Struct, frozen=True):
    backup: str


class _Told(msgspec.Struct, frozen=True):
    files: int = 0
    wrong: Text | None = None


Save = Callable[[Path], int]
"""Backs up into a folder; how many files. Blocks."""


@asynccontextmanager
async def listening(state: Path, save: Save) -> AsyncIterator[None]:
    """Answer at the socket of a state folder that this process has the lock of."""
    (state / _NAME).unlink(missing_ok=True)
    with _address(state) as address:
        mask = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(partial(_answer, save, asyncio.Lock()), address)
        finally:
            os.umask(mask)
        try:
            yield
        finally:
            server.close()
            (state / _NAME).unlink(missing_ok=True)


def backup(state: Path, target: Path) -> int | None:
    """Have the program that runs on a state folder back it up; how many files, None where no program answers.

    Raises ConflictError with what that program found wrong.
    """
    with socket.socket(socket.AF_UNIX) as line:
        try:
            with _address(state) as address:
                line.connect(address)
        except OSError:
            return None
        line.sendall(msgspec.json.encode(_Asked(str(target.resolve()))) + b"\n")
        with line.makefile("rb") as answer:
            raw = answer.readline()
    if not raw:
        what = Text("程序在备份完成前停止了，备份不完整。", "The program stopped before the backup was done; it is not whole.")
        raise ConflictError(what)
    told = msgspec.json.decode(raw, type=_Told)
    if told.wrong is not None:
        raise ConflictError(told.wrong)
    return told.files


async def _answer(save: Save, alone: asyncio.Lock, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(ConnectionError):
            writer.write(msgspec.json.encode(await _done(save, alone, await reader.readline())) + b"\n")
            await writer.drain()
    finally:
        # Also after a fault, which stands in the log: whoever asked must not wait for ever.
        writer.close()


async def _done(save: Save, alone: asyncio.Lock, raw: bytes) -> _Told:
    try:
        target = Path(msgspec.json.decode(raw, type=_Asked).backup)
        if alone.locked():
            return _Told(wrong=Text("已有一次备份正在进行，请稍后再试。", "A backup is under way already. Try again later."))
        async with alone:
            files = await asyncio.to_thread(save, target)
    except msgspec.MsgspecError as error:
        return _Told(wrong=Text(f"无法识别的请求：{error}", f"The request cannot be read: {error}"))
    except CityError as error:
        return _Told(wrong=error.what)
    except OSError as error:
        return _Told(wrong=Text(f"备份失败：{error}", f"The backup failed: {error}"))
    log.info("backed_up", folder=str(target), files=files)
    return _Told(files)


@contextmanager
def _address(state: Path) -> Iterator[str]:
    """The path of the socket, by way of the open folder where it is longer than that of a socket may be."""
    path = state.resolve() / _NAME
    if len(os.fsencode(path)) < _LONGEST:
        yield str(path)
        return
    folder = os.open(state, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{_NAME}"
    finally:
        os.close(folder)
