"""Runs the parts of the test suite and says plainly what was skipped and why; `make test`, `make quick`, `make soak`."""

import os
import shutil
import subprocess
import sys
import time

ALONE = "browser or kill or slow"
"""What starts whole programs: two of them at once on two cores would only wait for each other.

Browsers are driven each in a process of its own: the driver keeps an event loop running, which other tests cannot have.
"""
PARTS = {
    "quick": (("-m", f"not ({ALONE}) and not postgres and not soak", "-n", "2"),),
    "all": (
        ("-m", f"not ({ALONE}) and not soak", "-n", "2"),
        ("-m", f"({ALONE}) and not browser and not soak", "-p", "no:randomly"),
        ("tests/web", "-m", "browser", "-p", "no:randomly"),
        ("tests/browser", "-m", "browser", "-p", "no:randomly"),
    ),
    "soak": (("-m", "soak or kill", "-s", "-p", "no:randomly"),),
}
MORE = {"soak": {"CITYBRAIN_KILLS": "100"}}


def main(part: str) -> int:
    """Run the checks, then the tests of a part; returns the exit status."""
    results = [] if part == "soak" else [subprocess.run([sys.executable, "-m", "tests.checks"], check=False).returncode]
    if shutil.which("chromium") is None:
        sys.stdout.write("No chromium on this machine: every test marked 'browser' will be skipped.\n")
    sys.stdout.flush()
    for chosen in PARTS[part]:
        began = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "-rsfE", "--durations=10", *chosen]
        results.append(subprocess.run(command, env=os.environ | MORE.get(part, {}), check=False).returncode)
        sys.stdout.write(f"({time.monotonic() - began:.0f} s)\n")
        sys.stdout.flush()
    return next((result for result in results if result), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
