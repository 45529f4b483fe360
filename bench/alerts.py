"""From the last byte of a reading to its alert in the event stream, under a steady load with 500 rules on."""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

from bench import machine, pack, program, wire

_BEAT = 0.05
"""Seconds between requests."""


def measure(rate: int, seconds: float, warm: float) -> list[str]:
    """Start the program and load it; returns the lines of the report."""
    with tempfile.TemporaryDirectory() as folder, program.running(Path(folder)) as running:
        spent, sent, missed = asyncio.run(_drive(running, rate, seconds, warm))
    cuts = statistics.quantiles(spent, n=100)
    return [
        f"| reading to alert at {rate:,} obs/s with 500 rules, {seconds:.0f} s after {warm:.0f} s of warm-up, {len(spent)} alerts | "
        f"p50 {cuts[49]:.1f}, p99 {cuts[98]:.1f}, max {max(spent):.1f} ms | p99 under 100 ms |",
        f"| alerts expected and not seen | {missed} of {sent} | 0 |",
    ]


async def _drive(running: program.Running, rate: int, seconds: float, warm: float) -> tuple[list[float], int, int]:
    loop = asyncio.get_running_loop()
    sent: dict[str, float] = {}
    spent: list[float] = []
    listener = asyncio.create_task(_listen(running.staff, sent, spent))
    connection = await wire.Connection.to(running.target)
    streams = pack.streams()
    share = round(rate * _BEAT)
    began = loop.time()
    turn = 0
    while (now := loop.time() - began) < warm + seconds:
        # One entity a beat goes over its limit in field a (rules want a > 900 and b < 990); each entity does so once.
        hot = f"bench-{turn % pack.KINDS:02d}-{(turn // pack.KINDS) % pack.ENTITIES:03d}"
        body = _body(streams, turn, share, hot if turn < pack.KINDS * pack.ENTITIES else None)
        if now > warm and turn < pack.KINDS * pack.ENTITIES:
            sent[hot] = loop.time()
        status, answer = await connection.post("/api/v1/observe/observations", body)
        if status != 200:
            raise RuntimeError(answer.decode())
        turn += 1
        await asyncio.sleep(max(0.0, began + turn * _BEAT - loop.time()))
    await asyncio.sleep(2)
    listener.cancel()
    return spent, len(sent), len(sent) - len(spent)


async def _listen(target: wire.Target, sent: dict[str, float], spent: list[float]) -> None:
    loop = asyncio.get_running_loop()
    seen: set[str] = set()
    async for name, body in wire.events(target, "/api/v1/see/live"):
        if name != "alert":
            continue
        entity = json.loads(body)["alert"]["entity"]
        if entity in sent and entity not in seen:
            seen.add(entity)
            spent.append((loop.time() - sent[entity]) * 1000)


def _body(streams: tuple[str, ...], turn: int, share: int, hot: str | None) -> bytes:
    instant = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{turn % 1000:03d}Z"
    rows = [
        {"stream": streams[(turn * share + index) % len(streams)], "time": instant, "value": 100.0 + (turn + index) % 700}
        for index in range(share)
    ]
    if hot:
        rows = [row for row in rows if not str(row["stream"]).startswith(hot)]
        rows += [{"stream": f"{hot}.a", "time": instant, "value": 999.0}, {"stream": f"{hot}.b", "time": instant, "value": 1.0}]
    return json.dumps({"observations": rows}).encode()


def main() -> None:
    """Command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--rate", type=int, default=5000)
    ask.add_argument("--seconds", type=float, default=60)
    ask.add_argument("--warm", type=float, default=10)
    given = ask.parse_args()
    print(machine.about(0))
    print("\n".join(measure(given.rate, given.seconds, given.warm)))


if __name__ == "__main__":
    main()
