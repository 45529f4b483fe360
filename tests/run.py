"""Runs the parts of the test suite and says plainly what was skipped and why; `make test`, `make quick`, `make soak`."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

ALONE = "browser or kill or slow"
"""What starts whole programs.

Browsers are driven each in a process of its own: the driver keeps an event loop running, which other tests cannot have.
"""
Lane: TypeAlias = tuple[tuple[str, ...], ...]
"""Runs of pytest one after another."""
FAST = ("-m", f"not ({ALONE}) and not postgres and not soak", "-n", "2")
MOST = ("-m", f"not ({ALONE}) and not soak", "-n", "2")
PROGRAMS = ("-m", f"({ALONE}) and not browser and not soak", "-p", "no:randomly", "--ignore=tests/whole")
WHOLE = ("tests/whole", "-m", f"({ALONE}) and not browser and not soak", "-p", "no:randomly")
BLOCKS = ("tests/web", "-m", "browser", "-p", "no:randomly")
PAGES = ("tests/browser", "-m", "browser", "-p", "no:randomly")
LONG = ("-m", "soak or kill", "-s", "-p", "no:randomly")
PARTS: dict[str, list[list[Lane]]] = {
    "quick": [[(FAST,)]],
    # Programs that are killed, filled and installed wait most of their time: pages are looked at meanwhile.
    "all": [[(MOST,)], [(WHOLE, BLOCKS), (PROGRAMS,), (PAGES,)]],
    "soak": [[(LONG,)]],
}
"""Of each part its stages, one after another; the lanes of a stage run side by side."""
MORE = {"soak": {"CITYBRAIN_KILLS": "100"}}


def main(part: str) -> int:
    """Run the checks, then the tests of a part; returns the exit status."""
    results = [] if part == "soak" else [subprocess.run([sys.executable, "-m", "tests.checks"], check=False).returncode]
    if shutil.which("chromium") is None:
        sys.stdout.write("No chromium on this machine: every test marked 'browser' will be skipped.\n")
    sys.stdout.flush()
    for lanes in PARTS[part]:
        with ThreadPoolExecutor(len(lanes)) as pool:
            results += [status for statuses in pool.map(partial(_lane, part, beside=len(lanes) > 1), lanes) for status in statuses]
    return next((result for result in results if result), 0)


def _lane(part: str, runs: Lane, *, beside: bool) -> list[int]:
    """Run pytest some times; beside others what it says is held back until it has ended."""
    results = []
    for chosen in runs:
        began = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "-rsfE", "--durations=10", *chosen]
        ended = subprocess.run(
            command,
            env=os.environ | MORE.get(part, {}),
            check=False,
            stdout=subprocess.PIPE if beside else None,
            stderr=subprocess.STDOUT if beside else None,
            text=True,
        )
        results.append(ended.returncode)
        sys.stdout.write(f"{ended.stdout or ''}({time.monotonic() - began:.0f} s)\n")
        sys.stdout.flush()
    return results


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
