"""Whom a process of a district works with: one of the same release and of the same district, or nobody."""

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from citybrain import __version__
from citybrain.kernel.errors import BusyError
from citybrain.kernel.text import Text

WIRE: Final = 1
"""Grows with each change of what goes between processes: of what they ask one another, and of what they hand over."""
Place: TypeAlias = tuple[int, str]
"""Position and id of an event, by which a database is told from another district's; 0 and nothing for none."""
Knows: TypeAlias = Callable[[Place], bool]
"""Whether an event is one of the database of this process. Blocks; raises BusyError while it is away."""


class Process(msgspec.Struct, frozen=True, array_like=True):
    """A process as it says who it is: its role, its release and the version of what goes between processes."""

    role: str = "all"
    release: str = __version__
    wire: int = WIRE

    def __str__(self) -> str:
        """In one line, as it is shown with each call."""
        return f"{self.wire} {self.release} {self.role}"


class MixedError(BusyError):
    """Another process is of another release or of another district: nothing is asked of it, and nothing done for it."""

    code, status, title = "mixed_processes", 503, Text("进程不匹配", "Processes do not fit together")


def shown(line: str) -> Process | None:
    """The process that a line shows; None for one that shows nothing, as those of earlier releases."""
    wire, _, rest = line.partition(" ")
    release, _, role = rest.partition(" ")
    return Process(role, release, int(wire)) if wire.isascii() and wire.isdigit() and release else None


def alike(one: Process, other: Process | None, at: str = "") -> None:
    """Raise MixedError where two processes are not of one release; ``at`` is where the other answers."""
    if other is not None and (one.release, one.wire) == (other.release, other.wire):
        return
    mine = f"{one.role} {one.release} ({one.wire})"
    said = (
        Text("更早的版本", "an earlier release") if other is None else Text(*[f"{other.role} {other.release} ({other.wire})"] * 2)
    )
    where = f" {at}" if at else ""
    what = Text(
        f"各进程须为同一版本：此进程是 {mine}，另一进程{where}是{said.zh}。没有执行任何操作。请停止所有进程，都换成同一版本，先启动 ingest。",
        f"All processes are of one release: this one is {mine}, the other{where} is {said.en}. Nothing was done. Stop all of them, install one "
        "release everywhere and start ingest first.",
    )
    raise MixedError(what, releases=[one.release, None if other is None else other.release])


def strange(role: str) -> MixedError:
    """The refusal to work for a process of another district."""
    what = Text(
        f"进程 {role} 的数据库是另一城区的：询问者最近的事件它没有。没有执行任何操作。请核对双方的 database、ingest_at 和 worker_at。",
        f"The database of the process {role} is another district's: it lacks the newest event of who asks. Nothing was done. Compare the "
        "settings database, ingest_at and worker_at of both.",
    )
    return MixedError(what, role=role)
