"""All linters and type checks, one after the other, each timed; `make check`."""

import subprocess
import sys
import time
from pathlib import Path

CHECKS = (
    ("format", ("ruff", "format", "--check", "-q", ".")),
    ("lint", ("ruff", "check", "-q", ".")),
    ("imports", ("lint-imports",)),
    ("types", ("mypy", "src", "tests", "bench")),
    ("dependencies", ("deptry", "-v", "src")),
    ("dead code", ("vulture", "src", "--min-confidence", "80")),
    ("docstrings", ("interrogate", "-q", "--fail-under", "100", "-p", "-m", "-s", "-n", "-i", "src")),
    (
        "spelling",
        (
            "codespell_lib",
            "-q",
            "3",
            "--skip",
            "*/static/build/*,*/node_modules/*,*.lock,*-lock.json",
            "src",
            "tests",
            "docs",
            "bench",
            "README.md",
        ),
    ),
)


def main() -> int:
    """Run them all, say which failed, and return 1 if one did."""
    failed = [name for name, command in CHECKS if not _passes(name, command)]
    sys.stdout.write(f"checks: {len(CHECKS) - len(failed)} passed, {len(failed)} failed {' '.join(failed)}\n")
    return 1 if failed else 0


def _passes(name: str, command: tuple[str, ...]) -> bool:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *command] if command[0] != "lint-imports" else [str(Path(sys.executable).with_name("lint-imports"))],
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(f"  {name:13} {'ok' if done.returncode == 0 else 'FAILED'} {time.monotonic() - began:6.1f} s\n")
    if done.returncode:
        sys.stdout.write(done.stdout[-6000:] + done.stderr[-3000:])
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
