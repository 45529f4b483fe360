"""Programs of our own interpreter, run beside us: benchmarks, pip."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def python(words: Sequence[str], folder: Path) -> int:
    """Run ``python`` with these words in a folder until it ends; what it says goes where our own words go. Returns its status."""
    return subprocess.run([sys.executable, *words], cwd=folder, check=False).returncode  # noqa: S603 - our own interpreter, words of our own
