"""What every measurement prints first: versions, seed, processors, and how long this disk takes to sync."""

import os
import platform
import shutil
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

_PACKAGES = ("duckdb", "pyarrow", "numpy", "polars", "litestar", "msgspec", "sqlalchemy")


def about(seed: int) -> str:
    """Versions, seed, processors, load and the median of an fsync in the folder for temporary files."""
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in _PACKAGES)])
    sync = fsync_p50(Path(tempfile.gettempdir()))
    return f"{versions}; seed {seed}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; fsync p50 {sync:.0f} µs"


def fsync_p50(folder: Path, tries: int = 200) -> float:
    """Median time of a 4 KiB write with fsync, in µs."""
    block, times = os.urandom(4096), []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(tries):
            start = time.perf_counter()
            file.write(block)
            os.fsync(file.fileno())
            times.append((time.perf_counter() - start) * 1e6)
    return median(times)


def chromium() -> str | None:
    """The machine's Chromium; None where there is none (Playwright then looks for its own)."""
    return shutil.which("chromium") or shutil.which("google-chrome")


def peak(pid: int) -> float:
    """The most memory (MB) that a process has held since it began, as Linux keeps it."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1000
