"""Bulk JSON over HTTP, durable before the answer, with 500 rules on; and, in the same run, what raw DuckDB reaches."""

import argparse
import asyncio
import io
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from bench import machine, pack, program, wire
from citybrain.kernel.instant import parse

ROWS = 1000
"""Observations a JSON request."""
MANY = 10_000
"""Observations an Arrow request."""
MARK = b"2000-01-01T00:00:00.000Z"
_MARKED = parse(MARK.decode())
_STEP = 0.01
"""Seconds between two readings of a stream: all of them are fresh, so that every rule is asked about every row."""


def templates(seed: int) -> list[bytes]:
    """Ten requests that cover the 10,000 streams once; the time is a mark of fixed width to be replaced."""
    chance = np.random.default_rng(seed)
    streams = pack.streams()
    values = np.round(chance.uniform(0, 800, len(streams)), 2)
    bodies = []
    for begin in range(0, len(streams), ROWS):
        rows = ",".join(
            f'{{"stream":"{streams[index]}","time":"{MARK.decode()}","value":{values[index]}}}'
            for index in range(begin, begin + ROWS)
        )
        bodies.append(f'{{"observations":[{rows}]}}'.encode())
    return bodies


def measure(seconds: float, connections: int, seed: int) -> list[str]:
    """Start the program, flood it with JSON and then with Arrow, stop it; returns the lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        raw = raw_duckdb(Path(folder) / "raw.duckdb", seed)
        with program.running(Path(folder) / "state") as running:
            result = asyncio.run(flood(running.target, seconds, connections, bulk(seed)))
            lag = running.metric("citybrain_rules_lag_rows")
            arrow = asyncio.run(flood(running.target, seconds, connections, _arrow(seed)))
            ledger = running.ledger("api")
            peak = machine.peak(running.process.pid)
    count, took, p50, p99 = result
    rate = count * ROWS / took
    sent = count * ROWS + arrow[0] * MANY
    balanced = ledger["received"] == ledger["stored"] + ledger["duplicate"] + sum(ledger["refused"].values()) == sent
    return [
        f"| bulk JSON over HTTP, {ROWS} observations a request, {connections} connections, {took:.0f} s | {rate:,.0f} obs/s | 300,000 obs/s |",
        f"| request p50 / p99 | {p50 * 1000:.1f} / {p99 * 1000:.1f} ms | |",
        f"| raw DuckDB, 10,000-row commits, same run | {raw:,.0f} obs/s | |",
        f"| ratio to raw DuckDB | {rate / raw:.0%} | at least 10 % |",
        f"| rows the 500 rules were behind at the end | {lag:,.0f} | |",
        f"| Arrow over HTTP, {MANY:,} observations a request, {connections} connections, {arrow[1]:.0f} s "
        f"| {arrow[0] * MANY / arrow[1]:,.0f} obs/s | 1,000,000 obs/s |",
        f"| Arrow request p50 / p99 | {arrow[2] * 1000:.1f} / {arrow[3] * 1000:.1f} ms | |",
        f"| the most memory that the program held meanwhile | {peak:.0f} MB | under 1,000 MB |",
        f"| door ledger equals what was sent | {'yes' if balanced else 'NO'} | yes |",
    ]


def raw_duckdb(path: Path, seed: int, commits: int = 200, rows: int = 10_000) -> float:
    """Observations a second that DuckDB alone reaches, inserting Arrow batches, one commit each."""
    chance = np.random.default_rng(seed)
    with duckdb.connect(str(path), config={"threads": 2}) as store:
        store.execute("CREATE TABLE obs (seq BIGINT, stream_no INTEGER, time BIGINT, value DOUBLE, received BIGINT)")
        batches = [
            pa.table(
                {
                    "seq": np.arange(rows) + number * rows,
                    "stream_no": np.arange(rows, dtype=np.int32),
                    "time": np.full(rows, number * 60_000_000),
                    "value": np.round(chance.uniform(0, 800, rows), 2),
                    "received": np.full(rows, number),
                }
            )
            for number in range(commits)
        ]
        began = time.perf_counter()
        for batch in batches:
            store.register("batch", batch)
            store.execute("INSERT INTO obs SELECT * FROM batch")
        return commits * rows / (time.perf_counter() - began)


class Load(NamedTuple):
    """What is sent: bodies, the media type, and what writes an instant (s) into a body in the place of the mark."""

    bodies: list[bytes]
    kind: str
    mark: bytes
    stamp: Callable[[float], bytes]
    step: float
    """Seconds between two turns through the bodies."""


def bulk(seed: int) -> Load:
    """Requests of JSON."""

    def stamp(when: float) -> bytes:
        return (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{int(when * 1000) % 1000:03d}Z").encode()

    return Load(templates(seed), "application/json", MARK, stamp, _STEP)


def _arrow(seed: int) -> Load:
    """One body of all 10,000 streams; later than the JSON before it."""
    streams = pack.streams()
    columns = {
        "stream": pa.array(streams),
        "time": pa.array(np.full(MANY, _MARKED), pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "value": np.round(np.random.default_rng(seed).uniform(0, 800, MANY), 2),
    }
    table, sink = pa.table(columns), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    mark = struct.pack("<q", _MARKED)
    return Load(
        [sink.getvalue()],
        "application/vnd.apache.arrow.stream",
        mark,
        lambda when: struct.pack("<q", int((when + 300) * 1_000_000)),
        _STEP,
    )


async def flood(
    target: wire.Target, seconds: float, connections: int, load: Load, offset: float = 0.0
) -> tuple[int, float, float, float]:
    """Requests answered, seconds they took, p50 and p99 of one (s); ``offset`` moves the instants that are sent."""
    loop = asyncio.get_running_loop()
    start = time.time() - 600 + offset
    deadline = loop.time() + seconds

    def body(number: int) -> bytes | None:
        if loop.time() > deadline:
            return None
        turn, part = divmod(number, len(load.bodies))
        return load.bodies[part].replace(load.mark, load.stamp(start + turn * load.step))

    answers = await wire.flood(target, "/api/v1/observe/observations", connections, body, load.kind)
    bad = [status for _, _, status in answers if status != 200]
    if bad:
        raise RuntimeError(f"{len(bad)} of {len(answers)} requests failed, first with {bad[0]}")
    spent = [ended - began for began, ended, _ in answers]
    took = max(ended for _, ended, _ in answers) - min(began for began, _, _ in answers)
    return len(answers), took, statistics.median(spent), statistics.quantiles(spent, n=100)[98]


def main() -> None:
    """Command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=20)
    ask.add_argument("--connections", type=int, default=8)
    ask.add_argument("--seed", type=int, default=7)
    given = ask.parse_args()
    print(machine.about(given.seed))
    print("\n".join(measure(given.seconds, given.connections, given.seed)))


if __name__ == "__main__":
    main()
