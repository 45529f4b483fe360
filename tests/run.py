"""Runs the parts of the test suite and says plainly what was skipped and why; `make test`, `make quick`, `make soak`."""

import shutil
import subprocess
import sys

PARTS = {
    "quick": ("-m", "not slow and not browser and not postgres and not kill", "-n", "2"),
    "all": (
        "-m",
        "not soak",
    ),
    "soak": ("-m", "soak or kill", "-s"),
}


def main(part: str) -> int:
    """Run the checks, then the tests of a part; returns the exit status."""
    checks = 0 if part == "soak" else subprocess.run([sys.executable, "-m", "tests.checks"], check=False).returncode
    if shutil.which("chromium") is None:
        sys.stdout.write("No chromium on this machine: every test marked 'browser' will be skipped.\n")
    sys.stdout.flush()
    tests = subprocess.run([sys.executable, "-m", "pytest", "-q", "-rs", *PARTS[part]], check=False).returncode
    return checks or tests


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
