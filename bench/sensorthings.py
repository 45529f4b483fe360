"""SensorThings: single observations from one and from 32 senders, data arrays, and what a page of Things with their latest costs."""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import machine, pack, program, wire

ROOT = "/sta/v1.1"
_ROWS = 100
"""Readings of each Datastream in a request of data arrays."""
_EACH = 10
"""Datastreams in a request of data arrays."""


def _stamp(when: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{int(when * 1000) % 1000:03d}Z"


def _single(began: float, until: Callable[[], bool]) -> Callable[[int], bytes | None]:
    streams = pack.streams()

    def body(number: int) -> bytes | None:
        if until():
            return None
        turn, place = divmod(number, len(streams))
        row = {"phenomenonTime": _stamp(began + turn), "result": number % 700, "Datastream": {"@iot.id": streams[place]}}
        return json.dumps(row).encode()

    return body


def _arrays(began: float, until: Callable[[], bool]) -> Callable[[int], bytes | None]:
    """Requests built before: only the second of their times is put in, a mark of fixed width."""
    streams = pack.streams()
    groups = [streams[first : first + _EACH] for first in range(0, len(streams), _EACH)]
    mark = _stamp(0)[:19].encode()
    rows = [[f"{_stamp(0)[:20]}{row * 1000 // _ROWS:03d}Z", row] for row in range(_ROWS)]
    bodies = [
        json.dumps(
            [{"Datastream": {"@iot.id": stream}, "components": ["phenomenonTime", "result"], "dataArray": rows} for stream in group]
        ).encode()
        for group in groups
    ]

    def body(number: int) -> bytes | None:
        if until():
            return None
        turn, place = divmod(number, len(groups))
        return bodies[place].replace(mark, _stamp(began + turn)[:19].encode())

    return body


async def _flood(
    target: wire.Target, path: str, connections: int, seconds: float, made: Callable[..., Callable[[int], bytes | None]]
) -> float:
    """Requests a second."""
    loop = asyncio.get_running_loop()
    deadline, began = loop.time() + seconds, time.time() - 900
    answers = await wire.flood(target, ROOT + path, connections, made(began, lambda: loop.time() > deadline))
    bad = [status for _, _, status in answers if status != 201]
    if bad:
        message = f"{len(bad)} of {len(answers)} requests failed, first with {bad[0]}"
        raise RuntimeError(message)
    return len(answers) / (max(ended for _, ended, _ in answers) - min(started for started, _, _ in answers))


def _asked(running: program.Running, path: str, turns: int = 15) -> float:
    spent = []
    for _ in range(turns):
        began = time.perf_counter()
        running.get(ROOT + path)
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


class Asked(NamedTuple):
    """Medians (ms): things with their latest readings, a page of readings without and with their count, and the count of all."""

    expanded: float
    plain: float
    counted: float
    everything: float


def asked(running: program.Running) -> Asked:
    """Ask the program for what it holds."""
    whose = f"/Datastreams({chr(39)}{pack.streams()[0]}{chr(39)})/Observations?$top=100"
    return Asked(
        _asked(running, "/Things?$top=100&$expand=Datastreams($expand=Observations($top=1;$orderby=phenomenonTime%20desc))"),
        _asked(running, whose),
        _asked(running, whose + "&$count=true"),
        _asked(running, "/Observations?$top=0&$count=true", 3),
    )


def measure(seconds: float) -> list[str]:
    """The lines of the report."""
    with tempfile.TemporaryDirectory() as folder, program.running(Path(folder)) as running:
        one = asyncio.run(_flood(running.target, "/Observations", 1, seconds, _single))
    with tempfile.TemporaryDirectory() as folder, program.running(Path(folder)) as running:
        many = asyncio.run(_flood(running.target, "/Observations", 32, seconds, _single))
    with tempfile.TemporaryDirectory() as folder, program.running(Path(folder)) as running:
        arrays = asyncio.run(_flood(running.target, "/CreateObservations", 8, seconds, _arrays))
        found = asked(running)
        listed = _asked(running, "/Datastreams?$top=100")
    return [
        f"| single POST of an Observation, one sender after each answer | {one:,.0f} a second | 700 a second |",
        f"| single POST of an Observation, 32 connections | {many:,.0f} a second | 3,000 a second |",
        f"| CreateObservations, {_EACH * _ROWS:,} readings a request, 8 connections | {arrays * _EACH * _ROWS:,.0f} obs/s | 300,000 obs/s |",
        f"| 100 Things with Datastreams and their latest Observation | p50 {found.expanded:.0f} ms | under 100 ms |",
        f"| 100 Observations / with $count | p50 {found.plain:.0f} / {found.counted:.0f} ms | counting takes no longer than the page |",
        f"| 100 of 10,000 Datastreams | p50 {listed:.0f} ms | |",
    ]


def main() -> None:
    """Command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=6)
    given = ask.parse_args()
    print(machine.about(0))
    print("\n".join(measure(given.seconds)))


if __name__ == "__main__":
    main()
