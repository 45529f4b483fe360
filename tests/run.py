"""Runs the parts of the test suite and says plainly what was skipped and why; `make test`, `make quick`, `make soak`."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

ALONE = "browser or kill or slow"
"""What starts whole programs, and laws that take long to try.

Browsers are driven each in a process of its own: the driver keeps an event loop running, which other tests cannot have.
"""
Run: TypeAlias = tuple[str, ...]
"""What one pytest is given."""
FAST = ("-m", f"not ({ALONE}) and not postgres and not thorough and not soak", "-n", "2")
MOST = ("-m", f"not ({ALONE}) and not soak", "-n", "2")
_PROGRAMS = ("-m", f"({ALONE}) and not browser and not soak", "-p", "no:randomly")
ROLES = ("tests/whole/test_roles.py", *_PROGRAMS)
WHOLE = ("tests/whole", "--ignore=tests/whole/test_roles.py", *_PROGRAMS)
DOCS = ("tests/docs", *_PROGRAMS)
APP = ("tests/app", "tests/bench", *_PROGRAMS)
REST = ("tests", *(f"--ignore=tests/{each}" for each in ("whole", "docs", "app", "bench", "browser", "web")), *_PROGRAMS)
_PAGES = ("-m", "browser", "-p", "no:randomly")
BLOCKS = ("tests/web", *_PAGES)
PAGES = ("tests/browser/test_pages.py", *_PAGES)
PATHS = ("tests/browser", "--ignore=tests/browser/test_pages.py", *_PAGES)
LONG = ("-m", "soak or kill", "-s", "-p", "no:randomly")
PARTS: dict[str, list[tuple[Run, ...]]] = {
    "quick": [(FAST,)],
    # The longest first, so that none is left alone at the end; programs that are killed and installed wait half of their time.
    "all": [(MOST,), (APP, PAGES, PATHS, WHOLE, REST, DOCS, ROLES, BLOCKS)],
    "soak": [(LONG,)],
}
"""Of each part its stages, one after another, and of each stage its runs."""
BESIDE = 3
"""Runs of one stage at a time."""
MORE = {"soak": {"CITYBRAIN_KILLS": "100"}}
LIVED = "CITYBRAIN_TESTS_LIVED"
"""The variable with the folder where runs beside one another share a demo district that has lived through its week."""
ON_DISK = (WHOLE, ROLES, LONG)
"""Runs that keep their files on the disk, as a district does; a disk is filled there. The others throw away thousands of small ones."""
ROOM = 8 << 30
"""Bytes that must be free in memory for runs to keep their files there."""


def main(part: str) -> int:
    """Run the checks and the tests of a part; returns the exit status."""
    results: list[int] = []
    if shutil.which("chromium") is None:
        sys.stdout.write("No chromium on this machine: every test marked 'browser' will be skipped.\n")
    sys.stdout.flush()
    with _folders() as (disk, memory), ThreadPoolExecutor(1) as aside:
        # One processor is enough for them: tests begin meanwhile.
        checks = None if part == "soak" else aside.submit(_heard, [sys.executable, "-m", "tests.checks"], {}, beside=True)
        for runs in PARTS[part]:
            run = partial(_run, disk=disk, memory=memory, more=MORE.get(part, {}), beside=len(runs) > 1)
            with ThreadPoolExecutor(BESIDE) as pool:
                results += pool.map(run, runs)
        if checks is not None:
            results.append(checks.result())
    return next((result for result in results if result), 0)


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """A folder on the disk and one in memory, or both on the disk where memory is short; taken away at the end."""
    shared = Path("/dev") / "shm"
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > ROOM
    with (
        tempfile.TemporaryDirectory(prefix="citybrain-") as disk,
        tempfile.TemporaryDirectory(prefix="citybrain-", dir=shared if roomy else None) as memory,
    ):
        folders = Path(disk), Path(memory)
        for folder in folders:
            # PostgreSQL runs as somebody else and has to get to its folder below.
            folder.chmod(0o755)
        yield folders


def _run(chosen: Run, *, disk: Path, memory: Path, more: dict[str, str], beside: bool) -> int:
    """Run pytest on what was chosen."""
    folders = {"TMPDIR": str(disk if chosen in ON_DISK else memory), LIVED: str(memory)}
    command = [sys.executable, "-m", "pytest", "-q", "-rsfE", "--durations=10", *chosen]
    return _heard(command, folders | more, beside=beside)


def _heard(command: list[str], more: dict[str, str], *, beside: bool) -> int:
    """Run a command; beside others what it says is held back until it has ended."""
    began = time.monotonic()
    said = subprocess.PIPE if beside else None
    ended = subprocess.run(command, env=os.environ | more, check=False, stdout=said, stderr=subprocess.STDOUT, text=True)
    sys.stdout.write(f"{ended.stdout or ''}({time.monotonic() - began:.0f} s)\n")
    sys.stdout.flush()
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
