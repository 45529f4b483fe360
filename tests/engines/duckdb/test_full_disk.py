"""A disk that is really full: the process may write no byte more to any file."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.kernel.errors import BusyError, CityError, StorageFullError
from citybrain.kernel.observations import Receipt
from tests.engines.duckdb.world import START, Row, batch, scanned


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """Writing beyond a size (bytes) fails with EFBIG, as a full disk does with ENOSPC."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def rows(number: int) -> list[Row]:
    return [(stream, START + number, stream / 7 + number) for stream in range(2_000)]


async def append(series: DuckSeries, number: int) -> Receipt | CityError:
    try:
        return await series.append(batch(f"b{number}", rows(number)))
    except CityError as error:
        return error


async def test_a_full_disk_is_said_nothing_acknowledged_is_lost_and_writing_goes_on_afterwards(tmp_path: Path) -> None:
    file = DuckFile(tmp_path / "s")
    series = DuckSeries(file)
    first = await append(series, 0)
    largest = max(path.stat().st_size for path in (tmp_path / "s").iterdir())
    with files_end_at(largest + 40_000):
        answers = [await append(series, number) for number in range(1, 12)]
    refused = [answer for answer in answers if not isinstance(answer, Receipt)]
    assert refused
    assert all(isinstance(answer, StorageFullError | BusyError) for answer in refused)
    for number in range(1, 12):
        answer = await append(series, number)
        assert isinstance(answer, Receipt), "the same batch is taken again once there is room"
    seen: list[int] = []
    while (found := series.after(seen[-1] if seen else 0, 3_000)).num_rows:
        seen += found["seq"].to_numpy().tolist()
    assert seen == list(range(1, 24_001)), "followers miss nothing and see nothing twice"
    assert isinstance(first, Receipt)
    for number in range(12):
        assert scanned(series, range(2_000), START + number, START + number + 1) == rows(number)
    assert series.last_seq() == 12 * 2_000, "a batch that was sent again is stored once"
    series.close()
    file.close()


async def test_readers_go_on_after_the_file_was_opened_anew(series: DuckSeries, duck_file: DuckFile) -> None:
    await series.append(batch("a", rows(0)))
    duck_file.reopen(duck_file.generation)
    assert scanned(series, range(2_000), START, START + 1) == rows(0)
    receipts = await asyncio.gather(series.append(batch("a", rows(0))), series.append(batch("b", rows(1))))
    assert [receipt.repeated for receipt in receipts] == [True, False]
    assert series.last_seq() == 4_000


async def test_an_empty_and_a_refused_batch_count_in_the_ledger(series: DuckSeries) -> None:
    receipt = await series.append(batch("a", [], late=4))
    assert (receipt.stored, receipt.refused, receipt.last_seq) == (0, 4, 0)
    assert series.doors()[0].received == 4
    assert series.after(0, 10).num_rows == 0
