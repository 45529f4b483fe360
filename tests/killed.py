"""A program of the tests that says "ready", goes on until it is killed, and is killed as the power would."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

_ROOT = Path(__file__).parents[1]


def killed_after(program: ModuleType, folder: Path, run: int, seconds: float) -> None:
    """Start a module on a folder and kill it some time after it has begun."""
    command = [sys.executable, "-m", program.__name__, str(folder), str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=_ROOT, env={"PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}) as process:
        try:
            assert process.stdout is not None
            while process.stdout.readline() not in (b"ready\n", b""):
                pass
            time.sleep(seconds)
            assert process.poll() is None, "it goes on until it is killed"
        finally:
            process.send_signal(signal.SIGKILL)
