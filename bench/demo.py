"""The demo district after some minutes: memory, processor, and how fast its pages are rendered."""

import argparse
import gzip
import http.cookiejar
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench import machine, program
from citybrain import web
from citybrain.app.demo import PASSWORD

PAGES = {"/": "leader", "/cockpit": "leader", "/desk": "dispatcher", "/data": "admin"}
"""Pages, and who asks for them."""
_ASKED = 50


def measure(seconds: float) -> list[str]:
    """Run the demo for so long after it is ready; returns the lines of the report."""
    with fresh() as (pid, port):
        lines = [*_rest(pid, seconds), *_rendered(port)]
    return [*_starts(), *lines, *sizes()]


def _starts() -> list[str]:
    """How long until the first page shows: on an empty state, where a year of history is made, and on one that stands."""
    spent = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            began = time.perf_counter()
            with running(Path(folder)) as (_, port):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30).read()
                spent.append(time.perf_counter() - began)
    return [
        f"| from the command to the first page, on an empty state | {spent[0]:.1f} s | |",
        f"| from the command to the first page, warm | {spent[1]:.1f} s | under 15 s |",
    ]


@contextmanager
def fresh() -> Iterator[tuple[int, int]]:
    """The demo on a fresh state for the time of a block: its process and its port."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as found:
        yield found


@contextmanager
def running(state: Path) -> Iterator[tuple[int, int]]:
    """The demo on a state folder for the time of a block: its process and its port."""
    port = program.free_port()
    command = [str(Path(sys.executable).with_name("citybrain")), "demo", "--hosts", "127.0.0.1", "--mqtt-port", "0"]
    with (state / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--state", str(state), "--port", str(port)], stdout=log, stderr=log)
    try:
        _wait(port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(30)


def sizes() -> list[str]:
    """What a page loads, packed with gzip: the house's own script, and all scripts of a page with map and charts."""
    build = Path(web.__file__).parent / "static" / "build"
    packed = {path.name: len(gzip.compress(path.read_bytes())) for pattern in ("*.js", "*.mjs") for path in build.rglob(pattern)}
    own = sum(size for name, size in packed.items() if name.startswith(("main", "chunk")))
    return [
        f"| own script of every page, gzip | {own / 1000:.1f} kB | at most 60 kB |",
        f"| all scripts of a page with map and charts, gzip | {sum(packed.values()) / 1000:.0f} kB | under 1,000 kB |",
    ]


def _wait(port: int) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    message = "The demo did not become ready."
    raise RuntimeError(message)


def _rest(pid: int, seconds: float) -> list[str]:
    """Resident memory and processor at the end: the second half of the time is measured."""
    process = psutil.Process(pid)
    time.sleep(seconds / 2)
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds / 2)
    after, took = process.cpu_times(), time.monotonic() - began
    share = (after.user + after.system - before.user - before.system) / took
    held = process.memory_info().rss / 1e6
    return [
        f"| demo, {seconds:.0f} s after it was ready: memory | {held:.0f} MB | under 800 MB |",
        f"| demo, {seconds:.0f} s after it was ready: processor | {share:.0%} of a core | under 50 % |",
    ]


def _rendered(port: int) -> list[str]:
    lines = []
    for page, login in PAGES.items():
        cuts = statistics.quantiles(spent(port, page, login), n=20)
        lines.append(f"| page {page}, {_ASKED} requests: p50 / p95 | {cuts[9]:.0f} / {cuts[18]:.0f} ms | p95 under 30 ms |")
    return lines


def spent(port: int, page: str, login: str) -> list[float]:
    """How long each of some requests for a page took, in ms; nobody's where there is no login."""
    jar = cookies(port, login) if login else http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    found = []
    for _ in range(_ASKED):
        began = time.perf_counter()
        with opener.open(f"http://127.0.0.1:{port}{page}", timeout=30) as answer:
            answer.read()
        found.append((time.perf_counter() - began) * 1000)
    return found


def cookies(port: int, login: str) -> http.cookiejar.CookieJar:
    """The cookies of somebody signed in to the demo."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    given = json.dumps({"login": login, "password": PASSWORD}).encode()
    ask = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/protect/session", given, {"Content-Type": "application/json"})
    opener.open(ask, timeout=10).close()
    return jar


def main() -> None:
    """Print the figures."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=600)
    print(machine.about(0))
    print("\n".join(measure(ask.parse_args().seconds)))


if __name__ == "__main__":
    main()
