"""Duties that only a district of several processes has."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from citybrain.app import duties
from citybrain.engines.postgres import Alone

pytestmark = pytest.mark.postgres


@pytest.fixture
def told() -> Iterator[list[int]]:
    """Signals to end that this process was sent."""
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    yield heard
    signal.signal(signal.SIGTERM, before)


async def test_a_process_whose_place_was_taken_ends(postgres_url: str, told: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "_ALONE", 0.02)
    mine, other = Alone(postgres_url, "worker"), Alone(postgres_url, "worker")
    mine.hold()
    watching = asyncio.create_task(duties.stay_alone(mine))
    await asyncio.sleep(0.2)
    assert not watching.done()
    mine.close()
    other.hold()
    await asyncio.wait_for(watching, 30)
    assert told == [signal.SIGTERM]
    mine.close()
    other.close()
