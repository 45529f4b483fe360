"""Durability: a killed process loses nothing that it acknowledged, and doubles nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from citybrain.engines.duckdb import DuckFile, DuckSeries, segments
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.engines.duckdb import appender
from tests.engines.duckdb.world import START

KILLS = 5
ROOT = Path(__file__).parents[3]


def killed_after(folder: Path, run: int, acknowledged: int) -> None:
    """Start the appender and kill it once so many more batches stand acknowledged."""
    file = folder / "acknowledged"
    before = file.read_text().count("\n") if file.exists() else 0
    command = [sys.executable, "-m", appender.__name__, str(folder), str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            while file.read_text().count("\n") - before < acknowledged:
                assert process.poll() is None
        finally:
            process.send_signal(signal.SIGKILL)


@pytest.mark.slow
def test_five_kills_lose_no_acknowledged_batch_and_double_none(tmp_path: Path) -> None:
    for run in range(KILLS):
        killed_after(tmp_path, run, 30 + 170 * run)
    file = DuckFile(tmp_path / "series")
    series = DuckSeries(file)
    acknowledged = {tuple(map(int, line.split())) for line in (tmp_path / "acknowledged").read_text().splitlines()}
    assert len({run for run, _ in acknowledged}) == KILLS
    whole = SeriesQuery(tuple(range(appender.ROWS)), START, Instant(START + 99 * DAY))
    found = series.scan(whole)
    times, counts = np.unique(found["time"].to_numpy(), return_counts=True)
    assert set(counts.tolist()) == {appender.ROWS}, "a batch is there whole or not at all"
    assert {START + run * DAY + number for run, number in acknowledged} <= set(times.tolist())
    seqs = found["seq"].to_numpy()
    assert sorted(seqs.tolist()) == list(range(1, len(seqs) + 1)), "stored once, without a gap"
    followed = series.after(0, 10**9)
    assert followed["seq"].to_numpy().tolist() == list(range(1, len(seqs) + 1))
    assert sum(door.stored for door in series.doors()) == found.num_rows
    with file.cursor() as cursor:
        named = {segment.path for segment in segments.every(cursor)}
    assert {path.name for path in file.closed.iterdir()} == named, "no orphan file"
    assert 1 <= len(named) < KILLS, "days were closed on the way"
    series.close()
    file.close()
