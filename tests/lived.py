"""A demo district that has lived through its week, made once for all tests that want one: each begins with a copy of its folder."""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from citybrain.app import demo
from citybrain.app.city import City, build
from citybrain.app.clockwork import HeldClock, write_replay
from citybrain.app.packs import installed
from citybrain.app.parts import DemoNotes
from citybrain.app.settings import Settings
from citybrain.app.stores import opened
from citybrain.app.walltime import wall
from citybrain.kernel.clock import Replay
from citybrain.kernel.instant import parse
from tests.run import LIVED

SIX = parse("2026-11-22T06:00:00+08:00")
"""When its first morning begins: of a fixed day, so that the week before it is always the same."""
DATA = Path(__file__).parents[1] / "data"
"""What the demo replays."""


def copy(state: Path, speed: float = 60.0) -> Path:
    """A state folder at 06:00 of the first morning, from which the city's time runs at a speed."""
    shutil.copytree(_made() / "var", state, dirs_exist_ok=True)
    write_replay(state / "replay.json", Replay(wall(), SIX, speed))
    return state


@contextmanager
def living(state: Path) -> Iterator[tuple[City, HeldClock, DemoNotes]]:
    """The city of a folder, at the speed of the wall where nothing is kept there; its week is lived through where it was not yet."""
    settings = Settings(state=str(state), district="990104", district_name=demo.NAME, case_prefix="YS", low_water=0)
    if not (state / "replay.json").exists():
        write_replay(state / "replay.json", Replay(wall(), SIX, 1.0))
    with opened(settings, upgrade=True) as stores:
        clock = demo.clock(settings, installed())
        city = build(settings, stores, installed(), clock, "demo")
        yield city, clock, demo.load(city, clock, DATA)


def _made() -> Path:
    folder = Path(os.environ.get(LIVED) or _own())
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            with living(folder / "var"):
                pass
            (folder / "made").touch()
    return folder


def _own() -> str:
    folder = tempfile.mkdtemp(prefix="citybrain-lived-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[LIVED] = folder
    return folder
