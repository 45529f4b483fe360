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
from citybrain.kernel.instant import HOUR, Instant, local_date, midnight, parse
from tests.run import LIVED

SIX = parse("2026-11-22T06:00:00+08:00")
"""The first morning of a fixed day, so that the week before it is always the same."""
DATA = Path(__file__).parents[1] / "data"
"""What the demo replays."""


def today() -> Instant:
    """06:00 of this day, at which the demo begins when somebody starts it for the first time."""
    return Instant(midnight(local_date(wall())) + 6 * HOUR)


def copy(state: Path, morning: Instant, speed: float = 60.0) -> Path:
    """A state folder at a first morning, from which the city's time runs at a speed."""
    shutil.copytree(_made(morning), state, dirs_exist_ok=True)
    write_replay(state / "replay.json", Replay(wall(), morning, speed))
    return state


@contextmanager
def living(state: Path) -> Iterator[tuple[City, HeldClock, DemoNotes]]:
    """The city of such a folder, its week lived through where it was not yet."""
    settings = Settings(state=str(state), district="990104", district_name=demo.NAME, case_prefix="YS", low_water=0)
    with opened(settings, upgrade=True) as stores:
        clock = demo.clock(settings, installed())
        city = build(settings, stores, installed(), clock, "demo")
        yield city, clock, demo.load(city, clock, DATA)


def _made(morning: Instant) -> Path:
    folder = Path(os.environ.get(LIVED) or _own()) / f"lived-{morning}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            write_replay(folder / "var" / "replay.json", Replay(wall(), morning, 1.0))
            with living(folder / "var"):
                pass
            (folder / "made").touch()
    return folder / "var"


def _own() -> str:
    folder = tempfile.mkdtemp(prefix="citybrain-lived-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[LIVED] = folder
    return folder
