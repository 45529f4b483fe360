"""Bulk JSON over HTTP, durable before the answer, with 500 rules on; and, in the same run, what raw DuckDB reaches."""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from bench import machine, pack, program, wire

ROWS = 1000
"""Observations a request."""
MARK = b"2000-01-01T00:00:00.000Z"
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
    """Start the program, flood it, stop it; returns the lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        raw = raw_duckdb(Path(folder) / "raw.duckdb", seed)
        with program.running(Path(folder) / "state") as running:
            result = asyncio.run(_flood(running.target, seconds, connections, seed))
            lag = running.metric("citybrain_rules_lag_rows")
            ledger = running.ledger("api")
    count, took, p50, p99 = result
    rate = count * ROWS / took
    balanced = ledger["received"] == ledger["stored"] + ledger["duplicate"] + sum(ledger["refused"].values()) == count * ROWS
    return [
        f"| bulk JSON over HTTP, {ROWS} observations a request, {connections} connections, {took:.0f} s | {rate:,.0f} obs/s | 300,000 obs/s |",
        f"| request p50 / p99 | {p50 * 1000:.1f} / {p99 * 1000:.1f} ms | |",
        f"| raw DuckDB, 10,000-row commits, same run | {raw:,.0f} obs/s | |",
        f"| ratio to raw DuckDB | {rate / raw:.0%} | at least 10 % |",
        f"| rows the 500 rules were behind at the end | {lag:,.0f} | |",
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


async def _flood(target: wire.Target, seconds: float, connections: int, seed: int) -> tuple[int, float, float, float]:
    prepared = templates(seed)
    loop = asyncio.get_running_loop()
    start = time.time() - 600
    deadline = loop.time() + seconds

    def body(number: int) -> bytes | None:
        if loop.time() > deadline:
            return None
        turn, part = divmod(number, len(prepared))
        when = start + turn * _STEP
        instant = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{int(when * 1000) % 1000:03d}Z"
        return prepared[part].replace(MARK, instant.encode())

    answers = await wire.flood(target, "/api/v1/observe/observations", connections, body)
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
